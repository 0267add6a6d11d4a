package binaries_test

import (
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

var update = flag.Bool("update", false, "record what the built functions are made of")

// made is what testdata/made.json has of each function.
type made struct {
	Packages int // that are linked, the standard library's included
	Bytes    int // of the binary
}

// Whatever makes a binary larger makes every cold start slower. What grew on purpose
// is recorded anew by make record. Sizes are those of amd64 and of the Go that go.mod pins.
// Another patch release of Go changes them by about a thousandth.
func TestWhatTheBinariesAreMadeOf(t *testing.T) {
	const path = "testdata/made.json"
	got := make(map[string]made)
	for _, name := range []string{stack.Trigger, stack.SyncUsers, "hasura-cognito-replay-syncs"} {
		list := exec.Command("go", "list", "-deps", "-tags", stack.Tags, "../../functions/"+name)
		list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
		out, err := list.Output()
		if err != nil {
			t.Fatalf("list what %s links: %v", name, err)
		}
		packages := strings.Fields(string(out))
		for _, pkg := range packages {
			if unwanted[pkg] != "" {
				t.Errorf("%s links %s: %s", name, pkg, unwanted[pkg])
			}
		}
		binary := filepath.Join(t.TempDir(), "bootstrap")
		build := exec.Command("make", "-s", "-C", "../../arch/x86_64", "-f", "../../Makefile", "ARTIFACTS_DIR="+filepath.Dir(binary), "build-"+logical[name])
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
		info, err := os.Stat(binary)
		if err != nil {
			t.Fatal(err)
		}
		got[name] = made{Packages: len(packages), Bytes: int(info.Size())}
	}

	type record struct {
		Go        string
		Functions map[string]made
	}
	if *update {
		data, err := json.MarshalIndent(record{runtime.Version(), got}, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want record
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	for name, want := range want.Functions {
		if got := got[name]; got.Packages > want.Packages || got.Bytes*100 > want.Bytes*103 {
			t.Errorf("%s has %d packages and %d bytes by %s, want at most %d and 3 %% over %d; if that is meant: make record",
				name, got.Packages, got.Bytes, runtime.Version(), want.Packages, want.Bytes)
		}
	}
}

var logical = map[string]string{
	stack.Trigger:                 "HasuraCognitoTrigger",
	stack.SyncUsers:               "HasuraCognitoSyncUsers",
	"hasura-cognito-replay-syncs": "HasuraCognitoReplaySyncs",
}

// unwanted are packages that no function may link, and why.
var unwanted = map[string]string{
	"net/rpc":                             "calls methods by name, so that the linker can leave none out",
	"text/template":                       "calls methods by name, so that the linker can leave none out",
	"html/template":                       "calls methods by name, so that the linker can leave none out",
	"vendor/golang.org/x/net/http2/hpack": "is of HTTP/2, which nothing here speaks",
	"github.com/aws/aws-sdk-go-v2/service/sqs": "costs every cold start its set-up for what hardly any needs",
}

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

	e, _ := start(t, stack.SyncUsers, map[string]string{
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
