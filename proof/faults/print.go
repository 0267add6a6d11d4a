package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// write prints the table and reports whether every row is as promised.
func write(w io.Writer, reports []*report, s size, took time.Duration) bool {
	writeSignIns(w, slices.DeleteFunc(slices.Clone(reports), func(rep *report) bool { return rep.row.crowd != nil }))
	writeCrowds(w, slices.DeleteFunc(slices.Clone(reports), func(rep *report) bool { return rep.row.crowd == nil }))
	wrong := 0
	for _, rep := range reports {
		for _, text := range rep.wrong {
			fmt.Fprintf(w, "NOT AS PROMISED: %s: %s\n", rep.row.name, text)
		}
		wrong += min(1, len(rep.wrong))
	}
	verdict := "all as promised"
	if wrong > 0 {
		verdict = fmt.Sprintf("%d not as promised", wrong)
	}
	fmt.Fprintf(w, "%d rows, %s; streams of %d sign-ins from %d environments; seed %d; %.0f s\n", len(reports), verdict, s.signIns, s.environments, s.seed, took.Seconds())
	return wrong == 0 && len(reports) > 0
}

// writeSignIns prints the rows in which users sign in.
func writeSignIns(w io.Writer, reports []*report) {
	if len(reports) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "fault\tusers\tmedian\tmax\topen\tlog records") // open: the median while the breaker was open
	for _, rep := range reports {
		users := "let in"
		if rep.refused > 0 {
			users = fmt.Sprintf("%d refused", rep.refused)
		}
		open := ""
		if rep.spared > 0 {
			open = brief(rep.spared)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", rep.row.name, users, brief(rep.median), brief(rep.slowest), open, rep.records("synced", "parked", "sync lost", "replayed", "stale", "misconfigured"))
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

// writeCrowds prints the rows of reconcile and follow.
func writeCrowds(w io.Writer, reports []*report) {
	if len(reports) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "fault\tin the end\tlog records")
	for _, rep := range reports {
		end := "equal"
		if len(rep.unwritten) > 0 {
			end = fmt.Sprintf("equal but for %d", len(rep.unwritten))
		}
		if len(rep.wrong) > 0 {
			end = "NOT AS PROMISED"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", rep.row.name, end,
			rep.records("planned", "reconciled", "followed", "marked", "marking refused", "will retry", "permanent failure"))
	}
	_ = t.Flush()
	fmt.Fprintln(w)
}

// records counts log messages.
func (rep *report) records(messages ...string) string {
	var records []string
	for _, message := range messages {
		if n := rep.counts[message]; n > 0 {
			records = append(records, fmt.Sprintf("%d %s", n, message))
		}
	}
	return strings.Join(records, ", ")
}

func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
