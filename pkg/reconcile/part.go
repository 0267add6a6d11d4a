package reconcile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A part is one run over the users of a prefix.
type part struct {
	*Reconciler
	prefix string
	until  time.Time
	start  time.Time // before the listing
	seen   *subs     // of all users in the pool

	missing Missing

	mu     sync.Mutex
	report Report
}

// listed is a user and when the page was requested that it was on.
type listed struct {
	user pool.User
	at   time.Time
}

// compare lists the pool and writes the rows that differ.
func (p *part) compare(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	var batch []listed
	flush := func(limit int) {
		for len(batch) > 0 && len(batch) >= limit {
			next := batch[:min(batchSize, len(batch))]
			batch = batch[len(next):]
			group.Go(func() error { return p.reconcile(ctx, next, p.count) })
		}
	}
	keyIsSub := p.Rows.Table.KeyIsSub()
	err := p.Pool.List(ctx, p.prefix, func(page pool.Page) error {
		if p.isLate() {
			return errTime
		}
		n := 0
		for _, u := range page.Users {
			if !p.seen.add(u.ID) {
				continue // on an earlier page too
			}
			n++
			if u.IsUnconfirmed() {
				p.count(Difference{Sub: u.ID, Outcome: Unconfirmed})
			} else {
				batch = append(batch, listed{u, page.At})
			}
		}
		p.mu.Lock()
		p.report.InPool += n
		p.mu.Unlock()
		if p.Progress != nil {
			p.Progress(n)
		}
		if keyIsSub { // otherwise a later page can have another user with the same id
			flush(batchSize)
		}
		return ctx.Err()
	})
	if err == nil {
		if !keyIsSub {
			batch = p.withoutDuplicates(ctx, batch)
		}
		flush(1)
	}
	if failed := group.Wait(); failed != nil {
		return failed // why the listing was cancelled
	}
	return err
}

func (p *part) isLate() bool { return !p.until.IsZero() && time.Now().After(p.until) }

func (p *part) count(d Difference) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.report.count(d)
}

// withoutDuplicates leaves out the users who have the id of another one.
func (p *part) withoutDuplicates(ctx context.Context, batch []listed) []listed {
	table, n := p.Rows.Table, make(map[string]int, len(batch))
	key := func(l listed) string {
		row, _, err := p.mirror(l.user, l.at)
		if err != nil {
			return ""
		}
		return normal(table, row.Key)
	}
	for _, l := range batch {
		n[key(l)]++
	}
	return slices.DeleteFunc(batch, func(l listed) bool {
		k := key(l)
		if k == "" || n[k] == 1 {
			return false
		}
		p.Log.ErrorContext(ctx, "duplicate id", "user", l.user)
		p.count(Difference{Sub: l.user.ID, Outcome: Duplicate})
		return true
	})
}

// A planned row is one to write.
type planned struct {
	row users.Row
	Difference
	dropped []string
}

// reconcile writes the rows of a batch that differ, and calls count for each user.
func (r *Reconciler) reconcile(ctx context.Context, batch []listed, count func(Difference)) error {
	table := r.Rows.Table
	rows, keys := make([]planned, 0, len(batch)), make([]string, 0, len(batch))
	for _, l := range batch {
		row, dropped, err := r.mirror(l.user, l.at)
		if err != nil {
			count(Difference{Sub: l.user.ID, Outcome: Ignored})
			continue
		}
		rows = append(rows, planned{row: row, Difference: Difference{Sub: l.user.ID}, dropped: dropped})
		keys = append(keys, row.Key)
	}
	if len(rows) == 0 {
		return nil
	}
	found, err := r.Rows.Get(ctx, table.Key, keys)
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	stored := make(map[string]users.Stored, len(found))
	for _, row := range found {
		stored[normal(table, row.Text(table.Key))] = row
	}
	write := rows[:0]
	for _, p := range rows {
		p.Outcome = Inserted
		if row, ok := stored[normal(table, p.row.Key)]; ok {
			if p.Outcome, p.Columns, err = r.plan(ctx, p.row, row); err != nil {
				return err
			}
		}
		if p.Outcome == Inserted || p.Outcome == Updated {
			write = append(write, p)
		} else {
			count(p.Difference)
		}
	}
	if r.DryRun {
		for _, p := range write {
			count(p.Difference)
		}
		return nil
	}
	return r.write(ctx, write, count)
}

// plan says what to do with a user who has a row.
func (r *Reconciler) plan(ctx context.Context, row users.Row, stored users.Stored) (Outcome, []string, error) {
	table := r.Rows.Table
	columns := table.Differences(row, stored)
	synced := stored.Time(table.SyncedAt)
	switch {
	case len(columns) == 0 || r.OnlyMissing:
		return Same, nil, nil
	case !synced.Before(row.SyncedAt) && synced.Before(time.Now().Add(minAge)):
		return Newer, nil, nil
	}
	if other := stored.Text(table.Sub); table.Sub != "" && other != "" && other != row.Sub && users.IsUUID(other) {
		// The id was that of another user. Is that one still in the pool?
		_, alive, _, err := r.Pool.Lookup(ctx, other)
		if err != nil {
			return "", nil, fmt.Errorf("look up the owner of an id: %w", err)
		}
		if alive {
			r.Log.ErrorContext(ctx, "duplicate id", "user", row, "other", other)
			return Duplicate, nil, nil
		}
	}
	return Updated, columns, nil
}

