package binaries_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// A thousand warm calls read no secret, open no connection and start no thread; and
// a cold start reads the bundle of certificates once, and nothing else of that kind.
func TestWarmCallsAreFrugal(t *testing.T) {
	var connections atomic.Int32
	hasura := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, written)
		}
	})
	hasura.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	hasura.StartTLS()
	manager := new(secretsmanager.Server)
	arn := manager.Put("app", `{"HASURA_GRAPHQL_ADMIN_SECRET":"`+canary+`"}`)
	aws := httptest.NewUnstartedServer(manager)
	aws.Config.ErrorLog = hasura.Config.ErrorLog
	aws.StartTLS() // with the same certificate
	t.Cleanup(aws.Close)

	dir := t.TempDir()
	bundle := filepath.Join(dir, "bundle.pem")
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hasura.Certificate().Raw})
	for _, path := range []string{bundle, filepath.Join(dir, "again.pem")} {
		if err := os.WriteFile(path, certificate, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	watch, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(watch)
	if _, err := syscall.InotifyAddWatch(watch, dir, syscall.IN_OPEN); err != nil {
		t.Fatal(err)
	}

	e, _ := start(t, functions.Sync, map[string]string{
		"SECRETS_ARN": arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.URL, "GRAPHQL_DOMAIN": hasura.URL,
		"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/nonexistent", // as in template.yaml
	})
	if got := invoke(t, e, signIn); got.FunctionError != "" {
		t.Fatalf("the first call: %s", got.Payload)
	}
	events := make([]byte, 4096)
	n, err := syscall.Read(watch, events)
	if err != nil {
		t.Fatalf("the bundle was not read: %v", err)
	}
	if got := strings.Count(string(events[:n]), ".pem"); got != 1 {
		t.Errorf("%d certificate files were opened at the start, want 1", got)
	}

	type counts struct{ Secrets, Connections, Threads int }
	count := func() counts {
		threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", e.PID()))
		if err != nil {
			t.Fatal(err)
		}
		return counts{manager.Calls(), int(connections.Load()), len(threads)}
	}
	first := count()
	if first.Secrets != 1 || first.Connections != 1 {
		t.Errorf("after one call: %+v, want 1 call to Secrets Manager and 1 connection to Hasura", first)
	}
	for range 1000 {
		if got := invoke(t, e, signIn); got.FunctionError != "" {
			t.Fatalf("a warm call: %s", got.Payload)
		}
	}
	last := count()
	// The runtime starts a thread for each that a system call holds up, one by one.
	const fewThreads = 10
	if last.Threads > fewThreads {
		t.Errorf("%d threads after 1,000 calls, want at most %d", last.Threads, fewThreads)
	}
	last.Threads = first.Threads
	if diff := cmp.Diff(first, last); diff != "" {
		t.Errorf("1,000 warm calls (-before +after):\n%s", diff)
	}
}
