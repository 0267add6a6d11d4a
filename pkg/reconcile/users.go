package reconcile

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// Users makes the rows of single users equal to the pool, and returns the outcome for each.
// Users who seem to be gone, and those whose row needs no change, are looked up a second
// time after Between: a first look-up can be older than the change that was the reason to
// ask. A user without an outcome was not done because of the error.
func (r *Reconciler) Users(ctx context.Context, subs []string) (map[string]Outcome, error) {
	o := &once{Reconciler: r, start: time.Now(), outcomes: make(map[string]Outcome)}
	again, err := o.round(ctx, subs, nil)
	if len(again) == 0 || r.DryRun {
		return o.outcomes, err
	}
	if !wait(ctx, time.Now().Add(r.between())) {
		for _, sub := range again {
			delete(o.outcomes, sub)
		}
		return o.outcomes, errors.Join(err, ctx.Err())
	}
	absent := make(map[string]bool)
	for _, sub := range again {
		absent[sub] = o.outcomes[sub] == Gone
		delete(o.outcomes, sub)
	}
	_, second := o.round(ctx, again, absent)
	return o.outcomes, errors.Join(err, second)
}

// once is one call of [Reconciler.Users].
type once struct {
	*Reconciler
	start    time.Time
	mu       sync.Mutex
	outcomes map[string]Outcome
}

func (o *once) count(d Difference) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.outcomes[d.Sub] = d.Outcome
}

// round looks up each user once. absent has those who were not in the pool in the first
// round; it is nil in that round. again has those to look up again.
func (o *once) round(ctx context.Context, subs []string, absent map[string]bool) (again []string, err error) {
	var batch []listed
	missing := make(map[string]time.Time) // the time of the look-up
	var lookups error
	for _, sub := range subs {
		u, found, at, err := o.Pool.Lookup(ctx, sub)
		switch {
		case err != nil:
			lookups = errors.Join(lookups, fmt.Errorf("look up a user: %w", err))
		case !found:
			missing[sub] = at
		case u.IsUnconfirmed():
			o.count(Difference{Sub: sub, Outcome: Unconfirmed})
		default:
			batch = append(batch, listed{u, at})
		}
	}
	if o.Rows.Table.KeyIsSub() {
		err = o.reconcile(ctx, batch, o.count)
	} else {
		for _, l := range batch { // two of them could have one id
			err = errors.Join(err, o.reconcile(ctx, []listed{l}, o.count))
		}
	}
	for _, l := range batch {
		if outcome := o.outcomes[l.user.ID]; outcome == Same || outcome == Newer {
			again = append(again, l.user.ID)
		}
	}
	rows, readErr := o.rows(ctx, missing)
	if readErr != nil {
		return again, errors.Join(lookups, err, readErr)
	}
	for sub, at := range missing {
		outcome, markErr := o.missing(ctx, rows[sub], look{at, absent != nil, absent[sub]})
		if err = errors.Join(err, markErr); markErr != nil {
			continue
		}
		o.count(Difference{Sub: sub, Outcome: outcome})
		if absent == nil && outcome == Gone && o.marks() {
			again = append(again, sub)
		}
	}
	return again, errors.Join(lookups, err)
}

func (o *once) marks() bool { return o.OnDelete != settings.Report && o.CanMark() == "" }

// rows returns the rows of users who are not in the pool, by sub.
func (o *once) rows(ctx context.Context, missing map[string]time.Time) (map[string]users.Stored, error) {
	bySub := make(map[string]users.Stored)
	table := o.Rows.Table
	if table.Sub == "" || len(missing) == 0 {
		return bySub, nil
	}
	subs := make([]string, 0, len(missing))
	for sub := range missing {
		subs = append(subs, sub)
	}
	rows, err := o.Rows.Get(ctx, table.Sub, subs)
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", err)
	}
	for _, row := range rows {
		bySub[row.Text(table.Sub)] = row
	}
	return bySub, nil
}

// A look is a look-up that did not find a user.
type look struct {
	at     time.Time
	second bool // the round
	absent bool // the first look-up did not find the user either
}

// missing says what to do with the row of a user who is not in the pool, and marks it after
// two look-ups.
func (o *once) missing(ctx context.Context, row users.Stored, l look) (Outcome, error) {
	table := o.Rows.Table
	synced := row.Time(table.SyncedAt)
	before := o.start.Add(-minAge)
	switch {
	case synced.IsZero():
		return Absent, nil
	case !row.Time(table.DeletedAt).IsZero() && (o.OnDelete != settings.Anonymize || table.IsErased(row)):
		return Marked, nil // earlier
	case !synced.Before(before), l.second && !l.absent:
		return Pending, nil
	case !l.second || !o.marks():
		return Gone, nil
	}
	marked, err := o.mark(ctx, row, before, l.at)
	if err != nil {
		return "", fmt.Errorf("mark a row: %w", err)
	}
	if !marked {
		return Pending, nil
	}
	o.Log.InfoContext(ctx, "marked", "user", row.Text(table.Sub))
	return Marked, nil
}