// write writes rows and counts their users.
func (r *Reconciler) write(ctx context.Context, rows []planned, count func(Difference)) error {
	if len(rows) == 0 {
		return nil
	}
	for _, p := range rows {
		if len(p.dropped) > 0 {
			r.Log.WarnContext(ctx, "attributes dropped", "user", p.row, "columns", p.dropped)
		}
	}
	w := &writer{Reconciler: r, count: count}
	err := w.write(ctx, rows)
	for _, f := range w.failed {
		if err == nil {
			r.Log.ErrorContext(ctx, "permanent failure", "user", f.planned.row, "error", f.err)
			f.planned.Outcome, f.planned.Columns = Failed, nil
			count(f.planned.Difference)
		}
	}
	return err
}

// A writer writes one batch.
type writer struct {
	*Reconciler
	count   func(Difference)
	written int
	failed  []failure
}

type failure struct {
	planned planned
	err     error
}

// write writes rows in one transaction. If Hasura does not accept it because of a row, each
// half is written alone, until the row is found.
func (w *writer) write(ctx context.Context, rows []planned) error {
	batch := make([]users.Row, len(rows))
	for i := range rows {
		batch[i] = rows[i].row
	}
	n, err := w.Rows.Upsert(ctx, batch, earliest(batch))
	e, ok := errors.AsType[*hasura.Error](err)
	switch {
	case err == nil:
		w.written += len(rows)
		for _, p := range rows {
			// A row that was not written is newer now. Which one that is, is not known.
			if n--; n < 0 {
				p.Outcome, p.Columns = Newer, nil
			}
			w.count(p.Difference)
		}
		return nil
	case !ok || !e.MayBeRow():
		return fmt.Errorf("write rows: %w", err)
	case len(rows) > 1:
		half := len(rows) / 2
		if err := w.write(ctx, rows[:half]); err != nil {
			return err
		}
		return w.write(ctx, rows[half:])
	}
	w.failed = append(w.failed, failure{rows[0], err})
	if len(w.failed) > 10 && w.written == 0 || len(w.failed) > maxFailed {
		return fmt.Errorf("write rows: no row is accepted: %w", err) // not the fault of a row
	}
	return nil
}

// findGone finds the rows of the prefix whose users are not in the pool.
func (p *part) findGone(ctx context.Context) error {
	table := p.Rows.Table
	if table.Sub == "" {
		return nil
	}
	candidates, err := p.candidates(ctx)
	if err != nil || len(candidates) == 0 {
		return err
	}
	switch reason := p.refusal(len(candidates)); {
	case reason != "" && p.onlyCounts():
		for _, sub := range candidates {
			p.report.countLook(sub, Gone)
		}
		return nil
	case reason != "":
		p.report.Refused = reason
		p.Log.ErrorContext(ctx, "marking refused", "prefix", p.prefix, "reason", reason)
		return nil
	}
	if !p.until.IsZero() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, p.until)
		defer cancel()
	}
	for batch := range slices.Chunk(candidates, lookSize) {
		err := p.lookAt(ctx, batch)
		if err != nil && !p.until.IsZero() && time.Until(p.until) < time.Second { // the pool does not begin what would end too late
			return errTime
		} else if err != nil {
			return err
		}
	}
	return nil
}

// lookAt looks up users who were not in the listing, and puts those who must be looked up
// again into p.missing.
func (p *part) lookAt(ctx context.Context, subs []string) error {
	looks := make([]Look, len(subs))
	for i, sub := range subs {
		looks[i].Sub = sub
	}
	outcomes, _, err := p.Look(ctx, looks)
	for sub, outcome := range outcomes {
		switch {
		case outcome != Gone:
		case p.marks() && p.DryRun:
			outcome = Marked
		case p.marks():
			p.missing.Subs = append(p.missing.Subs, sub)
			continue
		case !p.DryRun:
			p.Log.InfoContext(ctx, "gone", "user", sub)
		}
		p.report.countLook(sub, outcome)
	}
	return err
}

// onlyCounts reports whether users who are gone are counted and never marked. Many are no
// reason to refuse anything then. A pool without users still is: it may be the wrong one.
func (p *part) onlyCounts() bool { return !p.marks() && len(p.seen.set) > 0 }

// candidates returns the subs of the rows that were written long enough before the listing,
// and whose users were not in it. They are at most one more than may be marked, unless they
// are only counted.
func (p *part) candidates(ctx context.Context) (candidates []string, err error) {
	table := p.Rows.Table
	page := hasura.Range{Prefix: p.prefix, Before: p.start.Add(-minAge), Limit: pageSize, Erase: p.OnDelete == settings.Anonymize}
	for {
		rows, err := p.Rows.List(ctx, page)
		if err != nil {
			return nil, fmt.Errorf("list rows: %w", err)
		}
		for _, row := range rows {
			if page.After = row.Text(table.Sub); page.After == "" {
				return candidates, nil // rows without a sub are the last ones
			}
			if users.IsUUID(page.After) && !p.seen.has(page.After) {
				if candidates = append(candidates, page.After); p.refusal(len(candidates)) != "" && !p.onlyCounts() {
					return candidates, nil
				}
			}
		}
		if len(rows) < page.Limit {
			return candidates, nil
		}
		if p.isLate() {
			return nil, errTime
		}
	}
}

// refusal says why so many rows must not be marked, or "".
func (p *part) refusal(candidates int) string {
	listed := len(p.seen.set)
	switch {
	case listed == 0:
		return "the pool has no user here, but the table has rows"
	case candidates > max(minGone, int(p.MaxGone*float64(listed))):
		return fmt.Sprintf("more than %d of %d users are gone", max(minGone, int(p.MaxGone*float64(listed))), listed)
	}
	return ""
}
