package usertable

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A line of a report: an outcome as a dry run and as a run call it, and what it means.
type line struct {
	outcome  reconcile.Outcome
	dry, run string
	text     string
}

var lines = []line{
	{reconcile.Same, "same", "same", ""},
	{reconcile.Newer, "newer", "newer", "a sync wrote these rows less than a minute ago; they stay"},
	{reconcile.Inserted, "to insert", "inserted", "each insert fires all insert event triggers that the table has"},
	{reconcile.Updated, "to update", "updated", "%columns"},
	{reconcile.Marked, "to mark", "marked", "%marked"},
	{reconcile.Gone, "gone", "gone", "these users are not in the pool; their rows stay. --on-delete mark or anonymize changes them"},
	{reconcile.Pending, "pending", "pending", "not in the pool, but the rows were written while this ran; run it again"},
	{reconcile.Unconfirmed, "unconfirmed", "unconfirmed", "these users have not confirmed the sign-up, and get no row"},
	{reconcile.Ignored, "ignored", "ignored", "the user's id does not fit the key, or a required column has no value"},
	{reconcile.Duplicate, "duplicate", "duplicate", "another user of the pool has the same id; neither is written"},
	{reconcile.Failed, "failed", "failed", "Hasura does not accept these rows; the lines above name the users"},
}

// Print writes a report. onDelete is what happens to rows of users who are gone.
func (r Result) Print(out io.Writer, onDelete settings.OnDelete) {
	if r.DryRun {
		fmt.Fprintln(out, "Dry run: nothing was written.")
	}
	w := newGrid(out)
	row := func(name string, n int, text string) { fmt.Fprintf(w, "%s\t%8s\t%s\n", name, thousands(n), text) }
	row("in the pool", r.InPool, "")
	row("in the table", r.InTable, "rows of users who are in the pool")
	for _, l := range lines {
		n := r.Counts[l.outcome]
		if always := l.outcome == reconcile.Same || l.outcome == reconcile.Inserted || l.outcome == reconcile.Updated; n == 0 && !always {
			continue
		}
		text := l.text
		switch {
		case n == 0:
			text = ""
		case text == "%columns":
			text = r.Columns.String()
		case text == "%marked" && onDelete == settings.Anonymize:
			text = "not in the pool: deleted_at is set, personal columns are emptied"
		case text == "%marked":
			text = "not in the pool: deleted_at is set"
		}
		row(r.name(l.outcome), n, text)
	}
	w.flush()
	for _, refused := range r.Refused {
		fmt.Fprintf(out, "No row is marked: %s. See --max-gone.\n", refused)
	}
	if len(r.Samples) > 0 {
		fmt.Fprintln(out, "\nSome of the differences:")
	}
	w = newGrid(out)
	for _, d := range r.Samples {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", d.Sub, r.name(d.Outcome), strings.Join(d.Columns, ", "))
	}
	w.flush()
	for _, f := range r.Failed {
		part := "The run"
		if f.Prefix != "" {
			part = fmt.Sprintf("The part of the subs that begin with %s", f.Prefix)
		}
		fmt.Fprintf(out, "\n%s did not end: %s\n", part, f.Error)
	}
	switch {
	case r.Stopped:
		fmt.Fprintln(out, "\nInterrupted. The same command goes on: rows that are equal to the pool are not written again.")
	case !r.Complete:
		fmt.Fprintln(out, "\nThe same command goes on: rows that are equal to the pool are not written again. --prefix runs one part.")
	case r.DryRun && r.Counts[reconcile.Inserted]+r.Counts[reconcile.Updated]+r.Counts[reconcile.Marked] > 0:
		fmt.Fprintln(out, "\nThe same command with --apply writes this.")
	}
}

// A grid aligns columns, which end in a tab. No line ends in spaces.
type grid struct {
	*tabwriter.Writer
	text strings.Builder
	out  io.Writer
}

func newGrid(out io.Writer) *grid {
	g := &grid{out: out}
	g.Writer = tabwriter.NewWriter(&g.text, 0, 0, 2, ' ', 0)
	return g
}

// flush writes what the grid has. As for all output, errors do not count.
func (g *grid) flush() {
	_ = g.Flush()
	for line := range strings.Lines(g.text.String()) {
		fmt.Fprintln(g.out, strings.TrimRight(line, " \n"))
	}
}

// name returns the name of an outcome in the report.
func (r Result) name(o reconcile.Outcome) string {
	i := slices.IndexFunc(lines, func(l line) bool { return l.outcome == o })
	switch {
	case i < 0:
		return string(o)
	case r.DryRun:
		return lines[i].dry
	}
	return lines[i].run
}

// String returns the columns with the most rows first.
func (c Columns) String() string {
	names := slices.SortedFunc(maps.Keys(c), func(a, b string) int {
		if c[a] != c[b] {
			return c[b] - c[a]
		}
		return strings.Compare(a, b)
	})
	for i, name := range names {
		names[i] = name + " " + thousands(c[name])
	}
	return strings.Join(names, ", ")
}

// thousands writes a number with commas.
func thousands(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
