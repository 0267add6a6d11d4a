package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A printer writes for a person with a terminal of 100 columns.
type printer struct {
	w       io.Writer
	section string         // the trigger under whose heading it is
	counts  map[string]int // events by outcome
	order   []string       // outcomes as they first came
	sent    int
	wrong   int
	cold    []string
	warm    []time.Duration
}

var titles = map[string]string{
	"post-confirmation":    "Post confirmation: the row in Hasura",
	"post-authentication":  "Post authentication: the row in Hasura",
	"pre-token-generation": "Pre token generation: whom the token is for, as which roles (the default first), and Hasura's word",
}

// line writes one line, without blanks at its end.
func (p *printer) line(format string, args ...any) {
	fmt.Fprintln(p.w, strings.TrimRight(fmt.Sprintf(format, args...), " "))
}

// event is one event among many.
func (p *printer) event(e recorded, s seen) {
	if p.section != e.trigger {
		if p.section != "" {
			p.line("")
		}
		p.section = e.trigger
		p.line("%s", titles[e.trigger])
	}
	mark, name := p.count(s), e.variant
	switch {
	case len(s.tokens) > 0:
		for i, t := range s.tokens {
			if i > 0 {
				mark, name = "", ""
			}
			p.line("%-4s%s %-7s%s %s", mark, fit(name, 27), t.use, fit(t.who(), 30), t.verdict())
		}
	case s.row != nil:
		about := s.row.Text("email")
		if about == "" {
			about = s.row.Text("phone_number")
		}
		p.line("%-4s%s %s%s  %s %s", mark, fit(name, 27), fit(s.call.Outcome, 8), short(s.row.Text("id")), fit(about, 22), s.notes())
	default:
		p.line("%-4s%s %-7s %s", mark, fit(name, 27), s.call.Outcome, s.notes())
	}
	p.faults(s)
}

// detail is one event alone: everything that is to be seen of it.
func (p *printer) detail(e recorded, s seen) {
	p.line("%-4s%s", p.count(s), e.path)
	p.line("    %s: %s %s", s.call.Function, s.call.Outcome, s.notes())
	for _, t := range s.tokens {
		p.line("\n    %s token: %s", t.use, t.verdict())
		p.line("    %s", indented(t.claims))
		if t.hasura != nil {
			p.line("    where %s is", namespace)
			p.line("    %s", indented(t.hasura))
		}
	}
	if s.row != nil {
		p.line("\n    its row")
		p.line("    %s", indented(s.row))
	}
	p.faults(s)
}

func indented(v any) string {
	text, err := json.MarshalIndent(v, "    ", "  ")
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// count keeps the books and returns the mark at the line's beginning.
func (p *printer) count(s seen) string {
	p.sent++
	if p.counts == nil {
		p.counts = make(map[string]int)
	}
	if o := s.call.Outcome; o != "" {
		if p.counts[o] == 0 {
			p.order = append(p.order, o)
		}
		p.counts[o]++
	}
	if s.call.Cold {
		p.cold = append(p.cold, fmt.Sprintf("%s %.0f ms", strings.TrimPrefix(s.call.Function, "hasura-cognito-"), ms(s.call.Init+s.call.Duration)))
	} else if s.call.RequestID != "" {
		p.warm = append(p.warm, s.call.Duration)
	}
	if len(s.faults) > 0 {
		p.wrong++
		return "BAD"
	}
	return "ok"
}

func (p *printer) faults(s seen) {
	for _, fault := range s.faults {
		p.line("      %s", plain(fault))
	}
}

// who is whom a token is for, and as what.
func (t token) who() string {
	if t.hasura == nil {
		return "no claims of Hasura's"
	}
	roles := []string{t.hasura.Default}
	for _, role := range t.hasura.Allowed {
		if role != t.hasura.Default {
			roles = append(roles, role)
		}
	}
	shown := strings.Join(roles, ", ")
	if len(roles) > 3 {
		shown = fmt.Sprintf("%s and %d more", roles[0], len(roles)-1)
	}
	return short(t.hasura.UserID) + "  " + shown
}

// verdict is Hasura's word on a token.
func (t token) verdict() string {
	switch {
	case t.refused != nil:
		return "refused: " + t.refused.Code
	case len(t.own) == 0:
		return "accepted, no row yet"
	case len(t.own) > 1 || t.own[0].Text("id") != t.claims["sub"]:
		return "accepted, READS OTHERS' ROWS"
	}
	return "accepted, reads own row"
}

// notes are what else the function's log says of the call.
func (s seen) notes() string {
	var notes []string
	for _, line := range s.call.Log {
		if line.Message == "dropped" {
			notes = append(notes, "without "+strings.Join(line.Dropped, ", "))
		}
		if line.Message == s.call.Outcome && line.Reason != "" {
			notes = append(notes, line.Reason)
		}
	}
	if s.untried && len(notes) == 0 {
		notes = append(notes, "no token is made of a test event")
	}
	if len(notes) == 0 {
		return ""
	}
	return "(" + strings.Join(notes, "; ") + ")"
}

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

// short is the beginning of an id, enough to know who it is.
func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

// fit pads or cuts text to a number of characters.
func fit(text string, width int) string {
	text = plain(text)
	n := utf8.RuneCountInString(text)
	if n > width {
		return string([]rune(text)[:width-1]) + "…"
	}
	return text + strings.Repeat(" ", width-n)
}

// plain replaces what could move the cursor or turn the writing round.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, text)
}
