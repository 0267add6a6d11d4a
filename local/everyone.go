package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// everyoneHeading is that of the section about users who do not sign in.
const everyoneHeading = "The whole pool: users are imported, edited, disabled and deleted, and do not sign in"

// everyone is a pool, and what its users must look like. The expectations come from what was done to the pool.
type everyone struct {
	stack   *stack.Stack
	chosen  choice
	pool    map[string]cognitoidp.User // by sub
	table   map[string]cognitoidp.User // the rows that must be there, as users
	deleted map[string]bool            // the rows that must be marked
	printer *printer
}

// The users of the section, by sub.
const (
	alma = "0a1de9b4-2071-7032-8c5e-41d0f7a3b691" // is edited in the last step
	emil = "3c74a1f8-9051-70d6-b2e9-08f5c36d7a14" // is edited, and deleted in the last step
	dina = "74b8d2c0-e0a1-7093-95f4-6b1e2d8c03a7" // is disabled
	gus  = "a45f7e13-40c1-7058-8ad2-f93b06e1c7d5" // is deleted
	ines = "d4e92b67-b011-70fa-a7c3-25d8e04f9b16" // is imported
)

// newUser is a user who came into the pool without a trigger.
func newUser(sub, name, status string) cognitoidp.User {
	address := strings.ToLower(name) + "@example.com"
	return cognitoidp.User{Username: sub, Enabled: true, Status: status, Attributes: map[string]string{
		"sub": sub, "email": address, "email_verified": "true", "name": name + " Doe", "given_name": name, "family_name": "Doe", "custom:plan": "pro",
	}}
}

