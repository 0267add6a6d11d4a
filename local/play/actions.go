package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// An action is what a user of the page asked the pool for: one operation, or some in a row.
type action struct {
	ID      int
	Title   string
	User    cognitoidp.User // as it is afterwards; empty for a machine
	Version string
	Steps   []step
	Refused error  // Cognito's error, which ends the action
	Done    string // what Cognito did
	Tokens  *signed

	before, after stack.Row
}

// keep is how many actions the page remembers.
const keep = 200

// act does the operations one after the other, until Cognito refuses one. The title goes on after the user's name.
func (a *app) act(ctx context.Context, title string, operations []string, r request) (*action, error) {
	a.acting.Lock()
	defer a.acting.Unlock()
	before, err := a.rows(ctx)
	if err != nil {
		return nil, err
	}
	this := &action{Version: "V" + a.version() + "_0"}
	for _, operation := range operations {
		res, err := a.do(ctx, operation, r)
		if err != nil {
			return nil, err
		}
		r.sub = res.sub
		this.Steps, this.Refused, this.Done = append(this.Steps, res.steps...), res.refused, done[operation]
		if res.tokens.Access != "" {
			this.Tokens = newSigned(cmp.Or(r.sub, clientID), res.tokens, r.refresh)
		}
		if this.Refused != nil {
			break
		}
	}
	after, err := a.rows(ctx)
	if err != nil {
		return nil, err
	}
	this.before, this.after = rowOf(r.sub, before, after)
	this.User, _ = a.pool.Users.Get(r.sub)
	this.Title = strings.TrimSpace(cmp.Or(label(this.User), r.who.attributes["email"]) + " " + title)
	a.remember(this)
	return this, nil
}

func (a *app) remember(this *action) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lastID++
	this.ID = a.lastID
	a.actions = append(a.actions, this)
	a.actions = a.actions[max(0, len(a.actions)-keep):]
	if this.Tokens != nil {
		a.tokens[this.Tokens.Subject] = this.Tokens
	}
}

// rows are the user rows by key.
func (a *app) rows(ctx context.Context) (map[string]stack.Row, error) {
	list, err := a.stack.Users(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the user rows: %w", err)
	}
	rows := make(map[string]stack.Row)
	for _, row := range list {
		rows[row.ID()] = row
	}
	return rows, nil
}

// rowOf returns a user's row before and after. With the setting USER_ID the key is not the sub; then it is the row that changed.
func rowOf(sub string, before, after map[string]stack.Row) (was, is stack.Row) {
	if after[sub] != nil {
		return before[sub], after[sub]
	}
	for id, row := range after {
		for _, c := range users.Description.Columns {
			if row.Text(c.Name) != before[id].Text(c.Name) {
				return before[id], row
			}
		}
	}
	return nil, nil
}

// A column is one value of a row before and after an action.
type column struct{ Name, Before, After string }

func (c column) Changed() bool { return c.Before != c.After }

// Row has the columns of the user's row before and after that have a value; nil if there is no row.
func (a *action) Row() (columns []column) {
	for _, c := range users.Description.Columns {
		if was, is := a.before.Text(c.Name), a.after.Text(c.Name); was != "" || is != "" {
			columns = append(columns, column{c.Name, was, is})
		}
	}
	return columns
}

// IsNew reports whether the action wrote the row for the first time.
func (a *action) IsNew() bool { return a.before == nil }

// Empty names the other columns.
func (a *action) Empty() (names []string) {
	for _, c := range users.Description.Columns {
		if a.before.Text(c.Name) == "" && a.after.Text(c.Name) == "" {
			names = append(names, c.Name)
		}
	}
	return names
}

// RowText says what happened to the row.
func (a *action) RowText() string {
	changed := 0
	for _, c := range a.Row() {
		if c.Changed() {
			changed++
		}
	}
	switch {
	case a.Tokens != nil && a.Tokens.Subject == clientID:
		return "A machine has no row."
	case a.after == nil:
		return "There is no row yet."
	case a.before == nil:
		return "The row is new."
	case changed == 0:
		return "The row is as it was."
	case changed == 1:
		return "1 column changed."
	}
	return fmt.Sprintf("%d columns changed.", changed)
}

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

