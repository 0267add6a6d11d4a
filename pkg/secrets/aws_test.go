package secrets

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// open returns a bag over the real SDK, which talks to h.
func open(t *testing.T, h http.Handler, arn string, keys ...string) *Bag {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return openAt(t, server.URL, arn, keys...)
}

func openAt(t *testing.T, url, arn string, keys ...string) *Bag {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": url, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
	} {
		t.Setenv(name, value)
	}
	bag, err := Open(t.Context(), slog.New(slog.DiscardHandler), arn, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return bag
}

func TestSecret(t *testing.T) {
	const canary = "canary-77e1"
	key := func(pairs string) string { return fmt.Sprintf(pairs, canary) }
	rows := []struct {
		name, value string
		keys        []string
		want        string
		err         string // of which %s is the ARN
	}{
		{"Hasura's own name", key(`{"A":1,"HASURA_GRAPHQL_ADMIN_SECRET":%q}`), AdminSecretKeys, canary, ""},
		{"a shorter name", key(`{"HASURA_ADMIN_SECRET":%q,"DB":{"x":"y"}}`), AdminSecretKeys, canary, ""},
		{"the shortest name", key(`{"ADMIN_SECRET":%q}`), AdminSecretKeys, canary, ""},
		{"the first name wins", key(`{"ADMIN_SECRET":"other","HASURA_GRAPHQL_ADMIN_SECRET":%q}`), AdminSecretKeys, canary, ""},
		{"a key that was named", key(`{"ADMIN_SECRET":"other","x":%q}`), []string{"x"}, canary, ""},
		{"plain text", canary, AdminSecretKeys, canary, ""},
		{"plain text with the line's end of its file", canary + "\n", AdminSecretKeys, canary, ""},
		{"digits are plain text", "12345678", AdminSecretKeys, "12345678", ""},
		{"no such key", key(`{"OTHER":%q}`), AdminSecretKeys, "", "secret %s has no key HASURA_GRAPHQL_ADMIN_SECRET or HASURA_ADMIN_SECRET or ADMIN_SECRET"},
		{"no key that was named", key(`{"ADMIN_SECRET":%q}`), []string{"x"}, "", "secret %s has no key x"},
		{"an empty value", key(`{"OTHER":%q,"ADMIN_SECRET":" "}`), AdminSecretKeys, "", "key ADMIN_SECRET of secret %s is empty"},
		{"a value that is no string", key(`{"ADMIN_SECRET":{"x":%q}}`), AdminSecretKeys, "", "key ADMIN_SECRET of secret %s is not a string"},
		{"a value that no header can carry", `{"ADMIN_SECRET":"canary-\n77e1"}`, AdminSecretKeys, "", "key ADMIN_SECRET of secret %s has a control character in it"},
		{"broken JSON", key(`{"ADMIN_SECRET":%q`), AdminSecretKeys, "", "secret %s is not a JSON object"},
		{"a JSON array", key(`[%q]`), AdminSecretKeys, "", "secret %s is not a JSON object"},
		{"nothing", " ", AdminSecretKeys, "", "secret %s is empty"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var manager secretsmanager.Server
			arn := manager.Put("app", row.value)
			secret, err := open(t, &manager, arn, row.keys...).Secret(t.Context())
			if secret.Reveal() != row.want {
				t.Errorf("got the wrong secret, of %d bytes", len(secret.Reveal()))
			}
			want := strings.ReplaceAll(row.err, "%s", arn)
			if (err == nil) != (want == "") || err != nil && err.Error() != want {
				t.Errorf("error %v, want %s", err, want)
			}
		})
	}
}

func TestBinarySecret(t *testing.T) {
	var manager secretsmanager.Server
	arn := manager.PutBinary("app", []byte(`{"ADMIN_SECRET":"s"}`))
	secret, err := open(t, &manager, arn, AdminSecretKeys...).Secret(t.Context())
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
		name    string
		handler http.Handler
		want    string
		passes  bool
	}{
		{"it is not there", new(secretsmanager.Server), "ResourceNotFoundException", false},
		{"it is not for us", answer(400, "AccessDeniedException"), "AccessDeniedException", false},
		{"too many ask", answer(400, "ThrottlingException"), "ThrottlingException", true},
		{"the service is broken", answer(500, "InternalServiceError"), "InternalServiceError", true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := open(t, row.handler, absent, "x").Secret(t.Context())
			var got *Error
			if !errors.As(err, &got) || got.Code != row.want || got.Unwrap() == nil {
				t.Fatalf("error %v, want code %s", err, row.want)
			}
			if got.Passes() != row.passes {
				t.Errorf("Passes() = %t, want %t", got.Passes(), row.passes)
			}
			if want := "read secret " + absent + ": " + row.want; err.Error() != want {
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
	if _, err := silent.Secret(ctx); err == nil || err.Error() != "read secret "+absent+": timeout" {
		t.Errorf("a silent endpoint: %v", err)
	}
	listener.Close()
	refused := openAt(t, "http://"+listener.Addr().String(), absent, "x")
	if _, err := refused.Secret(t.Context()); err == nil || err.Error() != "read secret "+absent+": unreachable" {
		t.Errorf("a closed endpoint: %v", err)
	}
}

func TestCheckARN(t *testing.T) {
	rows := map[string]bool{
		absent: true,
		"arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:a": true,
		"arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a/b-AbCd": true,
		"arn:aws:secretsmanager:eu-west-1:123456789012:secret:":             false,
		"arn:aws:ssm:eu-west-1:123456789012:parameter/a":                    false,
		"arn:aws:secretsmanager::123456789012:secret:a":                     false,
		"app": false, "": false,
	}
	for arn, want := range rows {
		if got := CheckARN(arn); got != want {
			t.Errorf("CheckARN(%q) = %t, want %t", arn, got, want)
		}
	}
}

func TestOneFetchServesAllCallers(t *testing.T) {
	var manager secretsmanager.Server
	bag := open(t, &manager, manager.Put("app", "one"), "x")
	var wait sync.WaitGroup
	for range 50 {
		wait.Go(func() {
			if secret, err := bag.Secret(t.Context()); err != nil || secret.Reveal() != "one" {
				t.Errorf("error %v", err)
			}
		})
	}
	wait.Wait()
	if got := manager.Calls(); got != 1 {
		t.Errorf("%d calls, want 1", got)
	}
}
