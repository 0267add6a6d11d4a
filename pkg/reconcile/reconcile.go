// Package reconcile makes the users table equal to the user pool: it compares the pool's
// users with their rows, writes the rows that differ, and marks the rows of users who are
// gone. One table holds the users of one pool.
//
// A row is written with the time of the page request less one minute, because ListUsers is
// eventually consistent. A sync that came in later is never overwritten. Only rows that a
// sync or reconcile wrote can be marked; when in doubt, nobody is.
package reconcile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	// staleness is how old the pool's answer can be.
	staleness = time.Minute
	// minAge is how long ago a row must have been written to be marked.
	minAge = 5 * time.Minute
	// minGone users may be gone in a part, whatever the share.
	minGone = 10
	// batchSize is how many users are compared and written at once.
	batchSize = 500
	// parallel is how many batches of a part are under way beside the listing.
	parallel = 2
	// pageSize is how many rows are read at once to find users who are gone.
	pageSize = 2000
	// lookSize is how many users are looked up before their rows are read.
	lookSize = 100
	// maxFailed is how many rows of a part may fail before the part fails.
	maxFailed = 100
	// samples is how many differences a report shows.
	samples = 20
)

// A Reconciler compares one pool with one table. Its methods are safe for concurrent use.
type Reconciler struct {
	Pool     *pool.Pool
	Rows     *hasura.Rows
	UserID   string            // as in the setting USER_ID
	OnDelete settings.OnDelete // what happens to the row of a user who is gone
	// MaxGone is the share of a part's users who may be gone. If there are more, and more
	// than 10, nobody in the part is marked.
	MaxGone float64
	// Between is how long Part and Users wait between two look-ups of a user; 0 means
	// BetweenLooks.
	Between time.Duration
	// DryRun writes nothing. Users who seem to be gone are looked up once.
	DryRun bool
	// OnlyMissing writes users without a row, and nothing else.
	OnlyMissing bool
	// Progress, if not nil, is called with the number of users that were read.
	Progress func(users int)
	Log      *slog.Logger
}

// An Outcome says what happened to one user.
type Outcome string

// The outcomes. In a dry run they say what would become of the user.
const (
	Inserted    Outcome = "inserted"
	Updated     Outcome = "updated"
	Same        Outcome = "same"        // the row has the pool's values
	Newer       Outcome = "newer"       // a sync wrote the row less than a minute before the pool was read, or later
	Unconfirmed Outcome = "unconfirmed" // the user has not confirmed the sign-up, and gets no row
	Ignored     Outcome = "ignored"     // the user's id does not fit the key, or a required column has no value
	Duplicate   Outcome = "duplicate"   // another user of the pool has the same id; neither is written
	Failed      Outcome = "failed"      // Hasura does not accept the row
	Absent      Outcome = "absent"      // neither in the pool nor in the table, or the row did not come from Cognito
	Gone        Outcome = "gone"        // not in the pool; the row was left alone
	Marked      Outcome = "marked"      // not in the pool; the row was marked or emptied
	Pending     Outcome = "pending"     // not in the pool, but the row was written too recently to be sure
)

// A Report counts what a run did; a dry run counts what it would do.
type Report struct {
	InPool int             // users in the pool
	Counts map[Outcome]int // of users in the pool, and of rows whose users are gone
	// Columns counts, by column, the rows to update that differ in it.
	Columns map[string]int
	// Refused says why rows without a user were not marked; "" if marking was not refused.
	Refused string
	// Complete means that the pool's listing was complete and everything was compared.
	Complete bool
	Samples  []Difference // some of the differences
}

// A Difference is a user whose row is not equal to the pool.
type Difference struct {
	Sub     string
	Outcome Outcome
	Columns []string // that differ, for Updated
}

// Add adds the counts of another report. The sum is complete if both are.
func (r *Report) Add(other Report) {
	r.init()
	r.InPool += other.InPool
	for outcome, n := range other.Counts {
		r.Counts[outcome] += n
	}
	for column, n := range other.Columns {
		r.Columns[column] += n
	}
	if r.Refused == "" {
		r.Refused = other.Refused
	}
	r.Complete = r.Complete && other.Complete
	r.Samples = append(r.Samples, other.Samples[:min(len(other.Samples), samples-len(r.Samples))]...)
}

