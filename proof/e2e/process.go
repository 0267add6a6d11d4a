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
	"syscall"
	"time"
)

// A process is a server that this command has started and will end.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string // file with what it prints
	done chan struct{}

	unready bool // ready has told of its failure
}

// start runs a server in a process group of its own, so that an interrupt at the
// keyboard reaches it through close and in order.
func (m *machine) start(name string, cmd *exec.Cmd) (*process, error) {
	p := &process{name: name, cmd: cmd, log: filepath.Join(m.logs, name+".log"), done: make(chan struct{})}
	file, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	cmd.SysProcAttr.Setpgid = true
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		_ = cmd.Wait() // how it ended is told by whoever waits for it
		close(p.done)
	}()
	m.atEnd(p.stop)
	return p, nil
}

// ready waits until the probe succeeds.
func (p *process) ready(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		err := probe(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			p.unready = true
			return fmt.Errorf("%s ended with %v; its log is %s", p.name, p.cmd.ProcessState, p.log)
		case <-ctx.Done():
			p.unready = true
			return fmt.Errorf("%s does not answer: %w; its log is %s", p.name, err, p.log)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// stop asks the process to end, and its group no longer asks after a while.
func (p *process) stop() error {
	select {
	case <-p.done:
		if p.unready {
			return nil
		}
		return fmt.Errorf("%s had ended before its time, with %v; its log is %s", p.name, p.cmd.ProcessState, p.log)
	default:
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may end this moment
	select {
	case <-p.done:
		return nil
	case <-time.After(20 * time.Second):
	}
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
	return fmt.Errorf("%s had to be killed; its log is %s", p.name, p.log)
}

// answers is a probe: any answer over HTTP will do.
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

// freePort is a port of loopback that nobody listened on a moment ago.
func freePort() (port string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err = net.SplitHostPort(l.Addr().String())
	return port, errors.Join(err, l.Close())
}
