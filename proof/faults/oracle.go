package main

import (
	"context"
	"fmt"
	"slices"
	"time"
)

const (
	budget = 3500 * time.Millisecond // SYNC_BUDGET's default
	// allowance is for what is not the function's time: a loaded machine starts its
	// process and schedules it. With it a call still ends before Cognito gives up.
	allowance = time.Second
	// swift bounds the median of calls that the breaker keeps from Hasura.
	swift = 300 * time.Millisecond
)

// A finding is what the oracle says of a row.
type finding struct {
	refused, calls, missing int
	median, slowest         time.Duration
	spared                  int           // calls that the breaker kept from Hasura
	sparedMedian            time.Duration // of those
	faults                  []string      // what is off
}

// judge looks at the database behind Hasura's back, at what Cognito was told and at
// everything that was printed. It shares no code with the functions.
func (w *world) judge(ctx context.Context, s scene, visits []visit) finding {
	var f finding
	off := func(format string, args ...any) { f.faults = append(f.faults, fmt.Sprintf(format, args...)) }

	newest, open := make(map[string]person), w.journal.open()
	var all, spared []time.Duration
	for _, v := range visits {
		f.calls += v.calls
		if v.refused != "" {
			f.refused++
		}
		all = append(all, v.took)
		if open[v.request] {
			spared = append(spared, v.took)
		}
		if p := newest[v.person.id()]; v.person.times >= p.times {
			newest[v.person.id()] = v.person
		}
	}
	f.median, f.slowest, f.spared, f.sparedMedian = median(all), slices.Max(all), len(spared), median(spared)

	rows, err := w.rows(ctx)
	if err != nil {
		off("the rows cannot be read: %v", err)
	}
	for id, p := range newest {
		if got := rows[id]; len(got) > 1 {
			off("%s has %d rows", id, len(got))
		} else if len(got) == 0 || got[0] != p {
			f.missing++
		}
		delete(rows, id)
	}
	if len(rows) > 0 {
		off("%d rows of nobody", len(rows))
	}

	if f.refused != s.mayFail {
		off("%d people were refused, want %d", f.refused, s.mayFail)
	}
	if f.slowest > budget+allowance {
		off("a call took %v, the budget is %v", f.slowest, budget)
	}
	if f.sparedMedian > swift {
		off("with the breaker open the median is %v, want at most %v", f.sparedMedian, swift)
	}
	unsynced := w.journal.count("sync lost")
	if f.missing != unsynced {
		off("%d rows are missing or not of the newest sign-in, and %d records say so", f.missing, unsynced)
	}
	if !s.lossy && unsynced > 0 {
		off("%d syncs were lost", unsynced)
	}
	for _, phrase := range s.want {
		if w.journal.count(phrase) == 0 {
			off("nothing was %s", phrase)
		}
	}
	if n := len(w.journal.leaks); n > 0 {
		off("%d records have in them what must not get out: %q", n, slices.Compact(slices.Sorted(slices.Values(w.journal.leaks))))
	}
	if w.journal.strays > 0 {
		off("%d lines are no log records", w.journal.strays)
	}
	return f
}

// rows reads who has which rows, as the persons that their columns tell of.
func (w *world) rows(ctx context.Context) (map[string][]person, error) {
	result, err := w.database.SQL.QueryContext(ctx, "SELECT id, coalesce(username, ''), coalesce(email, ''), coalesce(name, '') FROM users")
	if err != nil {
		return nil, err
	}
	defer result.Close()
	rows := make(map[string][]person)
	for result.Next() {
		var id, username, email, name string
		if err := result.Scan(&id, &username, &email, &name); err != nil {
			return nil, err
		}
		var p person
		// What cannot be read is nobody, and so equals no newest sign-in.
		_, _ = fmt.Sscanf(email, canary+"-%d-%d@example.com", &p.n, &p.times)
		if p.id() != id || p.username() != username || p.name() != name {
			p = person{}
		}
		rows[id] = append(rows[id], p)
	}
	return rows, result.Err()
}

func median(d []time.Duration) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(d))[len(d)/2]
}
