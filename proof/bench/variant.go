//go:build linux

package main

import (
	"archive/zip"
	"compress/flate"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A variant is a program that is measured beside the others.
type variant struct {
	name  string
	pkg   string // that it is built from; "" for those in Node
	path  string // what Lambda would start
	event []byte
	syncs bool // it calls the far sides
	env   map[string]string
	size  int64 // of the program, in bytes; 0 where it is not alone in its package
	zip   int64
}

// The names by which the goals know the variants.
const (
	echo       = "echo, as it comes"
	echoOne    = "echo, GOMAXPROCS=1"
	shaper     = "claim shaper"
	ours       = "sync"
	noSDK      = "sync without an SDK"
	naive      = "sync, naive"
	nodeShaper = "claim shaper, Node"
	nodeSync   = "sync, Node"
)

// build compiles the variants into dir. What is needed for those in Node is not
// everywhere, so note says why they are missing, if they are.
func build(root, dir string, a authority, overlay, bundle, each string) (all []variant, note string, err error) {
	few := filepath.Join(dir, "few.pem") // the deployed roots and the bench's
	if err := copyFile(few, filepath.Join(dir, "roots.pem")); err != nil {
		return nil, "", err
	}
	token, err := os.ReadFile(filepath.Join(root, "events/pre-token-generation-v2-authentication.json"))
	if err != nil {
		return nil, "", err
	}
	signIn, err := os.ReadFile(filepath.Join(root, "events/post-authentication.json"))
	if err != nil {
		return nil, "", err
	}
	deployed := map[string]string{"GOMAXPROCS": "1", "SSL_CERT_FILE": bundle, "SSL_CERT_DIR": "/nonexistent"}
	withRoots := maps.Clone(deployed)
	withRoots["BENCH_ROOTS"] = few
	asItComes := map[string]string{"SSL_CERT_FILE": bundle, "SSL_CERT_DIR": each}
	all = []variant{
		{name: echo, pkg: "proof/bench/variants/echo", event: token},
		{name: echoOne, pkg: "proof/bench/variants/echo", event: token, env: map[string]string{"GOMAXPROCS": "1"}},
		{name: shaper, pkg: "functions/" + stack.Trigger, event: token, env: map[string]string{"GOMAXPROCS": "1"}},
		{name: ours, pkg: "functions/" + stack.SyncUsers, event: signIn, syncs: true, env: deployed},
		{name: noSDK, pkg: "proof/bench/variants/nosdk", event: signIn, syncs: true, env: withRoots},
		{name: naive, pkg: "proof/bench/variants/naive", event: signIn, syncs: true, env: asItComes},
	}
	for i := range all {
		v := &all[i]
		v.path = filepath.Join(dir, filepath.Base(v.pkg), "bootstrap")
		if v.name == naive {
			cmd := exec.Command("go", "build", "-o", v.path, "./"+v.pkg)
			cmd.Dir = root
			if out, err := cmd.CombinedOutput(); err != nil {
				return nil, "", fmt.Errorf("build %s: %w\n%s", v.pkg, err, out)
			}
		} else if err := stack.Build(root, v.pkg, v.path, overlay); err != nil {
			return nil, "", err
		}
		if v.size, v.zip, err = sizes(v.path); err != nil {
			return nil, "", err
		}
	}
	node, err := inNode(root, filepath.Join(dir, "node"), a, signIn)
	if err != nil {
		return all, "The variants in Node are left out: " + err.Error(), nil
	}
	return append(all, node...), "", nil
}

// matching returns the variants whose names have a match of a regular expression.
func matching(all []variant, pattern string) ([]variant, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	some := slices.DeleteFunc(slices.Clone(all), func(v variant) bool { return !re.MatchString(v.name) })
	if len(some) == 0 {
		return nil, fmt.Errorf("-only %q matches no variant", pattern)
	}
	return some, nil
}

// named returns the variants of one name: one, or none where it was left out.
func named(all []variant, name string) []variant {
	return slices.DeleteFunc(slices.Clone(all), func(v variant) bool { return v.name != name })
}

// inNode installs the runtime interface client and the SDK, and bundles the handlers
// with esbuild, as deployed ones are.
func inNode(root, dir string, a authority, signIn []byte) ([]variant, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, fmt.Errorf("there is no node here")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, name := range []string{"package.json", "trigger.mjs", "sync.mjs"} {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(root, "proof/bench/variants/node", name)); err != nil {
			return nil, err
		}
	}
	client := filepath.Join(dir, "node_modules/aws-lambda-ric")
	if _, err := os.Stat(filepath.Join(client, "dist/rapid-client.node")); err != nil {
		if err := command(dir, "npm", "install", "--no-audit", "--no-fund"); err != nil {
			return nil, err
		}
	}
	extra := filepath.Join(dir, "root.pem")
	if err := os.WriteFile(extra, a.root, 0o644); err != nil {
		return nil, err
	}
	token, err := os.ReadFile(filepath.Join(root, "events/pre-token-generation-v1-authentication.json"))
	if err != nil {
		return nil, err
	}
	all := []variant{
		{name: nodeShaper, path: "trigger", event: token},
		{name: nodeSync, path: "sync", event: signIn, syncs: true, env: map[string]string{"NODE_EXTRA_CA_CERTS": extra}},
	}
	for i := range all {
		v := &all[i]
		bundled := filepath.Join(dir, v.path)
		if err := command(dir, "node_modules/.bin/esbuild", v.path+".mjs", "--bundle", "--minify", "--platform=node",
			"--target=node20", "--format=cjs", "--outfile="+filepath.Join(bundled, "index.js")); err != nil {
			return nil, err
		}
		if err := os.WriteFile(filepath.Join(bundled, "package.json"), []byte(`{"type":"commonjs"}`), 0o644); err != nil {
			return nil, err
		}
		if _, v.zip, err = sizes(filepath.Join(bundled, "index.js")); err != nil {
			return nil, err
		}
		v.path = filepath.Join(bundled, "bootstrap")
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' '%s/bin/index.mjs' index.handler\n", node, client)
		if err := os.WriteFile(v.path, []byte(script), 0o755); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func command(dir, name string, args ...string) error {
	if strings.Contains(name, "/") {
		name = filepath.Join(dir, name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(name), err, out)
	}
	return nil
}

// sizes are those of a file, as it is and in a zip.
func sizes(path string) (size, zipped int64, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	var count counter
	w := zip.NewWriter(&count)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	entry, err := w.Create(filepath.Base(path))
	if err != nil {
		return 0, 0, err
	}
	if _, err := entry.Write(data); err != nil {
		return 0, 0, err
	}
	if err := w.Close(); err != nil {
		return 0, 0, err
	}
	return int64(len(data)), int64(count), nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

func copyFile(to, from string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
