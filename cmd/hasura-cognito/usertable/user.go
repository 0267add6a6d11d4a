package usertable

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A Finding is an error that is the result: the exit code is 1, not 2.
type Finding struct{ text string }

func (f Finding) Error() string { return f.text }

func finding(format string, args ...any) error { return Finding{fmt.Sprintf(format, args...)} }

// Find returns the sub of the user with a sub or an e-mail address. If the pool does not have the address, the rows are searched
// for it: the user may be gone.
func (t *Table) Find(ctx context.Context, who string) (string, error) {
	if users.IsUUID(who) {
		return strings.ToLower(who), nil
	}
	if !strings.Contains(who, "@") {
		return "", errors.New("the user is given by neither a sub nor an e-mail address")
	}
	list, err := t.Pool.Find(ctx, who)
	if err != nil {
		return "", hint(fmt.Errorf("find the user: %w", err))
	}
	var subs []string
	for _, u := range list {
		subs = append(subs, u.ID)
	}
	if i := slices.IndexFunc(t.Rows.Table.Columns, func(c users.Column) bool { return c.Source.Name == "email" }); len(subs) == 0 && i >= 0 && t.Rows.Table.Sub != "" {
		rows, err := t.Rows.Get(ctx, t.Rows.Table.Columns[i].Name, []string{who})
		if err != nil {
			return "", fmt.Errorf("find the row: %w", err)
		}
		for _, row := range rows {
			subs = append(subs, row.Text(t.Rows.Table.Sub))
		}
	}
	slices.Sort(subs)
	subs = slices.Compact(subs)
	switch len(subs) {
	case 0:
		return "", finding("no user in the pool and no row has this e-mail address")
	case 1:
		return subs[0], nil
	}
	return "", finding("%d users have this e-mail address. Name one by its sub:\n%s", len(subs), strings.Join(subs, "\n"))
}

// A View is a user in the pool beside the row.
type View struct {
	Sub         string     `json:"sub"`
	InPool      bool       `json:"inPool"`
	Unconfirmed bool       `json:"unconfirmed,omitempty"`
	InTable     bool       `json:"inTable"`
	SyncedAt    *time.Time `json:"syncedAt,omitempty"`
	DeletedAt   *time.Time `json:"deletedAt,omitempty"`
	Columns     []Cell     `json:"columns"`
}

// A Cell is one column of a View.
type Cell struct {
	Column string          `json:"column"`
	Same   bool            `json:"same"`
	Pool   json.RawMessage `json:"pool,omitempty"`
	Row    json.RawMessage `json:"row,omitempty"`
}

// Equal reports whether the row is as reconcile would leave it.
func (v View) Equal() bool {
	if !v.InPool || v.Unconfirmed {
		return !v.InTable || v.DeletedAt != nil
	}
	return v.InTable && v.DeletedAt == nil && !slices.ContainsFunc(v.Columns, func(c Cell) bool { return !c.Same })
}

// Show reads the user with a sub, and the row. With values, the view has those of both.
func (t *Table) Show(ctx context.Context, sub string, values bool) (View, error) {
	table := t.Rows.Table
	v := View{Sub: sub, Columns: []Cell{}}
	u, found, at, err := t.Pool.Lookup(ctx, sub)
	if err != nil {
		return v, hint(fmt.Errorf("look up the user: %w", err))
	}
	v.InPool, v.Unconfirmed = found, found && u.IsUnconfirmed()
	column, key := table.Sub, sub
	var mirrored users.Row
	if found {
		mirrored, _, err = table.Mirror(users.Sync{User: u.User, At: at, UserID: t.UserID}, u.Enabled)
		if err != nil {
			return v, finding("the user can have no row: %v", err)
		}
		column, key = table.Key, mirrored.Key
	}
	if column == "" {
		return v, finding("the user is not in the pool, and the table has no column for the sub")
	}
	rows, err := t.Rows.Get(ctx, column, []string{key})
	if err != nil {
		return v, fmt.Errorf("read the row: %w", err)
	}
	var stored users.Stored
	if len(rows) > 0 {
		stored, v.InTable = rows[0], true
		v.SyncedAt, v.DeletedAt = timeOf(stored, table.SyncedAt), timeOf(stored, table.DeletedAt)
	}
	if !found && !v.InTable {
		return v, finding("the user is neither in the pool nor in the table")
	}
	var differ []string
	if found && v.InTable {
		differ = table.Differences(mirrored, stored)
	}
	names := []string{}
	for _, c := range table.Columns {
		if c.Name != table.SyncedAt && c.Name != table.SignedInAt {
			names = append(names, c.Name)
		}
	}
	if table.Enabled != "" {
		names = append(names, table.Enabled)
	}
	for _, name := range names {
		cell := Cell{Column: name, Same: found && v.InTable && !slices.Contains(differ, name)}
		if values && found {
			value := mirrored.Values[name]
			if name == table.Key {
				value = mirrored.Key
			}
			if cell.Pool, err = json.Marshal(value); err != nil {
				return v, fmt.Errorf("encode %s: %w", name, err)
			}
		}
		if values && v.InTable {
			cell.Row = stored.Get(name)
		}
		v.Columns = append(v.Columns, cell)
	}
	return v, nil
}

