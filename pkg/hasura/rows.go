package hasura

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/Khan/genqlient/graphql"

	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// Rows reads and writes the rows of many users, as reconcile and follow do. It is safe for
// concurrent use. Errors of its methods are like those of [Client.Write].
type Rows struct {
	client *Client
	// Table describes what the database has: without the columns Enabled and DeletedAt, if
	// the database or the role lacks them.
	Table *users.Table
}

// rowsTime bounds one call with its retries.
const rowsTime = 30 * time.Second

// Rows returns a [Rows] for a table. It returns no row, but fails if the role cannot read
// the columns of the table. Only Enabled and DeletedAt may be missing.
func (c *Client) Rows(ctx context.Context, t *users.Table) (*Rows, error) {
	r := &Rows{client: c, Table: t}
	_, err := r.Get(ctx, t.Key, nil)
	if e, ok := err.(*Error); ok && e.Code == "validation-failed" && (t.Enabled != "" || t.DeletedAt != "") {
		r.Table = t.WithoutMarks()
		_, err = r.Get(ctx, t.Key, nil)
	}
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Get returns the rows that have one of the values in a column.
func (r *Rows) Get(ctx context.Context, column string, values []string) (rows []users.Stored, err error) {
	where, err := json.Marshal(map[string]any{column: map[string][]string{"_in": append([]string{}, values...)}})
	if err != nil {
		return nil, fmt.Errorf("encode the condition: %w", err)
	}
	err = r.call(ctx, "rows", func(ctx context.Context, client graphql.Client) error {
		response, err := readUsers(ctx, r.without(client), where, 2*len(values)+1)
		if err == nil {
			rows = response.Rows
		}
		return err
	})
	return rows, err
}

// A Range is a part of the table, in the order of the column Sub. It has only rows that a
// sync or reconcile wrote.
type Range struct {
	Prefix string    // of the sub
	After  string    // the last sub of the page before; "" for the first page
	Before time.Time // the rows were last written before
	Limit  int       // rows of a page
	// Erase includes rows that are marked as deleted and still have values.
	Erase bool
}

// List returns one page of a range: the key, and the columns Sub, SyncedAt and DeletedAt.
func (r *Rows) List(ctx context.Context, page Range) (rows []users.Stored, err error) {
	where, err := json.Marshal(map[string]any{"_and": r.conditions(page)})
	if err != nil {
		return nil, fmt.Errorf("encode the condition: %w", err)
	}
	direction := "asc"
	if isNull() == "_isNull" {
		direction = "ASC"
	}
	order := fmt.Appendf(nil, `[{%q:%q}]`, r.Table.Sub, direction)
	err = r.call(ctx, "rows", func(ctx context.Context, client graphql.Client) error {
		response, err := listUsers(ctx, r.without(client), where, order, page.Limit)
		if err == nil {
			rows = response.Rows
		}
		return err
	})
	return rows, err
}

// A condition is a boolean expression of Hasura, such as a value of users_bool_exp.
type condition map[string]any

func (r *Rows) conditions(page Range) []condition {
	t := r.Table
	all := []condition{{t.SyncedAt: condition{"_lt": page.Before.UTC()}}}
	if page.Prefix != "" {
		if t.KindOf(t.Sub) == users.UUID {
			all = append(all, condition{t.Sub: condition{"_gte": pad(page.Prefix, "0"), "_lte": pad(page.Prefix, "f")}})
		} else {
			all = append(all, condition{t.Sub: condition{"_like": page.Prefix + "%"}})
		}
	}
	if page.After != "" {
		all = append(all, condition{t.Sub: condition{"_gt": page.After}})
	}
	if t.DeletedAt != "" {
		open := []condition{{t.DeletedAt: condition{isNull(): true}}}
		if page.Erase {
			erased := t.Erased()
			for _, name := range slices.Sorted(maps.Keys(erased)) {
				if empty := erased[name]; empty == nil {
					open = append(open, condition{name: condition{isNull(): false}})
				} else {
					open = append(open, condition{name: condition{"_neq": empty}})
				}
			}
		}
		all = append(all, condition{"_or": open})
	}
	return all
}

// pad makes a UUID of its first digits.
func pad(prefix, digit string) string {
	const form = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
	return prefix + strings.ReplaceAll(form[min(len(prefix), len(form)):], "x", digit)
}

// Upsert writes rows of [users.Table.Mirror] in one transaction, and returns how many it
// wrote. It does not overwrite a row whose last sync is at or after the time at. The rows
// that it writes get at as the time of their last sync.
func (r *Rows) Upsert(ctx context.Context, rows []users.Row, at time.Time) (written int, err error) {
	if len(rows) == 0 {
		return 0, nil
	}
	at = at.UTC().Truncate(time.Microsecond)
	batch := slices.Clone(rows)
	for i := range batch {
		batch[i].SyncedAt = at
	}
	columns := columnsOf(batch[0])
	err = r.call(ctx, "written", func(ctx context.Context, client graphql.Client) error {
		response, err := upsertUsers(ctx, client, batch, columns, olderThan(r.Table, at))
		if err == nil && response.Written != nil {
			written = response.Written.Rows
		}
		return err
	})
	return written, err
}

// Update writes columns of the row with a sub, if it was last written before a time.
func (r *Rows) Update(ctx context.Context, sub string, before time.Time, set map[string]any) (written bool, err error) {
	where, err := json.Marshal(condition{r.Table.Sub: condition{"_eq": sub}, r.Table.SyncedAt: condition{"_lt": before.UTC()}})
	if err != nil {
		return false, fmt.Errorf("encode the condition: %w", err)
	}
	err = r.call(ctx, "written", func(ctx context.Context, client graphql.Client) error {
		response, err := updateUsers(ctx, client, where, set)
		if err == nil && response.Written != nil {
			written = response.Written.Rows > 0
		}
		return err
	})
	return written, err
}

func (r *Rows) call(ctx context.Context, alias string, send func(context.Context, graphql.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, rowsTime)
	defer cancel()
	return r.client.retry(ctx, doer{client: r.client, limit: maxPage, alias: alias}, func(ctx context.Context, client graphql.Client) error {
		err := send(ctx, client)
		if e, ok := errors.AsType[*Error](err); ok {
			e.bulk = true
		}
		return err
	})
}

// without leaves the fields Enabled and DeletedAt out of a query, if the table lacks them.
func (r *Rows) without(client graphql.Client) graphql.Client {
	fields := []string{}
	for _, name := range []string{users.Description.Enabled, users.Description.DeletedAt} {
		if name != "" && name != r.Table.Enabled && name != r.Table.DeletedAt {
			fields = append(fields, "\t\t"+name+"\n", "")
		}
	}
	if len(fields) == 0 {
		return client
	}
	return without{client, strings.NewReplacer(fields...)}
}

type without struct {
	graphql.Client
	fields *strings.Replacer
}

func (w without) MakeRequest(ctx context.Context, request *graphql.Request, response *graphql.Response) error {
	request.Query = w.fields.Replace(request.Query)
	return w.Client.MakeRequest(ctx, request, response)
}
