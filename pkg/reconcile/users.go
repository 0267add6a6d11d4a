package reconcile

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	// BetweenLooks is the least time between two look-ups of a user. It is longer than the
	// pool's answer can be old.
	BetweenLooks = time.Minute
	// maxLooks is how often a user is looked up because of one change.
	maxLooks = 5
)

// A Look is a look-up of one user that is to be done. The zero value of the other fields is
// that of a first look-up.
type Look struct {
	Sub     string `json:"sub"`
	Earlier int    `json:"earlier,omitempty"` // how many look-ups were done before
	// AbsentAt is when the look-up before this one did not find the user. Only then can this
	// one mark the row, and only if the row was not written since five minutes before AbsentAt.
	AbsentAt time.Time     `json:"absent_at,omitzero"`
	Wait     time.Duration `json:"-"` // the least time before it, after the look-up before
	// Several means that several changes are the reason for it. The pool may show only the first.
	Several bool `json:"-"`
}

// Merge combines two look-ups of the same user into one.
func (l Look) Merge(other Look) Look {
	if l.AbsentAt.IsZero() || !other.AbsentAt.IsZero() && other.AbsentAt.Before(l.AbsentAt) {
		l.AbsentAt = other.AbsentAt
	}
	l.Earlier = min(l.Earlier, other.Earlier)
	return l
}

// Look looks each user up once, and makes the rows equal to the pool. It returns the outcome
// for each user, and the look-ups to do later. A user without an outcome was not done
// because of the error.
//
// A user whose row needs no change is looked up again, once: the pool's answer can be older
// than the change that was the reason to ask. So is a user with [Look.Several] whose row is
// written. A user who is not in the pool is Gone, or
// Pending, and only a second look-up marks the row.
func (r *Reconciler) Look(ctx context.Context, looks []Look) (outcomes map[string]Outcome, again map[string]Look, err error) {
	start := time.Now()
	outcomes = make(map[string]Outcome, len(looks))
	count := func(d Difference) { outcomes[d.Sub] = d.Outcome }
	bySub := make(map[string]Look, len(looks))
	var batch []listed
	missing := make(map[string]time.Time) // the time of the look-up
	var failed error                      // the first one, because the others are like it
	for _, look := range looks {
		if _, ok := bySub[look.Sub]; ok {
			continue
		}
		bySub[look.Sub] = look
		u, found, at, err := r.Pool.Lookup(ctx, look.Sub)
		switch {
		case err != nil && failed == nil:
			failed = fmt.Errorf("look up a user: %w", err)
		case err != nil:
		case !found:
			missing[look.Sub] = at
		case u.IsUnconfirmed():
			count(Difference{Sub: look.Sub, Outcome: Unconfirmed})
		default:
			batch = append(batch, listed{u, at})
		}
	}
	if r.Rows.Table.KeyIsSub() {
		err = r.reconcile(ctx, batch, count)
	} else {
		for _, l := range batch { // two of them could have one id
			err = errors.Join(err, r.reconcile(ctx, []listed{l}, count))
		}
	}
	rows, readErr := r.rows(ctx, missing)
	err = errors.Join(failed, err, readErr)
	for sub, at := range missing {
		if readErr != nil {
			break
		}
		outcome, markErr := r.absent(ctx, rows[sub], absence{start: start, before: bySub[sub].AbsentAt, at: at})
		if markErr != nil {
			err = errors.Join(err, markErr)
			continue
		}
		count(Difference{Sub: sub, Outcome: outcome})
	}
	again = make(map[string]Look)
	for sub, look := range bySub {
		if next, ok := r.next(look, outcomes[sub], start); ok {
			again[sub] = next
		}
	}
	return outcomes, again, err
}

// next returns the look-up that must follow one that began at start.
func (r *Reconciler) next(look Look, outcome Outcome, start time.Time) (Look, bool) {
	next := Look{Sub: look.Sub, Earlier: look.Earlier + 1, Wait: BetweenLooks}
	switch {
	case next.Earlier == maxLooks:
		return Look{}, false
	case outcome == Gone && r.marks():
		next.AbsentAt = start
	case outcome == Pending:
		next.Wait += minAge
	case look.Earlier > 0:
		return Look{}, false
	case outcome == Same, outcome == Newer, look.Several && (outcome == Inserted || outcome == Updated):
	default:
		return Look{}, false
	}
	return next, true
}

func (r *Reconciler) marks() bool { return r.OnDelete != settings.Report && r.CanMark() == "" }

// rows returns the rows of users who are not in the pool, by sub.
func (r *Reconciler) rows(ctx context.Context, missing map[string]time.Time) (map[string]users.Stored, error) {
	bySub := make(map[string]users.Stored)
	table := r.Rows.Table
	if table.Sub == "" || len(missing) == 0 {
		return bySub, nil
	}
	rows, err := r.Rows.Get(ctx, table.Sub, slices.Collect(maps.Keys(missing)))
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	for _, row := range rows {
		bySub[row.Text(table.Sub)] = row
	}
	return bySub, nil
}

// An absence is a look-up that did not find a user.
type absence struct {
	start  time.Time // of the look-ups
	before time.Time // when an earlier look-up did not find the user either; zero if there was none
	at     time.Time
}

// absent says what to do with the row of a user who is not in the pool, and marks it after
// two look-ups.
func (r *Reconciler) absent(ctx context.Context, row users.Stored, a absence) (Outcome, error) {
	table, first := r.Rows.Table, a.before.IsZero()
	if first {
		a.before = a.start
	}
	synced, before := row.Time(table.SyncedAt), a.before.Add(-minAge)
	switch {
	case synced.IsZero():
		return Absent, nil
	case !row.Time(table.DeletedAt).IsZero() && (r.OnDelete != settings.Anonymize || table.IsErased(row)):
		return Marked, nil // earlier
	case !synced.Before(before):
		return Pending, nil
	case first || r.DryRun || !r.marks():
		return Gone, nil
	}
	marked, err := r.mark(ctx, row, before, a.at)
	if err != nil {
		return "", fmt.Errorf("mark a row: %w", err)
	}
	if !marked {
		return Pending, nil // it was written meanwhile
	}
	r.Log.InfoContext(ctx, "marked", "user", row.Text(table.Sub))
	return Marked, nil
}

// Users makes the rows of single users equal to the pool, and returns the outcome for each.
// It waits for the second look-ups. A user without an outcome was not done because of the
// error.
func (r *Reconciler) Users(ctx context.Context, subs []string) (map[string]Outcome, error) {
	looks := make([]Look, len(subs))
	for i, sub := range subs {
		looks[i].Sub = sub
	}
	outcomes, again, err := r.Look(ctx, looks)
	maps.DeleteFunc(again, func(_ string, look Look) bool { return look.Wait > BetweenLooks }) // too long to wait
	if len(again) == 0 || r.DryRun {
		return outcomes, err
	}
	for sub := range again {
		delete(outcomes, sub)
	}
	if !wait(ctx, time.Now().Add(r.between())) {
		return outcomes, errors.Join(err, ctx.Err())
	}
	second, third, secondErr := r.Look(ctx, slices.Collect(maps.Values(again)))
	maps.Copy(outcomes, second)
	for sub := range third { // the first look-up has found the user
		outcomes[sub] = Pending
	}
	return outcomes, errors.Join(err, secondErr)
}
