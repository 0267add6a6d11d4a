package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A printer writes for a terminal of 100 columns.
type printer struct {
	*tabwriter.Writer
	section string         // whose heading was printed
	counts  map[string]int // events by outcome
	order   []string       // outcomes, as they first came
	sent    int
	wrong   int
	cold    []string
	warm    []time.Duration
}

func newPrinter(w io.Writer) *printer {
	return &printer{Writer: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), counts: make(map[string]int)}
}

var headings = map[string]string{
	"post-confirmation":    "Post confirmation: the row in Hasura",
	"post-authentication":  "Post authentication: the row in Hasura",
	outageSection:          "Outage: a user signs in while Hasura is down, then Hasura comes back",
	"pre-token-generation": "Pre token generation: the token's user, the roles (the default role first), and Hasura's verdict",
}

// line ends the cells before it, so that they are aligned among each other.
func (p *printer) line(format string, args ...any) {
	_ = p.Flush()
	fmt.Fprintf(p, format+"\n", args...)
	_ = p.Flush()
}

// cells is a line of a table.
func (p *printer) cells(texts ...string) {
	for i := range texts {
		texts[i] = plain(texts[i])
	}
	fmt.Fprintln(p, strings.TrimRight(strings.Join(texts, "\t"), "\t "))
}

// event prints one event among many.
func (p *printer) event(e event, res result) {
	if p.section != e.trigger {
		p.section = e.trigger
		p.line("\n%s", headings[e.trigger])
	}
	mark, name := p.count(e, res), e.variant
	switch {
	case len(res.tokens) > 0:
		for _, t := range res.tokens {
			user, roles := t.owner()
			p.cells(mark, name, t.use, user, roles, t.verdict)
			mark, name = "", ""
		}
	case res.row != nil:
		contact := res.row.Text("email")
		if contact == "" {
			contact = res.row.Text("phone_number")
		}
		p.cells(mark, name, res.call.Outcome, short(res.row.Text("id")), trim(contact, 22), res.notes())
	default:
		p.cells(mark, name, res.call.Outcome+"  "+res.notes())
	}
	p.explain(res)
}

// detail prints everything about one event.
func (p *printer) detail(e event, res result) {
	p.line("%s  %s", p.count(e, res), plain(e.path))
	p.line("    %s: %s %s", res.call.Function, res.call.Outcome, res.notes())
	for _, t := range res.tokens {
		p.line("\n    %s token: %s\n    %s", t.use, t.verdict, indented(t.claims))
		if t.hasura != nil {
			p.line("    Hasura's claims in it\n    %s", indented(t.hasura))
		}
	}
	if res.row != nil {
		p.line("\n    the user row\n    %s", indented(res.row))
	}
	p.explain(res)
}

// explain prints what is not as expected, and what helps to find out why.
func (p *printer) explain(res result) {
	if len(res.wrong) == 0 {
		return
	}
	for _, text := range res.wrong {
		p.line("      %s", plain(text))
	}
	for _, text := range res.call.Errors {
		p.line("      Hasura's error: %s", plain(text))
	}
	for _, line := range res.call.Log {
		p.line("      log: %s", plain(line.Text))
	}
}

// count counts the event and returns the mark at the beginning of its line.
func (p *printer) count(e event, res result) string {
	p.sent++
	if o := res.call.Outcome; o != "" {
		if p.counts[o] == 0 {
			p.order = append(p.order, o)
		}
		p.counts[o]++
	}
	if res.call.Cold {
		p.cold = append(p.cold, fmt.Sprintf("%s %.0f ms", strings.TrimPrefix(res.call.Function, "hasura-cognito-"), ms(res.call.Init+res.call.Duration)))
	} else if e.trigger != outageSection {
		p.warm = append(p.warm, res.call.Duration)
	}
	if len(res.wrong) > 0 {
		p.wrong++
		return "BAD"
	}
	return "ok"
}

// notes are what else there is to say about the event.
func (res result) notes() string {
	var notes []string
	for _, line := range res.call.Log {
		if line.Message == "attributes dropped" {
			notes = append(notes, "without "+strings.Join(line.Attributes, ", "))
		}
		if line.Message == res.call.Outcome && line.Reason != "" {
			notes = append(notes, line.Reason)
		}
	}
	if res.note != "" && len(notes) == 0 {
		notes = append(notes, res.note)
	}
	if len(notes) == 0 {
		return ""
	}
	return "(" + strings.Join(notes, "; ") + ")"
}

// users prints the table.
func (p *printer) users(rows []stack.Row) {
	if len(rows) == 0 {
		p.line("\nThe table users is empty")
		return
	}
	p.line("\nThe table users")
	p.cells("  id", "email", "phone", "name", "provider", "status")
	for _, row := range rows {
		name := row.Text("name")
		if name == "" {
			name = strings.TrimSpace(row.Text("given_name") + " " + row.Text("family_name"))
		}
		p.cells("  "+short(row.Text("id")), trim(row.Text("email"), 22), row.Text("phone_number"), trim(name, 16),
			trim(row.Text("identity_provider"), 8), row.Text("status"))
	}
}

// strays prints the lines that are not log records. There should be none.
func (p *printer) strays(lines []stack.Line) {
	lines = slices.DeleteFunc(lines, func(l stack.Line) bool { return l.Message != "" })
	if len(lines) == 0 {
		return
	}
	p.wrong++
	p.line("\nThe functions printed lines that are not log records:")
	for _, line := range lines {
		p.line("    %s", plain(line.Text))
	}
}

// summary prints the last lines. It reports whether something is not as expected.
func (p *printer) summary(rows int, took time.Duration) (wrong bool) {
	var counts []string
	for _, outcome := range p.order {
		counts = append(counts, fmt.Sprintf("%d %s", p.counts[outcome], outcome))
	}
	verdict := "all as expected"
	if p.wrong > 0 {
		verdict = fmt.Sprintf("%d NOT AS EXPECTED", p.wrong)
	}
	p.line("\n%s, %s, %.1f s: %s\n%s", plural(p.sent, "event"), plural(rows, "row"), took.Seconds(), verdict, strings.Join(counts, ", "))
	times := "cold starts: " + strings.Join(p.cold, ", ")
	if len(p.warm) > 0 {
		slices.Sort(p.warm)
		times += fmt.Sprintf("; warm calls: %.1f ms (median)", ms(p.warm[len(p.warm)/2]))
	}
	p.line("%s", times)
	return p.wrong > 0
}

func plural(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func indented(v any) string {
	text, err := json.MarshalIndent(v, "    ", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// short is the beginning of an id, enough to recognize it.
func short(id string) string { return id[:min(8, len(id))] }

// trim cuts text to a number of characters.
func trim(text string, width int) string {
	if runes := []rune(text); len(runes) > width {
		return string(runes[:width-1]) + "…"
	}
	return text
}

// plain replaces characters that could move the cursor or reverse the direction of writing.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, text)
}