func (r *Report) init() {
	if r.Counts == nil {
		r.Counts, r.Columns = make(map[Outcome]int), make(map[string]int)
	}
}

func (r *Report) count(d Difference) {
	r.init()
	r.Counts[d.Outcome]++
	for _, column := range d.Columns {
		r.Columns[column]++
	}
	if d.Outcome != Same && d.Outcome != Unconfirmed && len(r.Samples) < samples {
		r.Samples = append(r.Samples, d)
	}
}

// countLook counts a user who was not in the listing.
func (r *Report) countLook(sub string, outcome Outcome) {
	if !slices.Contains([]Outcome{Absent, Gone, Marked, Pending}, outcome) {
		r.InPool++
	}
	r.count(Difference{Sub: sub, Outcome: outcome})
}

// LogValue returns the counts that are not zero.
func (r Report) LogValue() slog.Value {
	attrs := []slog.Attr{slog.Int("in_pool", r.InPool)}
	for _, outcome := range []Outcome{Inserted, Updated, Same, Newer, Unconfirmed, Ignored, Duplicate, Failed, Gone, Marked, Pending} {
		if n := r.Counts[outcome]; n > 0 {
			attrs = append(attrs, slog.Int(string(outcome), n))
		}
	}
	return slog.GroupValue(attrs...)
}

// Drift is the number of rows that were not equal to the pool.
func (r Report) Drift() int {
	n := 0
	for _, outcome := range []Outcome{Inserted, Updated, Failed, Gone, Marked} {
		n += r.Counts[outcome]
	}
	return n
}

// An Unfinished is the error of a part that did not end in time.
type Unfinished struct {
	// Parts are smaller parts that together are the part. It is empty if the part cannot be
	// split.
	Parts []string
}

func (u *Unfinished) Error() string {
	return fmt.Sprintf("the part did not end in time; it has %d smaller parts", len(u.Parts))
}

// Plan returns prefixes of subs that divide a pool of about so many users into parts.
// Together they are the whole pool.
func Plan(estimate int) []string {
	const small, large = 20_000, 65_000 // users of one part
	switch {
	case estimate <= small:
		return []string{""}
	case estimate <= 16*large:
		return split("", 1)
	}
	// In newer pools the second digit of all subs is the same.
	return split("", 3)
}

const digits = "0123456789abcdef"

// split returns the prefixes with so many digits more.
func split(prefix string, more int) []string {
	if more == 0 {
		return []string{prefix}
	}
	var parts []string
	for _, digit := range digits {
		parts = append(parts, split(prefix+string(digit), more-1)...)
	}
	return parts
}

// smaller splits a part at the first digit in which the subs that were seen in it differ.
func smaller(prefix string, seen *subs) []string {
	common := seen.common()
	if len(common) < len(prefix) {
		common = prefix
	}
	if len(common) >= 7 { // the digits before the first hyphen, less the one that is added
		return nil
	}
	var parts []string
	for i := len(prefix); i < len(common); i++ {
		for _, digit := range digits {
			if byte(digit) != common[i] {
				parts = append(parts, common[:i]+string(digit))
			}
		}
	}
	return append(parts, split(common, 1)...)
}

// Missing are users whose rows must be marked if a second look-up does not find them either.
type Missing struct {
	Subs []string `json:"subs"`
	// Listed is when the listing of the part began that did not have the users. Rows that
	// were written later than five minutes before it are not marked.
	Listed time.Time `json:"listed"`
}

// Compare makes the rows of the users whose sub begins with a prefix equal to the pool; "" is
// the whole pool. Nobody is marked before [Reconciler.Confirm] is called, [BetweenLooks]
// later. If until is not zero and comes first, the error is an [*Unfinished]. The report
// counts what was done before an error too. It can be run again at any time.
func (r *Reconciler) Compare(ctx context.Context, prefix string, until time.Time) (Report, Missing, error) {
	p := &part{Reconciler: r, prefix: prefix, until: until, start: time.Now(), seen: newSubs()}
	p.missing.Listed = p.start
	p.report.init()
	err := p.compare(ctx)
	if err == nil && !r.OnlyMissing {
		err = p.findGone(ctx)
	}
	if errors.Is(err, errTime) {
		err = &Unfinished{smaller(prefix, p.seen)}
	}
	p.report.Complete = err == nil
	return p.report, p.missing, err
}

