package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
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
	anOutage:               "An outage: Hasura is down while somebody signs in, then comes back",
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

// notes are what else the function's log says of the call.
func (s seen) notes() string {
	var notes []string
	for _, line := range s.call.Log {
		if line.Message == "attributes dropped" {
			notes = append(notes, "without "+strings.Join(line.Dropped, ", "))
		}
		if line.Message == s.call.Outcome && line.Reason != "" {
			notes = append(notes, line.Reason)
		}
	}
	if s.note != "" {
		notes = append(notes, s.note)
	}
	if s.untried && len(notes) == 0 {
		notes = append(notes, "no token is made of a test event")
	}
	if len(notes) == 0 {
		return ""
	}
	return "(" + strings.Join(notes, "; ") + ")"
}