func timeOf(row users.Stored, column string) *time.Time {
	if at := row.Time(column); column != "" && !at.IsZero() {
		return &at
	}
	return nil
}

// Print writes the view as a table.
func (v View) Print(out io.Writer) {
	state := "in the pool"
	switch {
	case !v.InPool:
		state = "not in the pool"
	case v.Unconfirmed:
		state = "in the pool, sign-up not confirmed"
	}
	switch {
	case !v.InTable:
		state += "; no row"
	case v.SyncedAt == nil:
		state += "; the row was not written by a sync or by reconcile"
	default:
		state += "; row of " + v.SyncedAt.UTC().Format(time.RFC3339)
	}
	if v.DeletedAt != nil {
		state += ", marked as deleted at " + v.DeletedAt.UTC().Format(time.RFC3339)
	}
	fmt.Fprintf(out, "%s: %s\n\n", v.Sub, state)
	w := newGrid(out)
	fmt.Fprintln(w, "column\t\tpool\trow")
	for _, c := range v.Columns {
		same := "differs"
		switch {
		case c.Same:
			same = "same"
		case !v.InPool || !v.InTable:
			same = ""
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", c.Column, same, printable(c.Pool), printable(c.Row))
	}
	w.flush()
}

// printable is a JSON value without control characters, so that a user's values cannot control the terminal.
func printable(raw json.RawMessage) string {
	text := []rune(string(raw))
	for i, r := range text {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			text[i] = '?'
		}
	}
	return string(text)
}

// Sync makes the row of one user equal to the pool now. It marks nobody.
func (t *Table) Sync(ctx context.Context, sub string) (reconcile.Outcome, error) {
	r := *t.Reconciler
	r.OnDelete = settings.Report
	outcomes, _, err := r.Look(ctx, []reconcile.Look{{Sub: sub}})
	if err != nil {
		return outcomes[sub], hint(err)
	}
	switch o := outcomes[sub]; o {
	case reconcile.Inserted, reconcile.Updated, reconcile.Same, reconcile.Newer:
		return o, nil
	case reconcile.Gone, reconcile.Pending, reconcile.Absent, reconcile.Marked:
		return o, finding("the user is not in the pool")
	default:
		return o, finding("the row was not written: %s", o)
	}
}

// CheckErase returns why the row of a user cannot be emptied, before anything is asked.
func (t *Table) CheckErase(ctx context.Context, sub string) error {
	if reason := t.CanMark(); reason != "" {
		return finding("no row can be emptied: %s. See docs/hasura.md", reason)
	}
	_, found, _, err := t.Pool.Lookup(ctx, sub)
	if err != nil {
		return hint(fmt.Errorf("look up the user: %w", err))
	}
	if found {
		return stillThere(sub)
	}
	rows, err := t.Rows.Get(ctx, t.Rows.Table.Sub, []string{sub})
	if err != nil {
		return fmt.Errorf("read the row: %w", err)
	}
	if len(rows) == 0 {
		return finding("%s has no row", sub)
	}
	return nil
}

func stillThere(sub string) error {
	return finding("%s is still in the pool, and the next sign-in would write the row again. Delete the user in the pool first", sub)
}

// Erase empties the personal columns of the row of a user who is gone from the pool. It looks the user up twice, a minute apart.
func (t *Table) Erase(ctx context.Context, sub string) error {
	r := *t.Reconciler
	r.OnDelete = settings.Anonymize
	outcomes, err := r.Users(ctx, []string{sub})
	switch o := outcomes[sub]; {
	case errors.Is(err, context.Canceled) || ctx.Err() != nil:
		return errors.New("interrupted: the row may not be emptied. The same command goes on")
	case err != nil:
		return hint(err)
	case o == reconcile.Marked:
		return nil
	case o == reconcile.Pending:
		return finding("the row of %s was written in the last five minutes, or again just now. Run the same command in five minutes", sub)
	case o == reconcile.Absent:
		return finding("the row of %s was not written by a sync or by reconcile, and stays. Delete it in Hasura", sub)
	case slices.Contains([]reconcile.Outcome{reconcile.Inserted, reconcile.Updated, reconcile.Same, reconcile.Newer, reconcile.Unconfirmed}, o):
		return stillThere(sub)
	default:
		return finding("the row of %s was not emptied: %s", sub, o)
	}
}
