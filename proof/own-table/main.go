// Command own-table proves docs/own-table.md: it makes the changes of each example in testdata/ to a copy of the
// repository, generates, tests and runs the copy on SQLite and PostgreSQL, and looks at the rows.
//
//	make e2e-own-table               every example
//	make e2e-own-table EXAMPLES=a,b  some of them; PACKAGES=./local/... runs fewer tests, without the race detector
//
// The copies and the output of the commands stay in .build/own-table. The exit code is 0 if everything is as expected.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/phenom-earth/hasura-cognito/proof/postgres"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, strings.Split(os.Getenv("EXAMPLES"), ","), os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run expects the root of the repository as working directory.
func run(ctx context.Context, chosen []string, stdout io.Writer) (err error) {
	folder, err := filepath.Abs(".build/own-table")
	if err != nil {
		return err
	}
	if err := errors.Join(os.RemoveAll(folder), os.MkdirAll(folder, 0o755)); err != nil {
		return err
	}
	server, end, err := startPostgres(ctx, filepath.Join(folder, "postgresql.log"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	tests := []string{"make", "test"}
	if packages := strings.Fields(os.Getenv("PACKAGES")); len(packages) > 0 {
		tests = append([]string{"go", "test"}, packages...)
	}
	for _, e := range examples {
		if chosen[0] != "" && !slices.Contains(chosen, e.name) {
			continue
		}
		began := time.Now()
		p := proof{e, filepath.Join(folder, e.name), server}
		fmt.Fprintf(stdout, "%s: %s\n", e.name, e.table)
		for _, step := range []struct {
			name string
			do   func(context.Context) error
		}{
			{"copy and change", p.change},
			{"make generate", p.command("generate", "make", "generate")},
			{"tests", p.command("test", tests...)},
			{"make run on SQLite", p.command("run", append([]string{"make", "run"}, e.settings...)...)},
			{"make run on PostgreSQL", p.runOnPostgres},
			{"rows", p.checkRows},
		} {
			at := time.Now()
			if err := step.do(ctx); err != nil {
				return fmt.Errorf("%s: %s: %w", e.name, step.name, err)
			}
			fmt.Fprintf(stdout, "  ok  %-24s %4.0f s\n", step.name, time.Since(at).Seconds())
		}
		fmt.Fprintf(stdout, "  ok  %-24s %4.0f s\n", "all", time.Since(began).Seconds())
	}
	return nil
}

// A proof is that of one example.
type proof struct {
	example
	copy   string // the folder of the copy
	server string // URL of PostgreSQL, which ends with a slash
}

// change copies the repository's files and makes the changes of the example.
func (p proof) change(ctx context.Context) error {
	list, err := exec.CommandContext(ctx, "git", "ls-files", "--cached", "--others", "--exclude-standard").Output()
	if err != nil {
		return fmt.Errorf("list the files of the repository: %w", err)
	}
	for file := range strings.Lines(string(list)) {
		if err := copyFile(strings.TrimSpace(file), filepath.Join(p.copy, strings.TrimSpace(file))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	for _, name := range p.removes {
		if err := os.RemoveAll(filepath.Join(p.copy, name)); err != nil {
			return err
		}
	}
	own := filepath.Join("proof/own-table/testdata", p.name)
	return filepath.WalkDir(own, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return copyFile(path, filepath.Join(p.copy, strings.TrimPrefix(path, own)))
	})
}

func copyFile(from, to string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, info.Mode().Perm())
}

// command runs a command in the copy. Its output goes to a log; the error has its end.
func (p proof) command(log string, args ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
		cmd.WaitDelay = 20 * time.Second
		// Without the variables of the outer make: make run refuses what is not a setting.
		cmd.Dir, cmd.Env = p.copy, append(os.Environ(), "MAKEFLAGS=", "MFLAGS=", "MAKEOVERRIDES=", "PACKAGES=", "EXAMPLES=")
		out, err := cmd.CombinedOutput()
		name := p.copy + "-" + log + ".log"
		if err := os.WriteFile(name, out, 0o600); err != nil {
			return err
		}
		if err != nil {
			lines := strings.Split(strings.TrimSpace(string(out)), "\n")
			return fmt.Errorf("%s: %w. The end of %s:\n%s", strings.Join(args, " "), err, name, strings.Join(lines[max(0, len(lines)-60):], "\n"))
		}
		return nil
	}
}

func (p proof) database() string { return "own_table_" + p.name }

// runOnPostgres sends one event, changes rows as the application does, and sends every event with further attributes.
func (p proof) runOnPostgres(ctx context.Context) error {
	if _, err := p.query(ctx, "postgres", "CREATE DATABASE "+p.database()); err != nil {
		return err
	}
	events, err := p.events()
	if err != nil {
		return err
	}
	send := func(log, events string) error {
		return p.command(log, append([]string{"make", "run", "EVENT=" + events, "DATABASE_URL=" + p.server + p.database()}, p.settings...)...)(ctx)
	}
	if err := send("run-first", filepath.Join(events, "post-authentication.json")); err != nil {
		return err
	}
	if _, err := p.query(ctx, p.database(), p.application); err != nil {
		return err
	}
	return send("run-postgresql", events)
}

// events writes the recorded events with attributes that the examples have columns for, and returns their folder. Every
// second user has a legacy id.
func (p proof) events() (folder string, err error) {
	paths, err := filepath.Glob("events/*.json")
	if err != nil {
		return "", err
	}
	folder = p.copy + "-events"
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		var event map[string]any
		if json.Unmarshal(text, &event) == nil {
			request, _ := event["request"].(map[string]any)
			attributes, _ := request["userAttributes"].(map[string]any)
			if sub, _ := attributes["sub"].(string); len(sub) == 36 {
				attributes["nickname"], attributes["zoneinfo"] = "Nick", "Europe/Berlin"
				attributes["custom:org_id"] = tenant
				attributes["custom:tenant_id"] = map[bool]string{true: tenant, false: "acme"}[sub[0] < '8']
				attributes["birthdate"] = "1990-12-31"
				if sub[1]%2 == 1 {
					attributes["custom:legacy_uid"] = "legacy-" + sub[:8]
				}
				if text, err = json.Marshal(event); err != nil {
					return "", err
				}
			}
		}
		if err := os.WriteFile(filepath.Join(folder, filepath.Base(path)), text, 0o600); err != nil {
			return "", err
		}
	}
	return folder, nil
}

