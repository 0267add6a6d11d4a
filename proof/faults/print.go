package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// write prints the table and reports whether every row is as promised.
func write(w io.Writer, reports []*report, s size, took time.Duration) bool {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "fault\tusers\tmedian\tmax\topen\tlog records") // open: the median while the breaker was open
	wrong := 0
	for _, rep := range reports {
		users := "let in"
		if rep.refused > 0 {
			users = fmt.Sprintf("%d refused", rep.refused)
		}
		var records []string
		for _, message := range []string{"synced", "parked", "sync lost", "replayed", "stale", "misconfigured"} {
			if n := rep.counts[message]; n > 0 {
				records = append(records, fmt.Sprintf("%d %s", n, message))
			}
		}
		open := ""
		if rep.spared > 0 {
			open = brief(rep.spared)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\n", rep.row.name, users, brief(rep.median), brief(rep.slowest), open, strings.Join(records, ", "))
	}
	_ = t.Flush()
	fmt.Fprintln(w)
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
	fmt.Fprintf(w, "%d rows, %s; streams of %d sign-ins from %d environments; %.0f s\n", len(reports), verdict, s.signIns, s.environments, took.Seconds())
	return wrong == 0 && len(reports) > 0
}

func brief(d time.Duration) string {
	if d < time.Second {
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
