// Command local shows the suite at work on this machine: it gives recorded Cognito
// events to the built functions, as Lambda does, and prints what comes of them: the
// claims in the tokens and whether Hasura accepts them, and the rows in Hasura's table
// of users. At the end somebody signs in while Hasura is down.
//
//	make run                                            every event
//	make run EVENT=events/post-authentication.json      one, in detail
//
// It needs nothing but the binaries, which make run builds. Secrets Manager, SQS, Hasura
// and the user pool run inside it, on loopback. The database is SQLite in memory, or
// PostgreSQL when DATABASE_URL is set.
//
// Every event has an expected outcome, by rules that read the event alone. The command
// exits with 1 when one is not as expected, and with 2 when it cannot begin.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the command; it expects the repository's root as working directory.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (code int) {
	flags := flag.NewFlagSet("local", flag.ContinueOnError)
	flags.SetOutput(stderr)
	file := flags.String("event", "", "the one event to send, such as events/post-authentication.json; all of them by default")
	functions := flags.String("functions", ".build", "folder with <function>/bootstrap for each function")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	complain := func(err error) int {
		fmt.Fprintln(stderr, err)
		return 2
	}
	events, err := load(*file)
	if err != nil {
		return complain(err)
	}
	if err := built(*functions); err != nil {
		return complain(err)
	}

	begun := time.Now()
	env := make(map[string]string)
	// Functions that are built with -cover count their coverage there.
	if dir := getenv("GOCOVERDIR"); dir != "" {
		env["GOCOVERDIR"] = dir
	}
	s, err := stack.Start(ctx, stack.Config{
		Functions:   *functions,
		Project:     os.DirFS("graphql"),
		DatabaseURL: getenv("DATABASE_URL"),
		Env:         map[string]map[string]string{stack.Trigger: env, stack.SyncUsers: env, stack.ReplaySyncs: env},
	})
	if err != nil {
		return complain(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			code = complain(fmt.Errorf("end what was started: %w", err))
		}
	}()
	v, err := newVisit(ctx, s)
	if err != nil {
		return complain(err)
	}
	p := &printer{w: stdout}
	for _, e := range events {
		seen := v.send(ctx, e)
		if ctx.Err() != nil {
			return complain(errors.New("interrupted"))
		}
		if len(events) == 1 {
			p.detail(e, seen)
		} else {
			p.event(e, seen)
		}
	}
	if len(events) > 1 {
		e, err := newcomer()
		if err != nil {
			return complain(err)
		}
		p.event(e, v.outage(ctx, e))
	}
	rows, err := s.Users(ctx)
	if err != nil {
		return complain(fmt.Errorf("read the users: %w", err))
	}
	p.users(rows)
	p.strays(s.Strays())
	if !p.summary(len(rows), time.Since(begun)) {
		return 1
	}
	return 0
}