// checkRows compares the results of queries.
func (p proof) checkRows(ctx context.Context) error {
	var errs []error
	for _, row := range p.rows {
		got, err := p.query(ctx, p.database(), row.query)
		if err == nil && got != row.want {
			err = fmt.Errorf("got %s, want %s", got, row.want)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", row.query, err))
		}
	}
	return errors.Join(errs...)
}

// query runs a statement and returns its rows, with their values separated by a space and a comma after each row but the
// last.
func (p proof) query(ctx context.Context, database, statement string) (string, error) {
	conn, err := pgx.Connect(ctx, p.server+database)
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, statement)
	if err != nil {
		return "", err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		values, err := row.Values()
		return strings.Trim(fmt.Sprint(values), "[]"), err
	})
	return strings.Join(all, ", "), err
}

// startPostgres starts a server. end ends it.
func startPostgres(ctx context.Context, log string) (url string, end func() error, err error) {
	data, err := os.MkdirTemp("", "own-table-")
	if err != nil {
		return "", nil, err
	}
	if err := os.RemoveAll(data); err != nil { // PostgreSQL's user creates it
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	args, env, url := postgres.Server(data, port)
	file, err := os.Create(log)
	if err != nil {
		return "", nil, err
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches this command alone
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = os.TempDir(), append(append(os.Environ(), "PATH="+postgres.Path()), env...), file, file
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	end = func() error {
		// SIGINT ends PostgreSQL without waiting for clients.
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
		return errors.Join(file.Close(), os.RemoveAll(data))
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		conn, err := pgx.Connect(ctx, url+"postgres")
		if err == nil {
			return url, end, conn.Close(ctx)
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return "", nil, errors.Join(fmt.Errorf("PostgreSQL does not start: %w. See %s", err, log), end())
		}
	}
}
