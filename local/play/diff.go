package main

import (
	"slices"
	"strings"
)

// A diffLine is a line of a text, and whether it was added or removed: "add", "del" or "".
type diffLine struct{ Kind, Text string }

// Diff is the difference between the event and what the function returned. It is empty if they are equal.
func (s step) Diff() []diffLine {
	if s.Call.FunctionError != "" || len(s.Event) == 0 {
		return nil
	}
	lines := diff(strings.Split(indent(s.Event), "\n"), strings.Split(indent(s.Call.Payload), "\n"))
	if !slices.ContainsFunc(lines, func(l diffLine) bool { return l.Kind != "" }) {
		return nil
	}
	// Equal lines stay only near to others.
	const near = 2
	var short []diffLine
	for i, line := range lines {
		from, to := max(0, i-near), min(len(lines), i+near+1)
		switch {
		case slices.ContainsFunc(lines[from:to], func(l diffLine) bool { return l.Kind != "" }):
			short = append(short, line)
		case len(short) == 0 || short[len(short)-1].Kind != "gap":
			short = append(short, diffLine{"gap", "…"})
		}
	}
	return short
}

// diff compares lines by their longest common subsequence.
func diff(a, b []string) (lines []diffLine) {
	common := make([][]int, len(a)+1) // of the rest of a and the rest of b
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, diffLine{"", a[i]})
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && common[i+1][j] >= common[i][j+1]:
			lines = append(lines, diffLine{"del", a[i]})
			i++
		default:
			lines = append(lines, diffLine{"add", b[j]})
			j++
		}
	}
	return lines
}
