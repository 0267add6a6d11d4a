package doctor

import (
	"fmt"
	"io"
	"slices"

	"github.com/fatih/color"
)

// A Verdict is the result of a check.
type Verdict string

// The verdicts. Fail alone makes a report fail.
const (
	OK      Verdict = "ok"
	Warn    Verdict = "warn"
	Fail    Verdict = "FAIL"
	Unknown Verdict = "unknown" // it cannot be seen from here
)

var colors = map[Verdict]color.Attribute{OK: color.FgGreen, Warn: color.FgYellow, Fail: color.FgRed, Unknown: color.FgCyan}

// A Row is the result of one check.
type Row struct {
	Check   string  `json:"check"`
	Verdict Verdict `json:"verdict"`
	Found   string  `json:"found"`
	Hint    string  `json:"hint,omitempty"` // what to do; "" if all is well
}

// A Report has the rows in the order of the checks.
type Report []Row

func (r *Report) ok(check, found string) { *r = append(*r, Row{check, OK, found, ""}) }

func (r *Report) add(check string, v Verdict, found, hint string) {
	*r = append(*r, Row{check, v, found, hint})
}

// Failed reports whether a check failed.
func (r Report) Failed() bool {
	return slices.ContainsFunc(r, func(row Row) bool { return row.Verdict == Fail })
}

// Print writes the report as a table, the verdicts in color if colored.
func (r Report) Print(out io.Writer, colored bool) {
	for _, row := range r {
		paint := color.New(colors[row.Verdict])
		paint.DisableColor()
		if colored {
			paint.EnableColor()
		}
		fmt.Fprintf(out, "%s %-32s %s\n", paint.Sprintf("%-8s", row.Verdict), row.Check, row.Found)
		if row.Hint != "" {
			fmt.Fprintf(out, "%41s hint: %s\n", "", row.Hint)
		}
	}
}