// Confirm looks users up once more, and marks the rows of those who are absent again. A row
// that cannot be marked does not hold up the others. It can be run again at any time.
func (r *Reconciler) Confirm(ctx context.Context, m Missing) (report Report, err error) {
	report.init()
	for batch := range slices.Chunk(m.Subs, lookSize) {
		looks := make([]Look, len(batch))
		for i, sub := range batch {
			looks[i] = Look{Sub: sub, Earlier: 1, AbsentAt: m.Listed}
		}
		outcomes, _, failed := r.Look(ctx, looks)
		for sub, outcome := range outcomes {
			report.countLook(sub, outcome)
		}
		if err = errors.Join(err, failed); ctx.Err() != nil {
			break
		}
	}
	report.Complete = err == nil
	return report, err
}

// Part is Compare and, after a wait, Confirm.
func (r *Reconciler) Part(ctx context.Context, prefix string) (Report, error) {
	report, missing, err := r.Compare(ctx, prefix, time.Time{})
	if err != nil || len(missing.Subs) == 0 {
		return report, err
	}
	if !wait(ctx, time.Now().Add(r.between())) {
		report.Complete = false
		return report, ctx.Err()
	}
	second, err := r.Confirm(ctx, missing)
	report.Add(second)
	return report, err
}

var errTime = errors.New("the time ran out")

// mirror returns the row of a user of the pool.
func (r *Reconciler) mirror(u pool.User, at time.Time) (users.Row, []string, error) {
	return r.Rows.Table.Mirror(users.Sync{User: u.User, At: at.Add(-staleness), UserID: r.UserID}, u.Enabled)
}

func (r *Reconciler) between() time.Duration {
	if r.Between == 0 {
		return BetweenLooks
	}
	return r.Between
}

// CanMark returns "" if rows of users who are gone can be marked, or the reason why not.
func (r *Reconciler) CanMark() string {
	t := r.Rows.Table
	switch {
	case t.Sub == "":
		return "the table has no column for the sub"
	case t.DeletedAt == "":
		return "the table, or the role, has no column for the time of the deletion"
	}
	return ""
}

// mark marks or empties the row of a user who is gone, if it was last written before a
// time. at is the time of the last look-up: no message from before it can change the row.
func (r *Reconciler) mark(ctx context.Context, row users.Stored, before, at time.Time) (bool, error) {
	t, set := r.Rows.Table, map[string]any{}
	if r.OnDelete == settings.Anonymize {
		set = t.Erased()
	}
	if row.Time(t.DeletedAt).IsZero() {
		set[t.DeletedAt] = at.UTC().Truncate(time.Microsecond)
	}
	set[t.SyncedAt] = at.UTC().Truncate(time.Microsecond)
	return r.Rows.Update(ctx, row.Text(t.Sub), before, set)
}

// wait waits until a time. It returns false if ctx ends first.
func wait(ctx context.Context, until time.Time) bool {
	select {
	case <-time.After(time.Until(until)):
		return true
	case <-ctx.Done():
		return false
	}
}

// normal returns a key in the form that maps use: PostgreSQL prints a uuid in lower case.
func normal(t *users.Table, key string) string {
	if t.KindOf(t.Key) == users.UUID {
		return strings.ToLower(key)
	}
	return key
}

// earliest is the time of the sync of a batch: that of its oldest row.
func earliest(rows []users.Row) time.Time {
	return slices.MinFunc(rows, func(a, b users.Row) int { return a.SyncedAt.Compare(b.SyncedAt) }).SyncedAt
}

// IsPermanent reports whether a retry cannot help after an error of a Reconciler, until an
// operator has changed something.
func IsPermanent(err error) bool {
	if e, ok := errors.AsType[*pool.Error](err); ok {
		return !e.Transient()
	}
	return hasura.ClassOf(err) == hasura.Permanent
}
