// Command faults runs the built functions while Hasura, Secrets Manager, SQS, the user pool or a setting is at fault. It prints for each
// fault whether users could sign in, how long that took, and what happened to their rows. Then it does the same with the
// reconcile and the follow function, and compares the table with the user pool.
//
//	make faults
//	make faults FAULTS='-signins 200 -environments 10 -only SQS'
//	make faults FAULTS='-drain 10000'
//	make faults FAULTS='-only reconcile -seed 7'
//
// It exits with 1 if a row is not as docs/reliability.md promises, and with 2 if it cannot start. Everything runs on
// 127.0.0.1, over SQLite in memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phenom-earth/hasura-cognito/functions"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// A size is that of the streams. seed decides what is chosen at random.
type size struct {
	signIns, environments int
	seed                  uint64
}

// run is the command. Its working directory is the root of the repository.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.SetOutput(stderr)
	built := flags.String("functions", ".build", "folder with <function>/bootstrap for each function")
	only := flags.String("only", "", "run only the rows with this text in their names")
	parked := flags.Int("drain", 0, "instead of the rows, park so many syncs, replay them and print the rate")
	var s size
	flags.IntVar(&s.signIns, "signins", 2000, "sign-ins of a stream")
	flags.IntVar(&s.environments, "environments", 50, "execution environments of a stream")
	flags.Uint64Var(&s.seed, "seed", 1, "of what is chosen at random in the rows of reconcile and follow")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	// With fewer sign-ins the fault would end before every environment has started.
	if s.environments < 1 || s.signIns < 20*s.environments || s.signIns%s.environments != 0 {
		fmt.Fprintln(stderr, "-signins must be a multiple of -environments, and at least 20 times as many")
		return 2
	}
	for _, name := range append(functions.All(), functions.Optional()...) {
		if _, err := os.Stat(filepath.Join(*built, name, "bootstrap")); err != nil {
			fmt.Fprintf(stderr, "no built function: %v\n`make faults` builds the functions and runs this\n", err)
			return 2
		}
	}
	began := time.Now()
	if *parked > 0 {
		rate, err := drain(ctx, *built, *parked)
		if err != nil {
			fmt.Fprintln(stderr, err)
			return 1
		}
		fmt.Fprintf(stdout, "%d parked syncs, replayed at %.0f per second\n", *parked, rate)
		return 0
	}
	invalid, err := readInvalid()
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	untrusted := httptest.NewUnstartedServer(http.NotFoundHandler())
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	untrusted.StartTLS()
	defer untrusted.Close()
	var reports []*report
	// Single rows wait for most of their time, so some run side by side. A stream runs alone.
	var side errgroup.Group
	side.SetLimit(4)
	for _, r := range append(rows(untrusted.URL, invalid), crowdRows()...) {
		if !strings.Contains(r.name, *only) {
			continue
		}
		rep := &report{row: r}
		reports = append(reports, rep)
		if r.stream {
			_ = side.Wait() // run reports its errors
			rep.run(ctx, *built, s)
			continue
		}
		side.Go(func() error { rep.run(ctx, *built, s); return nil })
	}
	_ = side.Wait()
	if ctx.Err() != nil {
		fmt.Fprintln(stderr, "interrupted")
		return 2
	}
	if !write(stdout, reports, s, time.Since(began)) {
		return 1
	}
	return 0
}
