package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A machine is what a run has started and found out.
type machine struct {
	tools tools
	dir   string // for this run; removed at its end
	logs  string // kept
	ends  []func() error

	postgres  *postgresServer
	moto      string // URL, as the next
	ministack string
	yard      *yard
	site      *site
	v1, v2    *pool
	own       *pool // of the stack that made it
}

func newMachine() (*machine, error) {
	if _, err := os.Stat("template.yaml"); err != nil {
		return nil, errors.New("no template.yaml here: run this at the root of the repository, by make e2e")
	}
	t, err := findTools()
	if err != nil {
		return nil, err
	}
	logs, err := filepath.Abs(filepath.Join(home, "logs"))
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(logs), os.MkdirAll(logs, 0o755)); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "hasura-cognito-e2e-")
	if err != nil {
		return nil, err
	}
	m := &machine{tools: t, dir: dir, logs: logs}
	m.atEnd(func() error { return os.RemoveAll(dir) })
	// PostgreSQL runs as another user and has its data below.
	return m, os.Chmod(dir, 0o711)
}

// atEnd has something done by close; what came last is done first.
func (m *machine) atEnd(f func() error) { m.ends = append(m.ends, f) }

// close ends what was started.
func (m *machine) close() error {
	var errs []error
	for _, end := range slices.Backward(m.ends) {
		errs = append(errs, end())
	}
	m.ends = nil
	return errors.Join(errs...)
}

// command is a program with an environment that leads to no real account of AWS: once
// MiniStack runs, whoever asks AWS asks there, as sam local invoke does for the account.
func (m *machine) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "AWS_") {
			cmd.Env = append(cmd.Env, entry)
		}
	}
	cmd.Env = append(cmd.Env,
		"AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local", "AWS_DEFAULT_REGION="+region, "AWS_REGION="+region,
		"AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull, "AWS_EC2_METADATA_DISABLED=true",
		"NO_PROXY=127.0.0.1,localhost", "no_proxy=127.0.0.1,localhost",
		"SAM_CLI_TELEMETRY=0", "PYTHONUNBUFFERED=1")
	if m.ministack != "" {
		cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+m.ministack)
	}
	return cmd
}

// output runs a command to its end; of one that fails the error has the last it said.
func output(cmd *exec.Cmd) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err = cmd.Run(); err != nil {
		said := strings.TrimSpace(out.String() + "\n" + errs.String())
		err = fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, tail(said, 30))
	}
	return out.String(), errs.String(), err
}

func tail(text string, lines int) string {
	all := strings.Split(text, "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
