// Command local shows the functions at work on this machine. It sends recorded Cognito events to the built functions, as
// Lambda does, and prints what happens: the claims in the tokens, whether Hasura accepts the tokens, and the rows in the
// table users. Then users of several tenants and a machine get tokens, from a claims function with settings for them. A
// user signs in while Hasura is down. At the end reconcile and follow write users who do not sign in.
//
//	make run                                            every event in events/
//	make run EVENT=events/post-authentication.json      one event in detail, or a folder of events
//	make run ROLES=staff=editor CLAIMS_FORMAT=json      with settings of the functions
//
// It needs the built functions, which make run builds, and nothing else. Secrets Manager, SQS, Hasura and the user pool
// run inside it, on 127.0.0.1. The database is SQLite in memory, or PostgreSQL if DATABASE_URL is set.
//
// Each event has expected results, which depend on the event and the settings alone. The command exits with 1 if a result
// is not as expected, and with 2 if it cannot start.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/documents"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the command. Its working directory is the root of the repository.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (code int) {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(stderr)
	path := flags.String("event", "events", "file or folder of the events to send")
	built := flags.String("functions", ".build", "folder with <function>/bootstrap for each function")
	variables := flags.String("variables", "", "names of the variables that make was given; an unknown one is refused")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	wrong, err := send(ctx, options{*path, *built, strings.Fields(*variables)}, getenv, stdout)
	if ctx.Err() != nil {
		err = errors.New("interrupted")
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	if wrong {
		return 1
	}
	return 0
}

type options struct {
	event, built string
	variables    []string
}

// send sends the events and prints the results. wrong reports whether one is not as expected.
func send(ctx context.Context, o options, getenv func(string) string, stdout io.Writer) (wrong bool, err error) {
	chosen, err := readSettings(getenv, o.variables)
	if err != nil {
		return false, err
	}
	events, err := load(o.event)
	if err != nil {
		return false, err
	}
	for _, function := range append(functions.All(), functions.Optional()...) {
		if _, err := os.Stat(filepath.Join(o.built, function, "bootstrap")); err != nil {
			return false, fmt.Errorf("no built function: %w\n`make run` builds the functions and runs this", err)
		}
	}
	began := time.Now()
	s, err := start(ctx, o, chosen, getenv)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.TryTable(ctx); err != nil {
		return false, err
	}
	p := newPrinter(stdout)
	p.line("Rows are written to the table %s (%s).", s.Table(), s.Database.Name)
	if text := chosen.String(); text != "" {
		p.line("Settings: %s", text)
	}
	r := runner{s, chosen, make(map[string]bool)}
	rows, err := s.Users(ctx) // with PostgreSQL there can be rows of earlier runs
	if err != nil {
		return false, err
	}
	for _, row := range rows {
		r.known[row.ID()] = true
	}
	for _, e := range events {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		p.event(e, r.send(ctx, e, nil), len(events) == 1)
	}
	if len(events) > 1 {
		about := aboutTenants(events)
		if err := sendTenants(ctx, o, chosen, getenv, about, p); err != nil {
			return false, err
		}
		events = append(events, about...)
		e, err := outage()
		if err != nil {
			return false, err
		}
		p.event(e, r.sendDuringOutage(ctx, e), false)
		events = append(events, e)
	}
	if rows, err = s.Users(ctx); err != nil {
		return false, err
	}
	p.users(s.Table(), rows)
	p.strays(s.Log.Lines())
	if len(events) > 1 {
		if err := showEveryone(ctx, o, chosen, p); err != nil {
			return false, err
		}
	}
	return p.summary(len(events), len(rows), time.Since(began)), nil
}

// start starts the environment with a table of documents beside that of users.
func start(ctx context.Context, o options, chosen choice, getenv func(string) string) (*stack.Stack, error) {
	project, err := documents.AddTo(os.DirFS("graphql"))
	if err != nil {
		return nil, err
	}
	config := stack.Config{Functions: o.built, Project: project, DatabaseURL: getenv("DATABASE_URL")}
	stack.Settings(chosen).Set(&config)
	s, err := stack.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := documents.Create(ctx, s.Database.SQL); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}
