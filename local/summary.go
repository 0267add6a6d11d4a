package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// users prints the table.
func (p *printer) users(rows []stack.Row) {
	if len(rows) == 0 {
		p.line("\nHasura's table of users is empty")
		return
	}
	p.line("\nHasura's table of users")
	widths := []struct {
		column string
		width  int
	}{{"id", 8}, {"email", 24}, {"phone_number", 12}, {"name", 18}, {"identity_provider", 8}, {"status", 21}}
	line := func(cell func(column string) string) {
		var b strings.Builder
		for _, c := range widths {
			b.WriteString(fit(cell(c.column), c.width) + " ")
		}
		p.line("    %s", b.String())
	}
	headings := map[string]string{"phone_number": "phone", "identity_provider": "provider"}
	line(func(column string) string {
		if heading := headings[column]; heading != "" {
			return heading
		}
		return column
	})
	for _, row := range rows {
		line(func(column string) string {
			switch {
			case column == "id":
				return short(row.Text(column))
			case column == "name" && row.Text(column) == "":
				return strings.TrimSpace(row.Text("given_name") + " " + row.Text("family_name"))
			}
			return row.Text(column)
		})
	}
}

// strays are lines that are no log records; there should be none.
func (p *printer) strays(lines []string) {
	if len(lines) == 0 {
		return
	}
	p.wrong++
	p.line("\nThe functions printed what is no log record:")
	for _, line := range lines {
		p.line("    %s", plain(line))
	}
}

// summary is the last lines; it reports whether everything was as expected.
func (p *printer) summary(rows int, took time.Duration) bool {
	var counts []string
	for _, outcome := range p.order {
		counts = append(counts, fmt.Sprintf("%d %s", p.counts[outcome], outcome))
	}
	verdict := "all as expected"
	if p.wrong > 0 {
		verdict = fmt.Sprintf("%d NOT AS EXPECTED", p.wrong)
	}
	p.line("\n%s, %s, %.1f s: %s", plural(p.sent, "event"), plural(rows, "row"), took.Seconds(), verdict)
	p.line("%s", strings.Join(counts, ", "))
	times := "first calls, start included: " + strings.Join(p.cold, ", ")
	if len(p.warm) > 0 {
		slices.Sort(p.warm)
		times += fmt.Sprintf("; later ones %.1f ms at the median", ms(p.warm[len(p.warm)/2]))
	}
	p.line("%s", times)
	return p.wrong == 0
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
