package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

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
	check(cmd.Start())
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
	return func(context.Context) error {
		resp, err := (&http.Client{Timeout: 5 * time.Second}).Get(url)
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
