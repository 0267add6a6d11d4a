package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/proof/postgres"
)

// home is the folder that make e2e-deps installs into. It is below .aws-sam because sam
// build copies the whole repository except .aws-sam.
const home = ".aws-sam/e2e"

const region = "us-east-1"

// An environment is everything that a run has started.
type environment struct {
	dir      string // temporary
	logs     string
	cleanups []func() error

	postgres  string // URL of the server, without a database
	databases int
	moto      string // URL
	ministack string // URL
	anyPool   string // ID of a pool in MiniStack

	commandLine string // path of the built hasura-cognito

	containers *containers
	pools      map[string]*pool // in MiniStack, by the name of the stack
	local      *pool            // in cognito-local
	jane       *user            // of the pool in cognito-local
}

// newEnvironment also changes the variables of this process: programs of make e2e-deps come
// first in PATH, and nothing leads to a real AWS account.
func newEnvironment() *environment {
	root := must(os.Getwd())
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	path := []string{filepath.Join(root, home, "python/bin"), filepath.Join(root, home, "node/node_modules/.bin"), postgres.Path()}
	for name, value := range map[string]string{
		"PATH":              strings.Join(path, ":"),
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
		"SAM_CLI_TELEMETRY": "0", "PYTHONUNBUFFERED": "1",
	} {
		check(os.Setenv(name, value))
	}
	for _, program := range []string{"sam", "ministack", "moto_server", "cognito-local", "node", "initdb", "postgres"} {
		if _, err := exec.LookPath(program); err != nil {
			fail("%w. make e2e-deps installs it or says how", err)
		}
	}

	e := &environment{pools: make(map[string]*pool), logs: filepath.Join(root, home, "logs")}
	check(os.RemoveAll(e.logs))
	check(os.MkdirAll(e.logs, 0o755))
	e.dir = must(os.MkdirTemp("", "hasura-cognito-e2e-"))
	e.atEnd(func() error { return os.RemoveAll(e.dir) })
	check(os.Mkdir(filepath.Join(e.dir, "functions"), 0o755))
	for _, name := range functions.All() {
		check(os.Symlink(filepath.Join(root, ".aws-sam/build", functions.LogicalID(name)), filepath.Join(e.dir, "functions", name)))
	}
	return e
}

// atEnd registers a cleanup. close runs the last one first.
func (e *environment) atEnd(cleanup func() error) { e.cleanups = append(e.cleanups, cleanup) }

func (e *environment) close() error {
	var errs []error
	for _, cleanup := range slices.Backward(e.cleanups) {
		errs = append(errs, cleanup())
	}
	return errors.Join(errs...)
}

// lastLines returns the end of every server's log.
func (e *environment) lastLines() string {
	var b strings.Builder
	paths, _ := filepath.Glob(filepath.Join(e.logs, "*")) // the pattern is valid
	for _, path := range paths {
		if text, err := os.ReadFile(path); err == nil && len(text) > 0 {
			fmt.Fprintf(&b, "==== %s\n%s\n", path, tail(string(text), 3))
		}
	}
	if e.local != nil {
		fmt.Fprintf(&b, "==== functions of cognito-local\n%s\n", tail(e.local.log(), 3))
	}
	return b.String()
}
