//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A lever is one thing that could be built or set otherwise than it is.
type lever struct {
	name    string
	of      string            // the variant that it is of; "" is each function
	flags   []string          // of go build, behind those of the Makefile
	toolset map[string]string // variables of go build
	env     map[string]string // variables of the process; "" unsets one
	after   func(path string) error
}

// asDeployed is measured beside them.
const asDeployed = "as deployed"

func allLevers(profile string) []lever {
	levers := []lever{
		{name: asDeployed},
		{name: "with HTTP/2", flags: []string{"-tags=lambda.norpc"}},
		{name: "with net/rpc", flags: []string{"-tags=nethttpomithttp2"}},
		{name: "with symbols", flags: []string{"-ldflags=-buildid="}},
		{name: "GOMAXPROCS as it comes", env: map[string]string{"GOMAXPROCS": ""}},
		{name: "PGO", flags: []string{"-pgo=" + profile}},
		{name: "GOEXPERIMENT=jsonv2", toolset: map[string]string{"GOEXPERIMENT": "jsonv2"}},
		{name: "GOGC=off", env: map[string]string{"GOGC": "off"}},
		{name: "GODEBUG=tlsmlkem=0", of: ours, env: map[string]string{"GODEBUG": "tlsmlkem=0"}},
		{name: "none", of: noSDK},
		{name: "the client alone", of: noSDK, flags: []string{"-tags=" + stack.Tags + ",client"}},
		{name: "the client and config", of: noSDK, flags: []string{"-tags=" + stack.Tags + ",client,config"}},
	}
	if runtime.GOARCH == "amd64" {
		levers = append(levers, lever{name: "GOAMD64=v3", toolset: map[string]string{"GOAMD64": "v3"}})
	}
	if upx, err := exec.LookPath("upx"); err == nil {
		levers = append(levers, lever{name: "UPX", after: func(path string) error { return command(filepath.Dir(path), upx, "-q", path) }})
	}
	return levers
}

// on builds a variant with the lever pulled.
func (l lever) on(b bench, v variant) (variant, error) {
	name := strings.NewReplacer("/", "", " ", "-", "=", "-").Replace(v.name + " " + l.name)
	v.path = filepath.Join(b.dir, "levers", name, "bootstrap")
	v.name = v.name + ", " + l.name
	for key, value := range l.toolset {
		if err := os.Setenv(key, value); err != nil {
			return v, err
		}
		defer os.Unsetenv(key)
	}
	err := stack.Build(b.root, v.pkg, v.path, append([]string{b.overlay}, l.flags...)...)
	if err == nil && l.after != nil {
		err = l.after(v.path)
	}
	if err != nil {
		return v, err
	}
	v.env = maps.Clone(v.env)
	maps.Copy(v.env, l.env)
	maps.DeleteFunc(v.env, func(_, value string) bool { return value == "" })
	v.size, v.zip, err = sizes(v.path)
	return v, err
}

// levers prints what each does to the functions, and to the sync without an SDK what
// the SDK does.
func (b bench) levers(ctx context.Context, out io.Writer, s *sides) error {
	profile := filepath.Join(b.dir, "pgo.pprof")
	test := exec.Command("go", "test", "./pkg/claims", "-run=^$", "-bench=Shape", "-cpuprofile="+profile, "-o="+filepath.Join(b.dir, "pgo.test"))
	test.Dir = b.root
	if text, err := test.CombinedOutput(); err != nil {
		return fmt.Errorf("make a profile for PGO: %w\n%s", err, text)
	}
	var all []variant
	beside := make(map[string]string) // the name that a variant is compared with
	for _, program := range []string{shaper, ours, noSDK} {
		for _, v := range named(b.variants, program) {
			first := ""
			for _, l := range allLevers(profile) {
				if l.of != program && (l.of != "" || program == noSDK) {
					continue
				}
				pulled, err := l.on(b, v)
				if err != nil {
					return err
				}
				if first == "" {
					first = pulled.name
				}
				beside[pulled.name] = first
				all = append(all, pulled)
			}
		}
	}
	samples, err := measure(ctx, all, s, b.watch, b.rounds, b.warm)
	if err != nil {
		return err
	}
	fmt.Fprintln(out)
	t := newTable(out, "lever", "on-CPU ms to the first answer", "over the first, by round [quartiles]",
		"on-CPU µs of a warm call", "over the first, by round [quartiles]", "peak MB", "file MB", "zip MB")
	for _, v := range all {
		mine, other := samples[v.name], samples[beside[v.name]]
		_, start, _ := quartiles(mine, cpu)
		_, call, _ := quartiles(mine, busy)
		_, most, _ := quartiles(mine, memory)
		t.row(v.name, f2(start), shown(paired(mine, other, cpu)), fmt.Sprintf("%.0f", call), shown(paired(mine, other, busy)),
			fmt.Sprintf("%.1f", most), f2(float64(v.size)/mebi), f2(float64(v.zip)/mebi))
	}
	return t.flush()
}
