//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
)

// A report is what was measured.
type report struct {
	title    string
	variants []variant
	samples  map[string][]sample // by variant
}

// markdown returns the tables. They also read well in a terminal.
func (r report) markdown() string {
	var out strings.Builder
	fmt.Fprintln(&out, r.title)
	t := newTable(&out, "cold start", "CPU ms [quartiles]", "× echo [quartiles]", "wall ms", "peak MB", "file MB", "zip MB", "CA files")
	for _, v := range r.variants {
		s := r.samples[v.name]
		t.row(v.name, quartiles(s, cpu).text(1), ratios(s, r.samples[echo], cpu).text(2), fmt.Sprintf("%.1f", quartiles(s, wall).median),
			fmt.Sprintf("%.1f", quartiles(s, peakMB).median), fmt.Sprintf("%.2f", float64(v.size)/mebi), fmt.Sprintf("%.2f", float64(v.zip)/mebi),
			fmt.Sprint(most(s, func(s sample) int { return s.files })))
	}
	t.end()
	t = newTable(&out, "warm call", "CPU µs [quartiles]", "× echo [quartiles]", "wall µs: p50", "p99", "secret reads", "connections to Hasura")
	for _, v := range r.variants {
		s := r.samples[v.name]
		fetched, connected := "", ""
		if v.syncs {
			fetched = fmt.Sprint(most(s, func(s sample) int { return s.fetched }))
			connected = fmt.Sprint(most(s, func(s sample) int { return s.connected }))
		}
		t.row(v.name, quartiles(s, warm).text(0), ratios(s, r.samples[echo], warm).text(2),
			fmt.Sprintf("%.0f", quartiles(s, p50).median), fmt.Sprintf("%.0f", quartiles(s, p99).median), fetched, connected)
	}
	t.end()
	return out.String()
}

// most returns the largest count of all starts.
func most(samples []sample, of func(sample) int) int {
	largest := 0
	for _, s := range samples {
		largest = max(largest, of(s))
	}
	return largest
}

func (s spread) text(digits int) string {
	return fmt.Sprintf("%.*f [%.*f, %.*f]", digits, s.median, digits, s.low, digits, s.high)
}

// The tables stand in performance.md between the line of the command that writes them and end.
const (
	begin          = "<!-- make bench DOCS=1 writes this -->\n"
	beginReconcile = "<!-- make bench RECONCILE=1 DOCS=1 writes this -->\n"
	end            = "<!-- end -->\n"
)

// write replaces the tables in performance.md and the chart beside it.
func (r report) write(folder string) error {
	if err := replace(filepath.Join(folder, "performance.md"), begin, r.markdown()); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "performance.svg"), r.chart(), 0o644)
}

// replace replaces what stands in a page between a line and the next end.
func replace(path, begin, text string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, found := bytes.Cut(page, []byte(begin))
	_, after, ended := bytes.Cut(rest, []byte(end))
	if !found || !ended {
		return fmt.Errorf("%s has no lines %q and %q", path, begin, end)
	}
	return os.WriteFile(path, fmt.Appendf(nil, "%s%s\n%s\n%s%s", before, begin, text, end, after), 0o644)
}

// A table is in Markdown, with its columns aligned.
type table struct{ w *tabwriter.Writer }

func newTable(out *strings.Builder, columns ...string) table {
	t := table{tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)}
	fmt.Fprintln(out)
	t.row(columns...)
	t.row(strings.Split(strings.Repeat("--- ", len(columns)-1)+"---", " ")...)
	return t
}

func (t table) row(cells ...string) { fmt.Fprintln(t.w, "| "+strings.Join(cells, "\t| ")+"\t|") }

func (t table) end() { _ = t.w.Flush() } // a strings.Builder takes everything
