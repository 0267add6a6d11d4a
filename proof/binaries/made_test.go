package binaries_test

import (
	"debug/buildinfo"
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/functions"
)

var update = flag.Bool("update", false, "record the packages and sizes of the built functions")

// made is what a binary consists of.
type made struct {
	Packages int // linked packages, those of the standard library included
	Bytes    int
}

// A larger binary makes every cold start slower. After intended growth, make record writes
// the new numbers. They hold for amd64 and the Go version that go.mod pins. Another patch
// release of Go changes the sizes by about a thousandth.
func TestBinariesDoNotGrow(t *testing.T) {
	const path = "testdata/made.json"
	got := make(map[string]made)
	for _, name := range slices.Concat(functions.All(), functions.Optional()) {
		binary := filepath.Join(t.TempDir(), "bootstrap")
		build := exec.Command("make", "-s", "-C", "../../arch/x86_64", "-f", "../../Makefile", "ARTIFACTS_DIR="+filepath.Dir(binary), "build-"+functions.LogicalID(name))
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
		info, err := os.Stat(binary)
		if err != nil {
			t.Fatal(err)
		}
		packages := linked(t, binary)
		got[name] = made{Packages: len(packages), Bytes: int(info.Size())}
		for _, pkg := range packages {
			if why := unwanted[pkg]; why != "" {
				t.Errorf("%s links %s, which %s", name, pkg, why)
			}
			if pkg == sdkSQS && !slices.Contains(functions.Optional(), name) {
				t.Errorf("%s links %s, which adds 0.35 ms to each cold start (docs/design.md)", name, pkg)
			}
			if name == functions.Claims && !ofClaims(pkg) {
				t.Errorf("%s links %s. It calls nothing, so it needs no SDK and no client", name, pkg)
			}
		}
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
	for name, got := range got {
		if want := want.Functions[name]; got.Packages > want.Packages || got.Bytes*100 > want.Bytes*103 {
			t.Errorf("%s has %d packages and %d bytes with %s, want at most %d packages and %d bytes plus 3 %%. If the growth is intended: make record",
				name, got.Packages, got.Bytes, runtime.Version(), want.Packages, want.Bytes)
		}
	}
}

// linked lists the packages of a built function. It reads from the binary which package
// and tags it was built with.
func linked(t *testing.T, binary string) []string {
	t.Helper()
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	setting := func(key string) string {
		for _, s := range info.Settings {
			if s.Key == key {
				return s.Value
			}
		}
		t.Fatalf("the binary does not name the setting %s that it was built with", key)
		return ""
	}
	list := exec.Command("go", "list", "-deps", "-tags", setting("-tags"), info.Path)
	for _, key := range []string{"CGO_ENABLED", "GOOS", "GOARCH"} {
		list.Env = append(list.Environ(), key+"="+setting(key))
	}
	out, err := list.Output()
	if err != nil {
		t.Fatalf("list the packages of %s: %v", info.Path, err)
	}
	return strings.Fields(string(out))
}

// unwanted are packages that no function may link, and why.
var unwanted = map[string]string{
	"net/rpc":                             "calls methods by name, so that the linker must keep all methods",
	"text/template":                       "calls methods by name, so that the linker must keep all methods",
	"html/template":                       "calls methods by name, so that the linker must keep all methods",
	"vendor/golang.org/x/net/http2/hpack": "is part of HTTP/2, which no function uses",
}

// sdkSQS may be linked only by functions for which nobody waits.
const sdkSQS = "github.com/aws/aws-sdk-go-v2/service/sqs"

// ofClaims reports whether the claims function may link a package: the standard library,
// the Lambda runtime client and this module's packages without I/O.
func ofClaims(pkg string) bool {
	const module = "github.com/phenom-earth/hasura-cognito/"
	first, _, _ := strings.Cut(pkg, "/")
	return !strings.Contains(first, ".") || strings.HasPrefix(pkg, "github.com/aws/aws-lambda-go/lambda") ||
		slices.Contains([]string{"functions/" + functions.Claims, "pkg/claims", "pkg/cognito", "pkg/logs", "pkg/settings"}, strings.TrimPrefix(pkg, module))
}
