//go:build linux

// Command bench measures the functions beside what else one could run: a function that
// does nothing, the sync without an SDK, the sync written without care, and handlers in
// Node where Node is.
//
//	make bench                  the tables
//	make bench CHART=1          and draw docs/performance.svg
//	make bench ROUNDS=40        more starts of each; 20 by default
//
// The programs are the deployed ones, run under the Lambda runtime protocol on this
// machine. They take turns in a changing order, so ratios hold on a machine that does
// other things too; wall times, and all absolute figures, are the machine's own.
//
// It needs Linux, Go and a bundle of certificates.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	root := flags.String("root", ".", "the repository")
	work := flags.String("work", ".build/bench", "folder to build in")
	rounds := flags.Int("rounds", 20, "starts of each variant")
	warm := flags.Int("warm", 250, "calls after each start")
	system := flags.String("certificates", "/etc/ssl/certs/ca-certificates.crt", "bundle of this machine's certificate authorities")
	chart := flags.String("chart", "", "file to draw the chart into, such as docs/performance.svg")
	n := network{}
	flags.DurationVar(&n.roundTrip, "rtt", time.Millisecond, "round trip of the network, in the second part")
	flags.DurationVar(&n.secret, "secret", 15*time.Millisecond, "time that Secrets Manager takes, in the second part")
	flags.DurationVar(&n.hasura, "hasura", 5*time.Millisecond, "time that Hasura takes, in the second part")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *warm < 0 {
		return fmt.Errorf("%d rounds of %d calls are none; give at least -rounds 1 -warm 0", *rounds, *warm)
	}
	dir, err := filepath.Abs(*work)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	a, err := newAuthority()
	if err != nil {
		return err
	}
	certificates := filepath.Join(dir, "certificates")
	if err := os.RemoveAll(certificates); err != nil {
		return err
	}
	bundle, each, err := a.certificates(certificates, *system)
	if err != nil {
		return err
	}
	variants, note, err := build(*root, dir, a, bundle, each)
	if err != nil {
		return err
	}
	w, err := newWatch(certificates, each)
	if err != nil {
		return err
	}
	defer w.close()

	r := report{variants: variants, network: n}
	near := newSides(a, network{})
	defer near.close()
	if r.still, err = measure(ctx, *root, variants, near, w, *rounds, *warm); err != nil {
		return err
	}
	far := newSides(a, n)
	defer far.close()
	var syncs []variant
	for _, v := range variants {
		if v.name == ours {
			syncs = append(syncs, v)
		}
	}
	if r.distant, err = measure(ctx, *root, syncs, far, w, *rounds, 0); err != nil {
		return err
	}

	fmt.Fprintf(out, "%s %s/%s, %d processors, %d starts of each, %d calls after each\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), *rounds, *warm)
	if err := r.print(out); err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintf(out, "\n%s\n", note)
	}
	if *chart == "" {
		return nil
	}
	file, err := os.Create(*chart)
	if err != nil {
		return err
	}
	if err := r.chart(file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
