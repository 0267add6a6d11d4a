package hasura

import (
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// open is how long calls fail at once after one that failed. It bounds both the
	// load on a Hasura that comes back and the time for which people's rows are
	// parked needlessly then.
	open = 10 * time.Second
	// probing is the most that the call takes which is let through after that.
	probing = time.Second
)

// newBreaker returns a breaker that opens on one failed call: that call has tried
// for most of its time already.
func newBreaker() *gobreaker.CircuitBreaker[bool] {
	return gobreaker.NewCircuitBreaker[bool](gobreaker.Settings{
		Timeout:      open,
		ReadyToTrip:  func(counts gobreaker.Counts) bool { return counts.ConsecutiveFailures > 0 },
		IsSuccessful: func(err error) bool { return !unavailable(err) },
	})
}

// unavailable reports whether an error says that no row can be written now. One
// that is about a row says that Hasura is there.
func unavailable(err error) bool {
	class := ClassOf(err)
	return err != nil && (class == Later || class == Denied)
}
