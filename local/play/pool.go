package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	// imported users come at once.
	imported = 1000
	// some is how many users one button edits, disables or deletes.
	some = 5
	// agedBy is how old the rows are made before a run: younger ones cannot be marked.
	agedBy = 10 * time.Minute
)

// A poolRun is what a button of the page did.
type poolRun struct {
	Title  string
	Report string   // of the command line
	Log    []string // of the functions
	Failed string
	Took   time.Duration
}

// poolView is what templates/pool.html shows.
type poolView struct {
	Unknown         bool // the table knows users by another id than the sub
	InPool, Waiting int  // users, and changes in the queue of the follow function
	Drift           drift
	Before          *drift // before the last run
	Run             *poolRun
	Imported, Some  int
}

// drift counts users by what is wrong with their rows.
type drift struct{ Missing, Different, Left, Right int }

// Sum is the number of rows that are not equal to the pool.
func (d drift) Sum() int { return d.Missing + d.Different + d.Left }

func (a *app) showPool(w http.ResponseWriter, r *http.Request) error {
	if !users.Description.KeyIsSub() {
		return render(w, r, "pool.html", "Pool", poolView{Unknown: true})
	}
	v := poolView{InPool: len(a.pool.Users.All()), Waiting: len(a.stack.Queues.Bodies(stack.FollowQueue)), Imported: imported, Some: some}
	var err error
	if v.Drift, err = a.drift(r.Context()); err != nil {
		return err
	}
	a.mu.Lock()
	v.Run, v.Before = a.poolRun, a.driftBefore
	a.mu.Unlock()
	return render(w, r, "pool.html", "Pool", v)
}

// drift compares the rows with the users of the pool. It knows users by the sub.
func (a *app) drift(ctx context.Context) (d drift, err error) {
	rows, err := a.stack.Everyone(ctx)
	if err != nil {
		return d, err
	}
	byID := make(map[string]stack.Row, len(rows))
	for _, row := range rows {
		byID[row.ID()] = row
	}
	for _, u := range a.pool.Users.All() {
		row, ok := byID[u.Sub()]
		delete(byID, u.Sub())
		switch {
		case !ok && u.Status == cognitoidp.Unconfirmed:
		case !ok:
			d.Missing++
		case differs(row, u):
			d.Different++
		default:
			d.Right++
		}
	}
	for _, row := range byID {
		if row.Text(users.Description.DeletedAt) == "" {
			d.Left++
		}
	}
	return d, nil
}

// differs looks at what the buttons of the page change.
func differs(row stack.Row, u cognitoidp.User) bool {
	t := users.Description
	for _, c := range t.Columns {
		if name := c.Source.Name; (name == "email" || name == "name") && row.Text(c.Name) != u.Attributes[name] {
			return true
		}
	}
	return t.Enabled != "" && row.Text(t.Enabled) != fmt.Sprint(u.Enabled) || row.Text(t.DeletedAt) != ""
}

// actPool does what a button says, and remembers the result for the page.
func (a *app) actPool(w http.ResponseWriter, r *http.Request) error {
	actions := map[string]func(context.Context, *poolRun) error{
		"import": a.importUsers, "edit": a.editUsers, "disable": a.disableUsers, "delete": a.deleteUsers,
		"dry-run": a.dryRun, "reconcile": a.reconcile, "follow": a.follow,
	}
	act := actions[r.PathValue("action")]
	if act == nil {
		return problemf(http.StatusNotFound, "There is no such action.")
	}
	a.acting.Lock()
	defer a.acting.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	before, err := a.drift(ctx)
	if err != nil {
		return err
	}
	printed, began := len(a.stack.Log.Lines()), time.Now()
	run := new(poolRun)
	if err := act(ctx, run); err != nil {
		run.Failed = err.Error()
	}
	run.Took = time.Since(began).Round(time.Millisecond)
	for _, line := range a.stack.Log.Lines()[printed:] {
		if line.Message != "cold start" {
			run.Log = append(run.Log, line.Text)
		}
	}
	a.mu.Lock()
	a.poolRun, a.driftBefore = run, &before
	a.mu.Unlock()
	return redirect(w, r, "/pool#last-run")
}

// importUsers does what a CSV import does: no function is called, and CloudTrail has no records of the users.
func (a *app) importUsers(_ context.Context, run *poolRun) error {
	run.Title = fmt.Sprintf("%d users were imported", imported)
	all := make([]cognitoidp.User, imported)
	for i := range all {
		sub := uuid.NewString()
		name := fmt.Sprintf("imported-%s", sub[:8])
		all[i] = cognitoidp.User{Username: sub, Status: cognitoidp.ResetRequired, Enabled: true, Attributes: map[string]string{
			"sub": sub, "email": name + "@example.com", "email_verified": "true", "name": name}}
	}
	a.pool.Users.Put(all...)
	return nil
}

