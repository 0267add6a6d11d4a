package hasura

import (
	"errors"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// openTime is how long calls fail at once after a call that opened the breaker. It
	// bounds the load on a Hasura that recovers, and the time for which rows are then still
	// parked.
	openTime = 10 * time.Second
	// probeTime bounds the one call that is let through after openTime.
	probeTime = time.Second
)

// newBreaker returns a breaker that opens after one failed call, because that call has
// retried already.
func newBreaker() *gobreaker.CircuitBreaker[bool] {
	return gobreaker.NewCircuitBreaker[bool](gobreaker.Settings{
		Timeout:      openTime,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures > 0 },
		IsSuccessful: func(err error) bool { return !concernsAllRows(err) },
	})
}

// concernsAllRows reports whether an error means that no row can be written now. A locked
// row alone must not make other users' syncs fail: a time-out counts only if Hasura's
// health check failed too.
func concernsAllRows(err error) bool {
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err != nil // the admin secret cannot be read
	}
	switch e.Code {
	case CodeTimeout:
		return e.hangs
	case CodeDNS, CodeUnreachable, CodeCertificate, CodeNoTLS,
		"access-denied", "rate-limit-exceeded", "postgres-error", "postgres-max-connections-error":
		return true
	}
	return e.Status >= http.StatusInternalServerError || e.Status == http.StatusTooManyRequests || e.Status == http.StatusUnauthorized
}
