//go:build linux

package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// A report is what was measured: without network time, and with some.
type report struct {
	variants       []variant
	still, distant map[string][]sample
	network        network
	encrypted      string // what is called over TLS
}

// print writes the tables, as Markdown that also reads well in a terminal.
func (r report) print(out io.Writer) error {
	t := newTable(out, "variant", "init ms", "cold ms", "on-CPU ms [quartiles]", "x echo", "warm p50 µs", "p99 µs", "on-CPU µs", "peak MB", "file MB", "zip MB", "cert. files", "secrets fetched warm", "connections")
	floor := 0.0
	if s := r.still[echo]; len(s) > 0 {
		_, floor, _ = quartiles(s, cpu)
	}
	for _, v := range r.variants {
		s := r.still[v.name]
		median := func(of func(sample) float64) float64 {
			_, m, _ := quartiles(s, of)
			return m
		}
		low, m, high := quartiles(s, cpu)
		size := "-"
		if v.size > 0 {
			size = fmt.Sprintf("%.2f", float64(v.size)/mebi)
		}
		fetched, connected := "-", "-"
		if v.syncs {
			fetched = fmt.Sprint(worst(s, func(s sample) int { return s.fetched }))
			connected = fmt.Sprint(worst(s, func(s sample) int { return s.connected }))
		}
		over := "-"
		if floor > 0 {
			over = f2(m / floor)
		}
		t.row(v.name, f2(median(toInit)), f2(median(cold)), shown(low, m, high), over,
			fmt.Sprintf("%.0f", median(p50)), fmt.Sprintf("%.0f", median(p99)), fmt.Sprintf("%.0f", median(busy)),
			fmt.Sprintf("%.1f", median(memory)), size,
			fmt.Sprintf("%.2f", float64(v.zip)/mebi), fmt.Sprint(worst(s, func(s sample) int { return s.files })), fetched, connected)
	}
	if err := t.flush(); err != nil {
		return err
	}
	fmt.Fprintln(out)
	t = newTable(out, "goal", "bound", "measured", "", "by round [quartiles]")
	for _, g := range r.goals() {
		verdict := "met"
		if !g.met() {
			verdict = "missed"
		}
		bound := "≤ "
		if g.least {
			bound = "≥ "
		}
		t.row(g.name, bound+trim(g.bound), trim(g.got), verdict, g.paired)
	}
	return t.flush()
}

// shown is a figure with its quartiles.
func shown(low, median, high float64) string {
	return fmt.Sprintf("%.2f [%.2f, %.2f]", median, low, high)
}

func f2(v float64) string { return fmt.Sprintf("%.2f", v) }

func trim(v float64) string { return strings.TrimSuffix(f2(v), ".00") }

// A goal is a bound on a figure, which is mostly a ratio of medians of one run.
type goal struct {
	name  string
	bound float64
	least bool // the figure is to be no less, otherwise no more
	got   float64
	// paired has the quartiles of the ratio in each round, where there is one.
	paired string
}

func (g goal) met() bool {
	if g.least {
		return g.got >= g.bound
	}
	return g.got <= g.bound
}

// goals has those whose variants were measured.
func (r report) goals() []goal {
	var all []goal
	add := func(name string, least bool, bound, got float64) {
		all = append(all, goal{name: name, bound: bound, least: least, got: got})
	}
	ratio := func(name string, least bool, bound float64, of func(sample) float64, over, under string) {
		a, b := r.still[over], r.still[under]
		if len(a) == 0 || len(b) == 0 {
			return
		}
		_, x, _ := quartiles(a, of)
		_, y, _ := quartiles(b, of)
		add(name, least, bound, x/y)
		all[len(all)-1].paired = shown(paired(a, b, of))
	}
	ratio("claim shaper, cold CPU over bare echo", false, 1.05, cpu, shaper, echo)
	ratio("claim shaper, warm p50 over bare echo", false, 1, p50, shaper, echo)
	ratio("Node's claim shaper, cold, over ours", true, 9, cold, nodeShaper, shaper)
	ratio("sync, cold CPU over bare echo", false, 1.75, cpu, ours, echo)
	ratio("sync, cold CPU over the same without an SDK", false, 1.35, cpu, ours, noSDK)
	ratio("naive sync, cold CPU, over ours", true, 3.2, cpu, naive, ours)
	ratio("Node's sync, cold, over ours", true, 22, cold, nodeSync, ours)
	ratio("sync, warm p50 over bare echo", false, 1.5, p50, ours, echo)
	ratio("claim shaper, peak memory over bare echo", false, 1.05, memory, shaper, echo)
	ratio("sync, peak memory over bare echo", false, 1.45, memory, ours, echo)
	if s := r.still[ours]; len(s) > 0 {
		add("sync, warm calls to Secrets Manager", false, 0, float64(worst(s, func(s sample) int { return s.fetched })))
		add("sync, connections to Hasura", false, 1, float64(worst(s, func(s sample) int { return s.connected })))
		add("sync, certificate files opened at a cold start", false, 1, float64(worst(s, func(s sample) int { return s.files })))
	}
	if s := r.distant[ours]; len(s) > 0 && len(r.still[echo]) > 0 && r.encrypted == tlsSecrets {
		_, got, _ := quartiles(s, cold)
		_, start, _ := quartiles(r.still[echo], cold)
		// To Secrets Manager: TCP, TLS and the request; to Hasura, whose connection is
		// opened meanwhile: the request.
		floor := 4*ms(r.network.roundTrip) + ms(r.network.secret) + ms(r.network.hasura)
		add(fmt.Sprintf("sync, cold at round trips of %v, secret %v, Hasura %v, over the floor of %.0f ms + echo's cold",
			r.network.roundTrip, r.network.secret, r.network.hasura, floor), false, 1.25, got/(floor+start))
	}
	for _, v := range r.variants {
		switch v.name {
		case shaper:
			add("claim shaper, zip in MB", false, 2.5, float64(v.zip)/mebi)
		case ours:
			add("sync, zip in MB", false, 3.6, float64(v.zip)/mebi)
		}
	}
	return all
}

// A table is in Markdown, with its columns aligned.
type table struct{ w *tabwriter.Writer }

func newTable(out io.Writer, columns ...string) table {
	t := table{tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)}
	t.row(columns...)
	rule := make([]string, len(columns))
	for i := range rule {
		rule[i] = "---"
	}
	t.row(rule...)
	return t
}

func (t table) row(cells ...string) { fmt.Fprintln(t.w, "| "+strings.Join(cells, "\t| ")+"\t|") }

func (t table) flush() error { return t.w.Flush() }