// each does something to some users: those that came last.
func (a *app) each(ctx context.Context, may func(cognitoidp.User) bool, operation string, more func(cognitoidp.User) cognitoidp.Object) (n int, err error) {
	for _, u := range slices.Backward(a.pool.Users.All()) {
		if n == some {
			break
		}
		if !may(u) {
			continue
		}
		request := cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": u.Username}
		maps.Copy(request, more(u))
		if _, err := a.pool.Do(ctx, operation, request); err != nil {
			return n, err
		}
		n++
	}
	if n == 0 {
		return 0, errors.New("the pool has no such users. Import some first")
	}
	return n, nil
}

func anyUser(cognitoidp.User) bool                         { return true }
func nothingMore(cognitoidp.User) (more cognitoidp.Object) { return nil }

func (a *app) editUsers(ctx context.Context, run *poolRun) error {
	n, err := a.each(ctx, anyUser, "AdminUpdateUserAttributes", func(u cognitoidp.User) cognitoidp.Object {
		return cognitoidp.Object{"UserAttributes": cognitoidp.Attributes(map[string]string{"name": "Edited " + time.Now().Format(time.TimeOnly)})}
	})
	run.Title = fmt.Sprintf("%d users were edited: they have another name", n)
	return err
}

func (a *app) disableUsers(ctx context.Context, run *poolRun) error {
	n, err := a.each(ctx, func(u cognitoidp.User) bool { return u.Enabled }, "AdminDisableUser", nothingMore)
	run.Title = fmt.Sprintf("%d users were disabled", n)
	return err
}

func (a *app) deleteUsers(ctx context.Context, run *poolRun) error {
	n, err := a.each(ctx, anyUser, "AdminDeleteUser", nothingMore)
	run.Title = fmt.Sprintf("%d users were deleted", n)
	return err
}

func (a *app) reconcile(ctx context.Context, run *poolRun) error {
	run.Title = "The reconcile function ran"
	a.stack.Queues.Release(stack.ReconcileQueue)
	return errors.Join(a.stack.Age(ctx, agedBy), a.stack.Reconcile(ctx))
}

func (a *app) follow(ctx context.Context, run *poolRun) error {
	run.Title = fmt.Sprintf("The follow function got %d changes", len(a.stack.Queues.Bodies(stack.FollowQueue)))
	a.stack.Queues.Release(stack.FollowQueue)
	return errors.Join(a.stack.Age(ctx, agedBy), a.stack.Follow(ctx))
}

// dryRun runs the built command line, with the variables of the reconcile function and nothing else.
func (a *app) dryRun(ctx context.Context, run *poolRun) error {
	chosen := local(a.settings())
	run.Title = "hasura-cognito reconcile --on-delete " + chosen["RECONCILE_ON_DELETE"]
	maxGone := settings.ReconcileMaxGone.Default
	if chosen["RECONCILE_MAX_GONE"] != "" {
		maxGone = chosen["RECONCILE_MAX_GONE"]
		run.Title += " --max-gone " + maxGone
	}
	if err := a.stack.Age(ctx, agedBy); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, filepath.Join(a.built, "hasura-cognito"), "reconcile", "--pool", stack.PoolID, "--user-id", cmp.Or(chosen["USER_ID"], "sub"),
		"--on-delete", chosen["RECONCILE_ON_DELETE"], "--max-gone", maxGone, "--rate", "30")
	variables := map[string]string{"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "PATH": os.Getenv("PATH")}
	maps.Copy(variables, a.stack.Function(functions.Reconcile).Env)
	for name, value := range variables {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	run.Report = strings.TrimSpace(string(out))
	if exit, ok := errors.AsType[*exec.ExitError](err); ok && run.Report != "" && exit.ExitCode() == 1 {
		return nil // the table is not equal to the pool
	}
	if err != nil {
		return fmt.Errorf("%w\n%s", err, &stderr)
	}
	return nil
}

// Lines shortens a log for the page: the first lines, and how many follow.
func (r poolRun) Lines() string {
	const shown = 30
	lines := r.Log
	if len(lines) > shown {
		lines = append(slices.Clone(lines[:shown]), fmt.Sprintf("… and %d lines more", len(r.Log)-shown))
	}
	return strings.Join(lines, "\n")
}

// Counts counts the log messages.
func (r poolRun) Counts() string {
	counts := make(map[string]int)
	for _, text := range r.Log {
		var line struct{ Message string }
		if json.Unmarshal([]byte(text), &line) == nil {
			counts[line.Message]++
		}
	}
	var texts []string
	for _, message := range slices.Sorted(maps.Keys(counts)) {
		texts = append(texts, fmt.Sprintf("%d %s", counts[message], message))
	}
	return strings.Join(texts, ", ")
}