// showEveryone shows reconcile and follow, in another environment.
func showEveryone(ctx context.Context, o options, chosen choice, p *printer) (err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	p.line("\n%s", everyoneHeading)
	if reason := leftOut(chosen); reason != "" {
		p.line("Left out: %s.", reason)
		return nil
	}
	chosen = maps.Clone(chosen)
	chosen[settings.ReconcileOnDelete.Name] = string(settings.Mark)
	delete(chosen, settings.ReconcileMaxGone.Name)
	config := stack.Config{Functions: o.built, Project: os.DirFS("graphql")}
	stack.Settings(chosen).Set(&config)
	s, err := stack.Start(ctx, config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	e := &everyone{stack: s, chosen: chosen, pool: make(map[string]cognitoidp.User), table: make(map[string]cognitoidp.User),
		deleted: make(map[string]bool), printer: p}
	if err := e.show(ctx); err != nil {
		return err
	}
	p.strays(s.Log.Lines())
	return nil
}

// leftOut says why there is no section about the whole pool.
func leftOut(c choice) string {
	d := users.Description
	switch {
	case !d.KeyIsSub():
		return "the key of the table is not the sub"
	case c["USER_ID"] != "":
		return "USER_ID is set, and this section knows users by the sub"
	case d.Enabled == "" || d.DeletedAt == "" || d.SyncedAt == "":
		return "the table has no columns for disabled and deleted users"
	}
	for _, column := range d.Columns {
		if column.Required && textOf(newUser(alma, "Alma", cognitoidp.Confirmed), column, c) == "" {
			return "the users of this section have no value for the column " + column.Name
		}
	}
	return ""
}

func (e *everyone) show(ctx context.Context) error {
	recorded := e.stack.UserPool.Recorded
	e.stack.UserPool.Recorded = nil // FollowChanges is off
	for sub, name := range map[string]string{alma: "Alma", emil: "Emil", dina: "Dina", gus: "Gus"} {
		e.put(newUser(sub, name, cognitoidp.Confirmed))
	}
	if err := e.reconcile(ctx, "first run of the reconcile function"); err != nil {
		return err
	}
	if err := e.stack.Age(ctx, 10*time.Minute); err != nil {
		return err
	}

	e.put(newUser(ines, "Ines", cognitoidp.ResetRequired))
	err := errors.Join(
		e.edit(ctx, emil, map[string]string{"email": "emil.doe@example.com", "email_verified": "true", "name": "Emil A. Doe"}),
		e.do(ctx, "AdminDisableUser", dina, nil, func(u *cognitoidp.User) { u.Enabled = false }),
		e.do(ctx, "AdminDeleteUser", gus, nil, nil),
	)
	if err != nil {
		return err
	}
	if err := e.dryRun(ctx); err != nil {
		return err
	}
	if err := e.reconcile(ctx, "next run of the reconcile function"); err != nil {
		return err
	}

	e.stack.UserPool.Recorded = recorded
	if err := e.stack.Age(ctx, 10*time.Minute); err != nil {
		return err
	}
	err = errors.Join(
		e.edit(ctx, alma, map[string]string{"email": "alma.doe@example.com", "email_verified": "true"}),
		e.do(ctx, "AdminDeleteUser", emil, nil, nil),
	)
	if err == nil {
		err = e.follow(ctx, "an edit and a deletion, then the follow function")
	}
	if err != nil {
		return err
	}
	return e.print(ctx)
}

func (e *everyone) put(u cognitoidp.User) {
	e.stack.UserPool.Users.Put(u)
	e.pool[u.Sub()] = u
}

// do calls an operation about a user and notes what it does to the user; change is nil if the user is deleted.
func (e *everyone) do(ctx context.Context, operation, sub string, more cognitoidp.Object, change func(*cognitoidp.User)) error {
	request := cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": sub}
	maps.Copy(request, more)
	if _, err := e.stack.UserPool.Do(ctx, operation, request); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if change == nil {
		delete(e.pool, sub)
		return nil
	}
	u := e.pool[sub]
	u.Attributes = maps.Clone(u.Attributes)
	change(&u)
	e.pool[sub] = u
	return nil
}

func (e *everyone) edit(ctx context.Context, sub string, attributes map[string]string) error {
	return e.do(ctx, "AdminUpdateUserAttributes", sub, cognitoidp.Object{"UserAttributes": cognitoidp.Attributes(attributes)},
		func(u *cognitoidp.User) { maps.Copy(u.Attributes, attributes) })
}

// reconcile runs the reconcile function.
func (e *everyone) reconcile(ctx context.Context, name string) error {
	return e.write(ctx, name, e.stack.Reconcile, "reconciled", "looked up again")
}

// follow runs the follow function.
func (e *everyone) follow(ctx context.Context, name string) error {
	return e.write(ctx, name, e.stack.Follow, "followed")
}

// writes are the outcomes that change a row.
var writes = []reconcile.Outcome{reconcile.Inserted, reconcile.Updated, reconcile.Marked}

// write runs a function, prints what it logged with these messages, and checks that the table is equal to the pool.
func (e *everyone) write(ctx context.Context, name string, run func(context.Context) error, messages ...string) error {
	from, counts := len(e.stack.Log.Lines()), e.counts()
	if err := run(ctx); err != nil {
		return err
	}
	maps.Copy(e.table, e.pool)
	for sub := range e.table {
		_, alive := e.pool[sub]
		e.deleted[sub] = !alive
	}
	// A line can come after the answer of its call.
	waiting, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	want := facts{}
	for _, outcome := range writes {
		if n := counts[outcome]; n > 0 {
			want[string(outcome)] = fmt.Sprint(n)
		}
	}
	var got facts
	e.stack.Log.Wait(waiting, func(lines []stack.Line) bool {
		got = logged(lines[from:], messages)
		return maps.Equal(got, want)
	})
	var texts []string
	for _, outcome := range writes {
		if n := got[string(outcome)]; n != "" {
			texts = append(texts, n+" "+string(outcome))
		}
	}
	return e.check(ctx, name, strings.Join(texts, ", "), differences(got, want))
}

// logged counts the rows that were changed, by outcome.
func logged(lines []stack.Line, messages []string) facts {
	n := make(map[string]int)
	for _, line := range lines {
		var record struct {
			Outcome string
			Users   map[string]int
		}
		if !slices.Contains(messages, line.Message) || json.Unmarshal([]byte(line.Text), &record) != nil {
			continue
		}
		n[record.Outcome]++
		for outcome, users := range record.Users {
			n[outcome] += users
		}
	}
	counted := facts{}
	for _, outcome := range writes {
		if n := n[string(outcome)]; n > 0 {
			counted[string(outcome)] = fmt.Sprint(n)
		}
	}
	return counted
}

// print shows the rows with what reconcile and follow alone write.
func (e *everyone) print(ctx context.Context) error {
	rows, err := e.stack.Everyone(ctx)
	if err != nil {
		return err
	}
	d := users.Description
	columns := append(shownColumns(d)[:1], d.Enabled)
	e.printer.line("")
	e.printer.cells(append(append([]string{"    " + d.Key}, columns...), d.DeletedAt)...)
	for _, row := range rows {
		cells := []string{"    " + cut(row.ID(), 8)}
		for _, column := range columns {
			cells = append(cells, short(row.Text(column), 20))
		}
		deleted := ""
		if row.Text(d.DeletedAt) != "" {
			deleted = "now"
		}
		e.printer.cells(append(cells, deleted)...)
	}
	_ = e.printer.Flush()
	return nil
}