// Answer is the response, or the function's error.
func (s step) Answer() string { return indent(s.Call.Payload) }

// Time is how long the function took, and the init of a cold start.
func (s step) Time() string {
	text := milliseconds(s.Call.Duration)
	if s.Call.Cold {
		text += ", after a cold start of " + milliseconds(s.Call.Init)
	}
	return text
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64) + " ms"
}

// Kind is the class of a step in the style sheet.
func (s step) Kind() string {
	switch {
	case s.Refused != nil:
		return "bad"
	case slices.Contains([]string{"parked", "permanent failure", "sync lost", "misconfigured"}, s.Call.Outcome):
		return "warn"
	}
	return "ok"
}

// File is the name that events/ gives to such an event.
func (s step) File(who cognitoidp.User) string {
	var e struct{ Version string }
	_ = json.Unmarshal(s.Event, &e) // the event is made here
	trigger, source, _ := strings.Cut(s.Source, "_")
	name := map[string]string{"PostConfirmation": "post-confirmation", "PostAuthentication": "post-authentication"}[trigger]
	switch {
	case trigger == "TokenGeneration":
		name = "pre-token-generation-v" + e.Version + "-" + kebab(source)
	case source == "ConfirmForgotPassword":
		name += "-forgot-password"
	case who.Provider != "":
		name += "-federated-" + strings.ToLower(who.Provider)
	case source == "ConfirmSignUp":
		name += "-sign-up"
	}
	person, _, _ := strings.Cut(label(who), "@")
	person = strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, person)
	return strings.Trim(name+"-"+person, "-") + ".json"
}

// kebab turns ClientCredentials into client-credentials.
func kebab(name string) string {
	var text strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			text.WriteByte('-')
		}
		text.WriteRune(unicode.ToLower(r))
	}
	return text.String()
}

// EventText is the event as the files of events/ hold it: indented, with characters that do not print escaped.
func (s step) EventText() string {
	var text strings.Builder
	for _, r := range indent(s.Event) + "\n" {
		if r == '\n' || unicode.IsPrint(r) {
			text.WriteRune(r)
		} else {
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&text, `\u%04x`, unit)
			}
		}
	}
	return text.String()
}

func indent(text []byte) string {
	var out bytes.Buffer
	if json.Indent(&out, bytes.TrimSpace(text), "", "  ") != nil {
		return string(text)
	}
	return out.String()
}

func (a *app) findAction(id string) (*action, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, this := range a.actions {
		if strconv.Itoa(this.ID) == id {
			return this, nil
		}
	}
	return nil, problemf(http.StatusNotFound, "The page remembers the last %d actions, and this is not one of them.", keep)
}

// lastAction returns the last action of a user; nil if there is none.
func (a *app) lastAction(sub string) *action {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, this := range slices.Backward(a.actions) {
		if this.User.Sub() == sub {
			return this
		}
	}
	return nil
}

// saveEvent downloads the event of a step. Nothing is written here.
func (a *app) saveEvent(w http.ResponseWriter, r *http.Request) error {
	this, err := a.findAction(r.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(r.PathValue("step"))
	if err != nil || n < 0 || n >= len(this.Steps) || len(this.Steps[n].Event) == 0 {
		return problemf(http.StatusNotFound, "The action has no such event.")
	}
	s := this.Steps[n]
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", s.File(this.User)))
	_, _ = w.Write([]byte(s.EventText())) // the client may be gone
	return nil
}

// parsePairs reads lines of the form name=value.
func parsePairs(text string) (map[string]string, error) {
	pairs := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.TrimSpace(line) == "" {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, errors.New(strconv.Quote(line) + ": not of the form name=value")
		}
		pairs[name] = value
	}
	return pairs, nil
}
