//go:build linux

// Command bench measures the functions beside what else one could run: a function that
// does nothing, the sync without an SDK, the sync written without care, and handlers in
// Node where Node is.
//
//	make bench                      the tables of start-up, calls and goals
//	make bench MEMORY=128,512,1024  and cold starts with the processor's share that so many MB get
//	make bench GROWTH=1             and what groups and custom attributes cost
//	make bench LEVERS=1             and what else one could build or set
//	make bench ALL=1                all of these, and the charts in docs/
//	make bench ROUNDS=40            more starts of each; 20 by default
//	make bench ARGS='-tls all'      Hasura over TLS too; or off
//
// The programs are the deployed ones, run under the Lambda runtime protocol on this
// machine. They take turns in a changing order, so ratios hold on a machine that does
// other things too; wall times, and all absolute figures, are the machine's own.
//
// It needs Linux, Go and a bundle of certificates; for MEMORY, a control group that it
// may make.
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

// A bench is what all parts of the measuring share.
type bench struct {
	root, dir    string
	overlay      string // flag of go build
	variants     []variant
	watch        watch
	rounds, warm int
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	b := bench{}
	flags.StringVar(&b.root, "root", ".", "the repository")
	flags.IntVar(&b.rounds, "rounds", 20, "starts of each variant")
	flags.IntVar(&b.warm, "warm", 250, "calls after each start")
	work := flags.String("work", ".build/bench", "folder to build in")
	system := flags.String("certificates", "/etc/ssl/certs/ca-certificates.crt", "bundle of this machine's certificate authorities")
	only := flags.String("only", "", "measure these variants alone: a regular expression for their names")
	encrypted := flags.String("tls", tlsSecrets, "what is called over TLS: secrets, all or off")
	megabytes := flags.String("memory", "", "memory sizes whose share of the processor to start with, such as 128,512,1024")
	grow := flags.Bool("growth", false, "measure what groups and custom attributes cost")
	pull := flags.Bool("levers", false, "measure what else one could build or set")
	charts := flags.String("charts", "", "folder to draw the charts into, such as docs")
	everything := flags.Bool("all", false, "all of these, with the charts in docs")
	n := network{}
	flags.DurationVar(&n.roundTrip, "rtt", time.Millisecond, "round trip of the network, in the second part")
	flags.DurationVar(&n.secret, "secret", 15*time.Millisecond, "time that Secrets Manager takes, in the second part")
	flags.DurationVar(&n.hasura, "hasura", 5*time.Millisecond, "time that Hasura takes, in the second part")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if b.rounds < 1 || b.warm < 0 {
		return fmt.Errorf("%d rounds of %d calls are none; give at least -rounds 1 -warm 0", b.rounds, b.warm)
	}
	if *encrypted != tlsSecrets && *encrypted != tlsAll && *encrypted != tlsOff {
		return fmt.Errorf("-tls %s is none of %s, %s and %s", *encrypted, tlsSecrets, tlsAll, tlsOff)
	}
	if *everything {
		*megabytes, *grow, *pull, *charts = "128,512,1024", true, true, filepath.Join(b.root, "docs")
	}
	sizes, err := parseSizes(*megabytes)
	if err != nil {
		return err
	}

	a, note, err := b.prepare(*work, *system)
	if err != nil {
		return err
	}
	defer b.watch.close()
	if b.variants, err = matching(b.variants, *only); err != nil {
		return err
	}
	near := newSides(a, network{}, *encrypted)
	defer near.close()
	far := newSides(a, n, *encrypted)
	defer far.close()

	fmt.Fprintf(out, "%s %s/%s, %d processors, %d starts of each, %d calls after each\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), b.rounds, b.warm)
	r := report{variants: b.variants, network: n, encrypted: *encrypted}
	if r.still, err = measure(ctx, b.variants, near, b.watch, b.rounds, b.warm); err != nil {
		return err
	}
	if r.distant, err = measure(ctx, named(b.variants, ours), far, b.watch, b.rounds, 0); err != nil {
		return err
	}
	if err := r.print(out); err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintf(out, "\n%s\n", note)
	}
	if err := draw(*charts, "performance.svg", r.chart); err != nil {
		return err
	}
	if len(sizes) > 0 {
		if err := b.quotas(ctx, out, near, sizes); err != nil {
			return err
		}
	}
	if *grow {
		g, err := b.growth(ctx, near)
		if err != nil {
			return err
		}
		if err := g.print(out); err != nil {
			return err
		}
		if err := draw(*charts, "growth.svg", g.chart); err != nil {
			return err
		}
	}
	if *pull {
		return b.levers(ctx, out, near)
	}
	return nil
}

// prepare builds the variants and lays out their certificates.
func (b *bench) prepare(work, system string) (a authority, note string, err error) {
	if b.dir, err = filepath.Abs(work); err != nil {
		return a, "", err
	}
	certificates := filepath.Join(b.dir, "certificates")
	if err := os.RemoveAll(certificates); err != nil {
		return a, "", err
	}
	if err := os.MkdirAll(b.dir, 0o755); err != nil {
		return a, "", err
	}
	if a, err = newAuthority(); err != nil {
		return a, "", err
	}
	bundle, each, err := a.certificates(certificates, system)
	if err != nil {
		return a, "", err
	}
	if b.overlay, err = a.overlay(b.root, b.dir); err != nil {
		return a, "", err
	}
	if b.variants, note, err = build(b.root, b.dir, a, b.overlay, bundle, each); err != nil {
		return a, "", err
	}
	b.watch, err = newWatch(certificates, each)
	return a, note, err
}

// draw writes a chart into a folder; "" is none.
func draw(folder, name string, chart func(io.Writer) error) error {
	if folder == "" {
		return nil
	}
	file, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		return err
	}
	if err := chart(file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}
