package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	table "github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	budget = 3500 * time.Millisecond // the default of SYNC_BUDGET
	// allowance is for starting and scheduling a process on a loaded machine. With it a call still ends before Cognito
	// stops waiting.
	allowance = time.Second
	// swift bounds the median of calls while the breaker is open.
	swift = 300 * time.Millisecond
	// longestLine is more than any log record needs.
	longestLine = 4096
)

// A report is what happened in a row.
type report struct {
	row             row
	refused         int
	median, slowest time.Duration
	spared          time.Duration  // median of the calls during which the breaker was open; 0 if there were none
	counts          map[string]int // of log messages
	unwritten       []string       // subs of users whose rows can never be written
	wrong           []string       // what is not as promised
}

// judge compares the rows, what Cognito was told and everything that was printed with the promises. It shares no code with
// the functions.
func (rep *report) judge(ctx context.Context, e *environment) {
	wrong := func(format string, args ...any) { rep.wrong = append(rep.wrong, fmt.Sprintf(format, args...)) }
	want := rep.row.want

	spared, lost := rep.readLog(e.Log.Lines(), wrong)
	newest, known := make(map[string]user), make(map[string][]user) // known also has refused sign-ins
	var all, open []time.Duration
	for _, s := range e.signIns {
		all = append(all, s.slowest)
		rep.slowest = max(rep.slowest, s.slowest)
		if spared[s.request] {
			open = append(open, s.slowest)
		}
		if s.refused != "" {
			rep.refused++
		}
		id := s.user.id()
		if s.user == (user{}) { // of the claims function, which writes no row
			continue
		}
		known[id] = append(known[id], s.user)
		if s.refused == "" && s.user.times >= newest[id].times {
			newest[id] = s.user
		}
	}
	rep.median, rep.spared = median(all), median(open)

	rows, err := e.Users(ctx)
	if err != nil {
		wrong("the rows cannot be read: %v", err)
	}
	written := make(map[string]bool)
	for _, row := range rows {
		id, u := row.ID(), signInOf(row)
		switch last, let := newest[id]; {
		case known[id] == nil:
			wrong("a row belongs to no user: %s", id)
		case let && u.times >= last.times && slices.Contains(known[id], u):
			written[id] = true
		}
	}
	missing, said := len(newest)-len(written), make(map[string]bool)
	for _, s := range e.signIns {
		if _, let := newest[s.user.id()]; let && !written[s.user.id()] && lost[s.request] {
			said[s.user.id()] = true
		}
	}
	// SQS can have stored a sync when the fault cuts the connection: its sender must take it for lost. That happens once per
	// environment each time that the fault of a stream begins.
	needless := 0
	if rep.row.stream && want.lossy {
		needless = faultsOfStream * e.size.environments
	}
	switch n := rep.counts["sync lost"]; {
	case missing != len(said) || n > missing+needless:
		wrong("%d rows are missing or not of the newest sign-in, log records say so of %d of them, and %d say that a sync is lost", missing, len(said), n)
	case n > 0 && !want.lossy:
		wrong("%d syncs were lost", n)
	}
	if rep.refused != want.refused {
		wrong("%d sign-ins were refused, want %d", rep.refused, want.refused)
	}
	if rep.slowest > budget+allowance {
		wrong("a call took %v, the budget is %v", rep.slowest, budget)
	}
	if rep.spared > swift {
		wrong("while the breaker was open the median was %v, want at most %v", rep.spared, swift)
	}
}

// readLog judges what was printed. It returns the calls during which the breaker was open, and those whose sync was lost.
func (rep *report) readLog(lines []stack.Line, wrong func(string, ...any)) (spared, lost map[string]bool) {
	rep.counts, spared, lost = make(map[string]int), make(map[string]bool), make(map[string]bool)
	class, leaks, long, strays := "", make(map[string]bool), 0, 0
	for _, line := range lines {
		rep.counts[line.Message]++
		if line.Message == "" {
			strays++
		}
		if line.Message == "parked" && class == "" {
			class = line.Class
		}
		if strings.Contains(line.Error, "breaker-open") {
			spared[line.RequestID] = true
		}
		if line.Message == "sync lost" {
			lost[line.RequestID] = true
		}
		if strings.Contains(line.Text, canary) {
			leaks[line.Message] = true
		}
		if len(line.Text) > longestLine {
			long++
		}
	}
	for _, message := range rep.row.want.logged {
		if rep.counts[message] == 0 {
			wrong("nothing was logged as %q", message)
		}
	}
	if n := rep.counts[rep.row.want.never]; n > 0 && rep.row.want.never != "" {
		wrong("%d records are %q", n, rep.row.want.never)
	}
	if want := rep.row.want.class; want != "" && class != want {
		wrong("the first parked sync has class %q, want %q", class, want)
	}
	for message := range leaks {
		wrong("a record %q has a value that must not be logged", message)
	}
	if long > 0 {
		wrong("%d lines are longer than %d bytes", long, longestLine)
	}
	if strays > 0 {
		wrong("%d lines are not log records", strays)
	}
	return spared, lost
}

// signInOf is the sign-in that a row comes from. That of a mixed row is the zero user, who never signs in.
func signInOf(row stack.Row) (u user) {
	_, _ = fmt.Sscanf(row.Of(table.Attribute("email")), canary+"-%d-%d@example.com", &u.n, &u.times)
	want := u.values()
	for _, c := range table.Description.Columns {
		if value, ok := want[c.Source.Name]; ok && row.Text(c.Name) != value {
			return user{}
		}
	}
	return u
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(d))[len(d)/2]
}
