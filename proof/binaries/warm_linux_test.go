package binaries_test

import (
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// 1,000 warm calls read no secret, open no connection and start no thread. A cold start reads
// the bundle of CA certificates once, and no other certificate file.
func TestWarmCallsAreFrugal(t *testing.T) {
	var connections atomic.Int32
	hasura := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, `{"data":{"row":{"__typename":"users"}}}`)
		}
	}))
	hasura.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	hasura.StartTLS()
	defer hasura.Close()
	manager := new(secretsmanager.Server)
	arn := manager.Put("app", `{"HASURA_GRAPHQL_ADMIN_SECRET":"`+canary+`"}`)
	aws := httptest.NewUnstartedServer(manager)
	aws.Config.ErrorLog = log.New(io.Discard, "", 0) // the handshake that fails against Amazon's roots
	aws.StartTLS()                                   // with the same certificate
	defer aws.Close()

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

	e, err := lambda.Start(lambda.Function{Name: functions.Sync, Path: filepath.Join(built, functions.Sync, "bootstrap"), Timeout: 5 * time.Second, Env: map[string]string{
		"SECRETS_ARN": arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.URL, "GRAPHQL_DOMAIN": hasura.URL,
		"GOMAXPROCS": "1", "SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/nonexistent", // as in template.yaml
		"GOCOVERDIR": os.Getenv("GOCOVERDIR"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	invoke := func() {
		t.Helper()
		if got, err := e.Invoke(t.Context(), []byte(signIn)); err != nil || got.FunctionError != "" {
			t.Fatalf("a call failed: %v %s", err, got.Payload)
		}
	}
	invoke()
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
		invoke()
	}
	last := count()
	// The Go runtime starts a thread for each one that is blocked in a system call.
	const fewThreads = 10
	if last.Threads > fewThreads {
		t.Errorf("%d threads after 1,000 calls, want at most %d", last.Threads, fewThreads)
	}
	last.Threads = first.Threads
	if diff := cmp.Diff(first, last); diff != "" {
		t.Errorf("1,000 warm calls (-before +after):\n%s", diff)
	}
}
