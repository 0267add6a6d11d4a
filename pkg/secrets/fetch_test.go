package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// open returns a cache over the real SDK, which talks to h.
func open(t *testing.T, h http.Handler, arn, key string) *Cache {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return openAt(t, server.URL, arn, key)
}

func openAt(t *testing.T, url, arn, key string) *Cache {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": url, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	cache, err := Open(t.Context(), slog.New(slog.DiscardHandler), arn, key)
	if err != nil {
		t.Fatal(err)
	}
	return cache
}

func TestBinarySecret(t *testing.T) {
	var manager secretsmanager.Server
	arn := manager.PutBinary("app", []byte(`{"ADMIN_SECRET":"s"}`))
	secret, err := open(t, &manager, arn, "").Get(t.Context())
	if err != nil || secret.Reveal() != "s" {
		t.Errorf("error %v", err)
	}
}

const absent = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:absent-AbCdEf"

func TestUnreadableSecret(t *testing.T) {
	answer := func(status int, kind string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Amzn-ErrorType", kind)
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"__type":%q,"message":"canary internal.example.com"}`, kind)
		})
	}
	rows := []struct {
		name      string
		handler   http.Handler
		want      string
		transient bool
	}{
		{"the secret does not exist", new(secretsmanager.Server), "ResourceNotFoundException", false},
		{"no permission", answer(400, "AccessDeniedException"), "AccessDeniedException", false},
		{"throttling", answer(400, "ThrottlingException"), "ThrottlingException", true},
		{"a fault of the service", answer(500, "InternalServiceError"), "InternalServiceError", true},
		{"a code that is not known", answer(400, "NewException"), "NewException", true},
		{"a code that cannot be logged", answer(400, "canary code of 10.0.0.7:443"), "unrecognized", true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := open(t, row.handler, absent, "x").Get(t.Context())
			var got *Error
			if !errors.As(err, &got) || got.Code != row.want || got.Unwrap() == nil {
				t.Fatalf("error %v, want code %s", err, row.want)
			}
			if got.Transient() != row.transient {
				t.Errorf("Transient() = %t, want %t", got.Transient(), row.transient)
			}
			if want := "secret " + absent + ": code " + row.want; err.Error() != want {
				t.Errorf("error %q, want %q", err, want)
			}
		})
	}
}

func TestUnreachableSecretsManager(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := openAt(t, "http://"+listener.Addr().String(), absent, "x") // accepts, says nothing
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := silent.Get(ctx); err == nil || err.Error() != "secret "+absent+": code timeout" {
		t.Errorf("a silent endpoint: %v", err)
	}
	listener.Close()
	refused := openAt(t, "http://"+listener.Addr().String(), absent, "x")
	if _, err := refused.Get(t.Context()); err == nil || err.Error() != "secret "+absent+": code unreachable" {
		t.Errorf("a closed endpoint: %v", err)
	}
}

func TestInvalidFormIsPermanent(t *testing.T) {
	var manager secretsmanager.Server
	arn := manager.Put("app", `{"OTHER":"canary"}`)
	_, err := open(t, &manager, arn, "x").Get(t.Context())
	e, _ := errors.AsType[*Error](err)
	if e == nil || e.Transient() || err.Error() != "secret "+arn+": code invalid-form: its JSON object has no key x" {
		t.Errorf("%v, want a permanent failure that names the key and the ARN", err)
	}
}

func TestOneFetchServesAllCallers(t *testing.T) {
	var manager secretsmanager.Server
	cache := open(t, &manager, manager.Put("app", "one"), "")
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if secret, err := cache.Get(t.Context()); err != nil || secret.Reveal() != "one" {
				t.Errorf("error %v", err)
			}
		})
	}
	wait.Wait()
	if got := manager.Calls(); got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}
