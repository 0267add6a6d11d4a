package main

import (
	"encoding/json"
	"fmt"
	"io"
)

// A verdict is what a row comes to.
type verdict string

const (
	good    verdict = "ok"
	doubt   verdict = "warn"
	bad     verdict = "FAIL"
	unknown verdict = "unknown" // it cannot be seen from here
)

// A row is one thing that was looked at.
type row struct {
	Check   string  `json:"check"`
	Verdict verdict `json:"verdict"`
	Found   string  `json:"found"`
	Hint    string  `json:"hint,omitempty"`
}

type report []row

func (r *report) add(check string, v verdict, found, hint string) {
	if v == good {
		hint = ""
	}
	*r = append(*r, row{check, v, found, hint})
}

func (r report) failed() bool {
	for _, row := range r {
		if row.Verdict == bad {
			return true
		}
	}
	return false
}

func (r report) print(out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(r)
	}
	for _, row := range r {
		if _, err := fmt.Fprintf(out, "%-8s %-24s %s\n", row.Verdict, row.Check, row.Found); err != nil {
			return err
		}
		if row.Hint != "" {
			fmt.Fprintf(out, "%33s hint: %s\n", "", row.Hint)
		}
	}
	return nil
}
