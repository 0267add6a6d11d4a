package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
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

	containers *containers
	pools      map[string]*pool // in MiniStack, by the name of the stack
	local      *pool            // in cognito-local
	jane       *user            // of the pool in cognito-local
}

// newEnvironment also changes the variables of this process: programs of make e2e-deps come
// first in PATH, and nothing leads to a real AWS account.
func newEnvironment() (*environment, error) {
	root, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat("template.yaml"); err != nil {
		return nil, errors.New("there is no template.yaml here: use make e2e")
	}
	path := []string{filepath.Join(root, home, "python/bin"), filepath.Join(root, home, "node/node_modules/.bin"), os.Getenv("PATH")}
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is valid
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); strings.HasPrefix(name, "AWS_") {
			os.Unsetenv(name)
		}
	}
	for name, value := range map[string]string{
		"PATH":              strings.Join(append(path, debian...), ":"),
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": region, "AWS_DEFAULT_REGION": region,
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
		"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost",
		"SAM_CLI_TELEMETRY": "0", "PYTHONUNBUFFERED": "1",
	} {
		os.Setenv(name, value)
	}
	var missing []string
	for _, program := range []string{"sam", "ministack", "moto_server", "cognito-local", "node", "initdb", "postgres"} {
		if _, err := exec.LookPath(program); err != nil {
			missing = append(missing, program)
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("not installed: %s. make e2e-deps installs them or says how", strings.Join(missing, ", "))
	}

	e := &environment{pools: make(map[string]*pool), logs: filepath.Join(root, home, "logs")}
	if err := errors.Join(os.RemoveAll(e.logs), os.MkdirAll(e.logs, 0o755)); err != nil {
		return nil, err
	}
	if e.dir, err = os.MkdirTemp("", "hasura-cognito-e2e-"); err != nil {
		return nil, err
	}
	e.atEnd(func() error { return os.RemoveAll(e.dir) })
	err = os.Mkdir(filepath.Join(e.dir, "functions"), 0o755)
	for _, name := range functions.All() {
		err = errors.Join(err, os.Symlink(filepath.Join(root, ".aws-sam/build", functions.LogicalID(name)), filepath.Join(e.dir, "functions", name)))
	}
	return e, err
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

func tail(text string, lines int) string {
	all := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// command prepares a program. At the end of ctx the program and its children are told to
// end, and 20 s later the program is killed.
func command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = os.Environ()
	cmd.WaitDelay = 20 * time.Second
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches this command alone
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	return cmd
}

// output runs a command and returns its standard output.
func output(cmd *exec.Cmd) string {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		fail("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(string(out)+"\n"+stderr.String(), 30))
	}
	return string(out)
}

// A server is a program that runs until the end of the run.
type server struct {
	name  string // of its log file
	args  []string
	env   []string // added to the variables of this process
	dir   string
	ready func(context.Context) error // an error means: not yet
}

// start starts a server, waits until it is ready and returns the path of its log.
func (e *environment) start(ctx context.Context, s server) (log string) {
	log = filepath.Join(e.logs, s.name+".log")
	file := must(os.Create(log))
	defer file.Close()
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	cmd := command(life, s.args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr = append(cmd.Env, s.env...), s.dir, file, file
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends its children itself
	if err := cmd.Start(); err != nil {
		end()
		check(err)
	}
	ended := make(chan error, 1)
	waiting, stopWaiting := context.WithCancelCause(ctx)
	go func() {
		err := cmd.Wait()
		stopWaiting(fmt.Errorf("%s ended: %w", s.name, err))
		ended <- err
	}()
	e.atEnd(func() error {
		defer end()
		select {
		case err := <-ended:
			return fmt.Errorf("%s ended before the end of the run: %w. Its log is %s", s.name, err, log)
		default:
		}
		end()
		<-ended
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // children that are left; usually none
		if cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL {
			return fmt.Errorf("%s had to be killed. Its log is %s", s.name, log)
		}
		return nil
	})
	bounded, cancel := context.WithTimeout(waiting, time.Minute)
	defer cancel()
	if err := poll(bounded, func() error { return s.ready(bounded) }); err != nil {
		fail("%s is not ready: %w. Its log is %s", s.name, err, log)
	}
	return log
}

// answers is ready when the URL gives any response.
func answers(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return err
		}
		return resp.Body.Close()
	}
}

// freePort returns a port of loopback that is free now.
func freePort() string {
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return must(port, err)
}

// serve serves h until the end of the run. It returns the URL if l is a TCP listener.
func (e *environment) serve(l net.Listener, h http.Handler) (url string) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }() // returns ErrServerClosed at the end
	e.atEnd(s.Close)
	return "http://" + l.Addr().String()
}
