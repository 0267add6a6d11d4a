//go:build linux

// Command bench measures what a cold start and a warm call of the functions cost, beside a
// function that does nothing, the sync function written otherwise, and both in Node.
//
//	make bench             20 starts of each, 250 calls after each
//	make bench ROUNDS=40   more starts
//	make bench DOCS=1      also writes the tables and the chart into docs/
//
// The programs run on this machine under the Lambda runtime protocol, with the build flags
// and the variables of a deployment. They take turns in a changing order, so that other load on
// the machine meets all of them. CPU times and ratios are comparable between runs; wall times are not.
//
// It needs Linux, Go and a bundle of CA certificates. Without Node and npm, the variants in
// Node are left out.
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
	"slices"
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
	rounds := flags.Int("rounds", 20, "starts of each variant")
	warm := flags.Int("warm", 250, "calls after each start")
	docs := flags.String("docs", "", "also write the tables into performance.md of this folder, and the chart beside it")
	bundle := flags.String("certificates", "/etc/ssl/certs/ca-certificates.crt", "bundle of CA certificates")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *rounds < 1 || *warm < 1 {
		return fmt.Errorf("-rounds and -warm must be at least 1")
	}
	b, err := newBuilder(".build/bench", *bundle)
	if err != nil {
		return err
	}
	defer b.services.close()
	variants, err := b.variants()
	if err != nil {
		return err
	}
	w, err := newWatch(b.dir, filepath.Join(b.dir, certificates))
	if err != nil {
		return err
	}
	defer w.close()
	node, err := b.node()
	if err != nil {
		fmt.Fprintf(out, "The variants in Node are left out: %v\n\n", err)
	}
	r := report{
		title:    fmt.Sprintf("%s %s/%s, %d starts of each, %d calls after each", runtime.Version(), runtime.GOOS, runtime.GOARCH, *rounds, *warm),
		variants: slices.Concat(variants, node),
	}
	if r.samples, err = measure(ctx, r.variants, &b.services, w, *rounds, *warm); err != nil {
		return err
	}
	fmt.Fprint(out, r.markdown())
	if *docs != "" {
		return r.write(*docs)
	}
	return nil
}
