package binaries_test

import (
	"encoding/json"
	"encoding/pem"
	"errors"
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
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// 1,000 warm calls read no secret, open no connection and start no thread. A cold start reads
// no certificate file, or the bundle of CA certificates once if Hasura is called over TLS.
func TestWarmCallsAreFrugal(t *testing.T) {
	for name, certificateFiles := range map[string]int{"http": 0, "https": 1} {
		t.Run(name, func(t *testing.T) { testFrugal(t, name == "https", certificateFiles) })
	}
}

func testFrugal(t *testing.T, encrypted bool, certificateFiles int) {
	var connections atomic.Int32
	hasura := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.WriteString(w, written)
		}
	}))
	hasura.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	if encrypted {
		hasura.StartTLS()
	} else {
		hasura.Start()
	}
	defer hasura.Close()
	manager := new(secretsmanager.Server)
	arn := manager.Put("app", `{"HASURA_GRAPHQL_ADMIN_SECRET":"`+canary+`"}`)
	aws := httptest.NewTLSServer(manager) // with the same certificate
	defer aws.Close()

	dir := t.TempDir()
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: aws.Certificate().Raw})
	bundle := filepath.Join(dir, "bundle.pem")
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

	e, err := lambda.Start(lambda.Function{Name: functions.Sync, Path: trusting(t, certificate), Timeout: 5 * time.Second, Env: map[string]string{
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
	if err != nil && !errors.Is(err, syscall.EAGAIN) { // which means that there is no event
		t.Fatal(err)
	}
	if got := strings.Count(string(events[:max(n, 0)]), ".pem"); got != certificateFiles {
		t.Errorf("%d certificate files were opened at the start, want %d", got, certificateFiles)
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

// trusting returns a sync function that takes a certificate for one of Amazon's roots.
func trusting(t *testing.T, certificate []byte) (path string) {
	t.Helper()
	embedded, err := filepath.Abs("../../pkg/awsroots/roots.pem")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := os.ReadFile(embedded)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	more := filepath.Join(dir, "roots.pem")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{embedded: more}})
	if err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{more: append(roots, certificate...), filepath.Join(dir, "overlay.json"): overlay} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	path = filepath.Join(dir, "bootstrap")
	if err := stack.Build("../..", "functions/"+functions.Sync, path, "-overlay="+filepath.Join(dir, "overlay.json")); err != nil {
		t.Fatal(err)
	}
	return path
}
