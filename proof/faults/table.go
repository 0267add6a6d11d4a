package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A table prints rows for a terminal of 100 columns.
type table struct {
	w         io.Writer
	rows, off int
}

const columns = "%-46s %-9s %7s %7s  %s\n"

func (t *table) head() {
	fmt.Fprintf(t.w, columns, "fault", "people", "median", "max", "syncs")
}

// row prints what became of a scene; f is that of its oracle, if err is nil.
func (t *table) row(s scene, f finding, w *world, err error) {
	t.rows++
	if err != nil {
		f.faults = append(f.faults, err.Error())
	}
	people := "let in"
	if f.refused > 0 {
		people = fmt.Sprintf("%d refused", f.refused)
	}
	var syncs []string
	if w != nil {
		for _, phrase := range []string{"synced", "parked", "sync lost", "replayed", "stale"} {
			if n := w.journal.count(phrase); n > 0 {
				syncs = append(syncs, fmt.Sprintf("%d %s", n, phrase))
			}
		}
	}
	became := strings.Join(syncs, ", ")
	if !strings.HasPrefix(s.name, "stream: ") {
		fmt.Fprintf(t.w, columns, s.name, people, brief(f.median), brief(f.slowest), became)
	} else {
		fmt.Fprintln(t.w, strings.TrimRight(fmt.Sprintf(columns, s.name, people, brief(f.median), brief(f.slowest), ""), " \n"))
		if f.spared > 0 {
			became += "; median with the breaker open " + brief(f.sparedMedian)
		}
		fmt.Fprintf(t.w, "    %s\n", became)
	}
	for _, fault := range f.faults {
		fmt.Fprintf(t.w, "  OFF: %s\n", fault)
	}
	if len(f.faults) > 0 {
		t.off++
	}
}

// foot prints the last line; it reports whether every row was as promised.
func (t *table) foot(s size, took time.Duration) bool {
	verdict := "all as promised"
	if t.off > 0 {
		verdict = fmt.Sprintf("%d not as promised", t.off)
	}
	fmt.Fprintf(t.w, "\n%d rows, %s; streams of %d sign-ins from %d environments; %.0f s\n", t.rows, verdict, s.signIns, s.environments, took.Seconds())
	return t.off == 0 && t.rows > 0
}

func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
