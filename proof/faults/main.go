// Command faults runs the built functions under the Lambda runtime protocol between far
// sides that misbehave, and prints what came of it: what the people who signed in saw,
// how long it took, and what happened to their rows.
//
//	make faults
//	go run ./proof/faults -functions .build -signins 200 -environments 10 -only SQS
//
// It exits with 1 when a row of the table is not as docs/reliability.md promises, and
// with 2 when it cannot begin. Everything is on loopback, over SQLite in memory.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the command; it expects the repository's root as working directory.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.SetOutput(stderr)
	functions := flags.String("functions", ".build", "folder with <function>/bootstrap for each function")
	only := flags.String("only", "", "run only the rows that have this in their names")
	var s size
	flags.IntVar(&s.signIns, "signins", 2000, "sign-ins in a stream")
	flags.IntVar(&s.environments, "environments", 50, "execution environments of a stream, at once")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	// Fewer would meet the fault before the environments have started.
	if s.environments < 1 || s.signIns < 20*s.environments || s.signIns%s.environments != 0 {
		fmt.Fprintln(stderr, "-signins must be a multiple of -environments, and 20 for each at least")
		return 2
	}
	for _, name := range []string{syncUsers, replaySyncs} {
		if _, err := os.Stat(filepath.Join(*functions, name, "bootstrap")); err != nil {
			fmt.Fprintf(stderr, "no built function: %v\n`make faults` builds what this needs and runs it\n", err)
			return 2
		}
	}
	began := time.Now()
	t := &table{w: stdout}
	t.head()
	for _, scene := range scenes() {
		if !strings.Contains(scene.name, *only) {
			continue
		}
		f, w, err := scene.run(ctx, *functions, s)
		if ctx.Err() != nil {
			fmt.Fprintln(stderr, "interrupted")
			return 2
		}
		t.row(scene, f, w, err)
	}
	if !t.foot(s, time.Since(began)) {
		return 1
	}
	return 0
}
