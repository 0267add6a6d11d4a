package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A printer writes for a terminal of 100 columns.
type printer struct {
	*tabwriter.Writer
	section  string         // whose heading was printed
	outcomes map[string]int // how many events had each
	wrong    int
}

func newPrinter(w io.Writer) *printer {
	return &printer{Writer: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0), outcomes: make(map[string]int)}
}

var headings = map[string]string{
	"post-confirmation":   "Post confirmation: the row in Hasura",
	"post-authentication": "Post authentication: the row in Hasura",
	tenantsSection: "Tenants and machines: the roles, and whose documents Hasura shows in each role\n" +
		"Settings: " + tenantSettings.String(),
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

// event prints what an event led to. In detail, that is also the claims of each token and the user row.
func (p *printer) event(e event, res result, detail bool) {
	if p.section != e.trigger {
		p.section = e.trigger
		p.line("\n%s", headings[e.trigger])
	}
	mark, name := "ok", e.variant
	if len(res.wrong) > 0 {
		p.wrong++
		mark = "BAD"
	}
	p.outcomes[res.call.Outcome]++
	switch {
	case len(res.tokens) > 0:
		for _, t := range res.tokens {
			user, roles := t.owner()
			p.cells(mark, name, t.use, user, roles, cmp.Or(t.documents, t.verdict))
			mark, name = "", ""
		}
	case res.row != nil:
		contact := cmp.Or(res.row.Of(users.Attribute("email")), res.row.Of(users.Attribute("phone_number")))
		p.cells(mark, name, res.call.Outcome, cut(res.row.ID(), 8), short(contact, 22), res.notes())
	default:
		p.cells(mark, name, res.call.Outcome+"  "+res.notes())
	}
	if detail {
		for _, t := range res.tokens {
			p.line("\n%s token: %s", t.use, indented(t.claims))
			if t.hasura != nil {
				p.line("Hasura's claims in it: %s", indented(t.hasura))
			}
		}
		if res.row != nil {
			p.line("\nuser row: %s", indented(res.row))
		}
	}
	p.explain(res)
}

// step prints what was done to many users, and what is not as expected.
func (p *printer) step(name, text string, wrong []string) {
	mark := "ok"
	if len(wrong) > 0 {
		p.wrong++
		mark = "BAD"
	}
	p.cells(mark, name, text)
	for _, fact := range wrong {
		p.line("      %s", plain(fact))
	}
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

// notes are what else there is to say about the event.
func (res result) notes() string {
	var notes []string
	for _, line := range res.call.Log {
		if line.Message == "attributes dropped" {
			notes = append(notes, "without "+strings.Join(line.Columns, ", "))
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

// preferred are sources in the order in which their columns are shown.
var preferred = []users.Source{users.Attribute("email"), users.Attribute("phone_number"), users.Attribute("given_name"), users.IdentityProvider,
	users.Attribute("cognito:user_status")}

// shownColumns are the columns that a table of rows shows beside the key: those of preferred sources, then others.
func shownColumns(t users.Table) (columns []string) {
	var others []string
	for _, c := range t.Columns {
		switch i := slices.IndexFunc(preferred, func(s users.Source) bool { return s.Name == c.Source.Name }); {
		case i >= 0:
			columns = append(columns, c.Name)
		case c.Name != t.Key && c.Kind != users.Timestamp && c.Kind != users.Boolean:
			others = append(others, c.Name)
		}
	}
	columns = append(columns, others...)
	return columns[:min(len(columns), len(preferred))]
}

// users prints the table.
func (p *printer) users(name string, rows []stack.Row) {
	if len(rows) == 0 {
		p.line("\nThe table %s is empty", name)
		return
	}
	p.line("\nThe table %s", name)
	columns := shownColumns(users.Description)
	p.cells(append([]string{"  " + users.Description.Key}, columns...)...)
	for _, row := range rows {
		cells := []string{"  " + cut(row.ID(), 8)}
		for _, column := range columns {
			cells = append(cells, short(row.Text(column), 20))
		}
		p.cells(cells...)
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
func (p *printer) summary(events, rows int, took time.Duration) (wrong bool) {
	var counts []string
	for _, outcome := range slices.Sorted(maps.Keys(p.outcomes)) {
		counts = append(counts, fmt.Sprintf("%d %s", p.outcomes[outcome], outcome))
	}
	verdict := "all as expected"
	if p.wrong > 0 {
		verdict = fmt.Sprintf("%d NOT AS EXPECTED", p.wrong)
	}
	p.line("\nevents: %d, rows: %d, %.1f s: %s\n%s", events, rows, took.Seconds(), verdict, strings.Join(counts, ", "))
	return p.wrong > 0
}

func indented(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// short is a text, or its beginning with an ellipsis.
func short(text string, characters int) string {
	if utf8.RuneCountInString(text) <= characters {
		return text
	}
	return cut(text, characters-1) + "…"
}

// cut is the beginning of a text.
func cut(text string, characters int) string { return fmt.Sprintf("%.*s", characters, text) }

// plain replaces characters that could move the cursor or reverse the direction of writing.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, text)
}
