package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/usertable"
	"github.com/phenom-earth/hasura-cognito/functions"
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
	alma = "0a1de9b4-2071-7032-8c5e-41d0f7a3b691" // stays as she is, until the last step
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

// showEveryone shows reconcile and follow, in an environment of its own.
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
	case !d.KeyIsSub() || c["USER_ID"] != "":
		return "the key of the table is not the sub"
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
	from := len(e.stack.Log.Lines())
	if err := e.stack.Reconcile(ctx); err != nil {
		return err
	}
	return e.written(ctx, name, from, "reconciled", "looked up again")
}

// follow runs the follow function.
func (e *everyone) follow(ctx context.Context, name string) error {
	from := len(e.stack.Log.Lines())
	if err := e.stack.Follow(ctx); err != nil {
		return err
	}
	return e.written(ctx, name, from, "followed")
}

// written checks that the table is equal to the pool, and prints what the functions logged since a line.
func (e *everyone) written(ctx context.Context, name string, from int, messages ...string) error {
	maps.Copy(e.table, e.pool)
	for sub := range e.table {
		_, alive := e.pool[sub]
		e.deleted[sub] = !alive
	}
	n := make(map[string]int)
	for _, line := range e.stack.Log.Lines()[from:] {
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
	var texts []string
	for _, outcome := range []reconcile.Outcome{reconcile.Inserted, reconcile.Updated, reconcile.Marked} {
		if n := n[string(outcome)]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d %s", n, outcome))
		}
	}
	return e.check(ctx, name, strings.Join(texts, ", "), nil)
}

// dryRun prints what hasura-cognito reconcile --on-delete mark prints.
func (e *everyone) dryRun(ctx context.Context) error {
	t, err := e.open(ctx)
	if err != nil {
		return err
	}
	t.DryRun = true
	total, err := t.Total(ctx, "")
	if err != nil {
		return err
	}
	result := t.Run(ctx, "", total)
	got, want := facts{"complete": fmt.Sprint(result.Complete)}, facts{"complete": "true"}
	for outcome, n := range result.Counts {
		got["users "+string(outcome)] = fmt.Sprint(n)
	}
	for outcome, n := range e.counts() {
		want["users "+string(outcome)] = fmt.Sprint(n)
	}
	if err := e.check(ctx, "hasura-cognito reconcile --on-delete mark", "", differences(got, want)); err != nil {
		return err
	}
	var report strings.Builder
	result.Print(&report, t.OnDelete)
	for line := range strings.Lines(report.String()) {
		e.printer.line("%s", strings.TrimRight("    "+plain(strings.TrimSuffix(line, "\n")), " "))
	}
	return nil
}

// open opens pool and table as the command line does: with the variables of the reconcile function.
func (e *everyone) open(ctx context.Context) (_ *usertable.Table, err error) {
	variables := e.stack.Function(functions.Reconcile).Env
	maps.Copy(variables, map[string]string{"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_REGION": "us-east-1"})
	for name, value := range variables {
		before, was := os.LookupEnv(name)
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
		defer func() {
			if was {
				err = errors.Join(err, os.Setenv(name, before))
			} else {
				err = errors.Join(err, os.Unsetenv(name))
			}
		}()
	}
	return usertable.Open(ctx, aws.Config{Region: variables["AWS_REGION"]}, usertable.Options{
		Pool: stack.PoolID, UserID: "sub", OnDelete: settings.Mark, MaxGone: 0.05, Rate: 30,
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

// counts are the outcomes that the command must have.
func (e *everyone) counts() map[reconcile.Outcome]int {
	n := make(map[reconcile.Outcome]int)
	for sub, u := range e.pool {
		row, ok := e.table[sub]
		switch {
		case !ok:
			n[reconcile.Inserted]++
		case maps.Equal(e.factsOf(row), e.factsOf(u)):
			n[reconcile.Same]++
		default:
			n[reconcile.Updated]++
		}
	}
	for sub := range e.table {
		if e.pool[sub].Sub() == "" && !e.deleted[sub] {
			n[reconcile.Marked]++
		}
	}
	return n
}

// factsOf are the columns of a user's row.
func (e *everyone) factsOf(u cognitoidp.User) facts {
	f := facts{users.Description.Enabled: fmt.Sprint(u.Enabled)}
	for _, column := range users.Description.Columns {
		f[column.Name] = textOf(u, column, e.chosen)
	}
	return f
}

// textOf is the text of a column in a user's row.
func textOf(u cognitoidp.User, column users.Column, c choice) string {
	made := event{UserName: u.Username}
	made.Request.UserAttributes = map[string]any{"cognito:user_status": u.Status}
	for name, value := range u.Attributes {
		made.Request.UserAttributes[name] = value
	}
	value := made.value(column, c)
	if value == "" && column.Default != nil {
		value = stack.Row{"": column.Default}.Text("")
	}
	return value
}

// check compares all rows with the expectation, and prints the step.
func (e *everyone) check(ctx context.Context, name, text string, wrong []string) error {
	rows, err := e.stack.Everyone(ctx)
	if err != nil {
		return err
	}
	got, want := facts{}, facts{}
	for _, row := range rows {
		for column := range row {
			got[row.ID()+", "+column] = row.Text(column)
		}
		for _, column := range append(users.Description.Columns, users.Column{Name: users.Description.DeletedAt, Kind: users.Timestamp}) {
			if fact := row.ID() + ", " + column.Name; column.Kind == users.Timestamp && got[fact] != "" {
				got[fact] = "set"
			}
		}
	}
	for sub, u := range e.table {
		for column, value := range e.factsOf(u) {
			want[sub+", "+column] = value
		}
		if e.deleted[sub] {
			want[sub+", "+users.Description.DeletedAt] = "set"
		}
	}
	e.printer.step(name, text, append(wrong, differences(got, want)...))
	return nil
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
			cells = append(cells, cut(row.Text(column), 20))
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
