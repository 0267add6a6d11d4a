package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A breakage is one way to break the environment.
type breakage struct {
	Name, Label, Text string
	begin             func(*app) error
}

// slowBy is more than the sync function waits for one attempt.
const slowBy = 3 * time.Second

// wrongSecret is the breakage that a new admin secret repairs.
const wrongSecret = "wrong-secret"

// breakages are in the order of the page.
var breakages = []breakage{
	{"hasura-down", "Hasura is down", "It refuses connections.", func(a *app) error { return a.stack.Hasura.Set(stack.Refuse) }},
	{"hasura-slow", "Hasura is slow", "Each answer takes three seconds.", func(a *app) error { return a.stack.Hasura.Set(stack.Slow(slowBy)) }},
	{wrongSecret, "The admin secret is wrong", "Hasura has another one than Secrets Manager.",
		func(a *app) error { a.stack.SetAdminSecret(rand.Text()); return nil }},
	{"rotated", "The admin secret was rotated", "Hasura and Secrets Manager have a new one. The functions still hold the old one.",
		func(a *app) error { return a.stack.Rotate(rand.Text()) }},
	{"redirect", "Hasura redirects", "A load balancer sends requests to another host.",
		func(a *app) error { return a.stack.Hasura.Set(stack.Redirect("https://hasura.example.com/v1/graphql")) }},
	{"missing-column", "A column is missing", "Hasura does not know a field of the mutation.",
		func(a *app) error { return a.stack.Hasura.Set(stack.Status(http.StatusOK, missingColumn)) }},
	{"secrets-down", "Secrets Manager is down", "It refuses connections. New environments have no admin secret.", func(a *app) error {
		err := a.stack.SecretsManager.Set(stack.Refuse)
		a.stack.Lambda.Kill(functions.Sync) // a warm environment still holds the secret
		return err
	}},
	{"all-down", "Hasura and SQS are down", "The sync cannot be parked either.",
		func(a *app) error {
			return errors.Join(a.stack.Hasura.Set(stack.Refuse), a.stack.SQS.Set(stack.Refuse))
		}},
}

// missingColumn is Hasura's answer to a mutation with a field that the table does not have.
const missingColumn = `{"errors":[{"message":"field 'locale' not found in type: 'users_insert_input'",` +
	`"extensions":{"path":"$.selectionSet.insert_users_one.args.object.locale","code":"validation-failed"}}]}`

// repair ends every breakage.
func (a *app) repair() error {
	err := errors.Join(a.stack.Hasura.Set(stack.Fault{}), a.stack.SecretsManager.Set(stack.Fault{}), a.stack.SQS.Set(stack.Fault{}))
	a.mu.Lock()
	wrong := a.broken == wrongSecret
	a.mu.Unlock()
	if wrong {
		err = errors.Join(err, a.stack.Rotate(rand.Text()))
	}
	return err
}

// breakView is what templates/break.html shows.
type breakView struct {
	Breakages           []breakage
	Broken              string // name of the breakage
	Subjects            []subject
	Parked, DeadLetters int
	Breaker             string
	Alarms              []alarm
	Action              *actionView
	Replayed            string
}

// An alarm of the template, and what has been logged that it counts.
type alarm struct{ Name, Reason string }

func (a *app) showBreak(w http.ResponseWriter, r *http.Request) error {
	a.mu.Lock()
	v := breakView{Breakages: breakages, Broken: a.broken, Replayed: a.replayed}
	since, this := a.brokenAt, a.broke
	a.mu.Unlock()
	if this != nil {
		v.Action = a.viewAction(r, this)
	}
	v.Parked, v.DeadLetters = len(a.stack.Queues.Bodies(stack.Queue)), len(a.stack.Queues.Bodies(stack.DeadLetters))
	lines := a.stack.Log.Lines()[since:]
	v.Breaker = breaker(lines)
	v.Alarms = alarms(lines, v.DeadLetters)
	for _, u := range slices.Backward(a.pool.Users.All()) {
		if len(v.Subjects) == 50 {
			break
		}
		if u.Enabled && next(u.Status) == signIn && u.Provider == "" {
			v.Subjects = append(v.Subjects, subject{u.Sub(), label(u)})
		}
	}
	return render(w, r, "break.html", "Break it", v)
}

// breaker says what the last line of the sync function tells about the breaker.
func breaker(lines []stack.Line) string {
	for _, line := range slices.Backward(lines) {
		switch {
		case strings.Contains(line.Error, "breaker-open"):
			return "open: for ten seconds after a failure, the sync function does not ask Hasura"
		case line.Message == "synced", line.Message == "stale":
			return "closed: the last sync reached Hasura"
		case line.Message == "parked" && line.Class == "transient":
			return "open for ten seconds, if Hasura is the cause: sign in again to see it"
		}
	}
	return "closed"
}

// causes are the log messages that alarms of template.yaml count.
var causes = []struct{ alarm, message, when string }{
	{"RefusedAlarm", "sign-in refused", "at once"},
	{"UnsyncedAlarm", "sync lost", "at once"}, {"UnsyncedAlarm", "permanent failure", "at once"},
	{"ParkedAlarm", "parked", "if it goes on for ten minutes"},
	{"SecretAlarm", "secret fetch failed", "if it happens twice in five minutes"}, {"SecretAlarm", "secret stale", "if it happens twice in five minutes"},
	{"MisconfiguredAlarm", "misconfigured", "at once"},
	{"FaultsAlarm", "panic", "at once"}, {"FaultsAlarm", "invalid event", "at once"},
}

// alarms are those that the lines would put into ALARM.
func alarms(lines []stack.Line, deadLetters int) (list []alarm) {
	if deadLetters > 0 {
		list = append(list, alarm{"ParkedSyncsDeadLettersAlarm", fmt.Sprintf("%d messages in the dead-letter queue: ALARM at once", deadLetters)})
	}
	for _, c := range causes {
		n := 0
		for _, line := range lines {
			if line.Message == c.message {
				n++
			}
		}
		if n > 0 {
			list = append(list, alarm{c.alarm, fmt.Sprintf("%d × %s: ALARM %s", n, c.message, c.when)})
		}
	}
	return list
}

// breakIt begins a breakage, after the last one has ended.
func (a *app) breakIt(w http.ResponseWriter, r *http.Request) error {
	a.acting.Lock()
	defer a.acting.Unlock()
	if err := a.begin(r.Context(), r.FormValue("breakage")); err != nil {
		return err
	}
	return redirect(w, r, "/break#try")
}

// begin begins the breakage with a name, after the last one has ended. The caller holds a.acting.
func (a *app) begin(ctx context.Context, name string) error {
	i := slices.IndexFunc(breakages, func(b breakage) bool { return b.Name == name })
	if i < 0 {
		return problemf(http.StatusBadRequest, "Choose what breaks.")
	}
	if err := errors.Join(a.repair(), a.warm(ctx), breakages[i].begin(a)); err != nil {
		return err
	}
	a.setBroken(name)
	return nil
}

// warm gives the sync function a new environment, whose breaker is closed and which holds the secret.
func (a *app) warm(ctx context.Context) error {
	a.stack.Lambda.Kill(functions.Sync)
	_, err := a.stack.Lambda.Invoke(ctx, functions.Sync, []byte("{}"))
	return err
}

func (a *app) setBroken(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.broken, a.broke, a.replayed, a.brokenAt = name, nil, "", len(a.stack.Log.Lines())
}

func (a *app) repairAll(w http.ResponseWriter, r *http.Request) error {
	a.acting.Lock()
	defer a.acting.Unlock()
	if err := a.repair(); err != nil {
		return err
	}
	a.mu.Lock()
	a.broken = ""
	a.mu.Unlock()
	return redirect(w, r, "/break#replay")
}

// signInBroken signs a user in, whatever is broken.
func (a *app) signInBroken(w http.ResponseWriter, r *http.Request) error {
	this, err := a.act(r.Context(), "signs in", []string{signIn}, request{sub: r.FormValue("sub")})
	if err != nil {
		return err
	}
	a.mu.Lock()
	a.broke = this
	a.mu.Unlock()
	return redirect(w, r, "/break#result")
}

// replay gives the parked syncs to the replay function, and waits a few seconds for it.
func (a *app) replay(w http.ResponseWriter, r *http.Request) error {
	a.acting.Lock()
	defer a.acting.Unlock()
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	before, printed := len(a.stack.Queues.Bodies(stack.Queue)), len(a.stack.Log.Lines())
	a.stack.Queues.Release(stack.Queue)
	_ = a.stack.Replay(ctx) // the queue shows what is left
	counts := poolRun{}
	for _, line := range a.stack.Log.Lines()[printed:] {
		if line.Message != "cold start" && json.Valid([]byte(line.Text)) {
			counts.Log = append(counts.Log, line.Text)
		}
	}
	a.mu.Lock()
	a.replayed = strings.TrimSuffix(fmt.Sprintf("%d of %d parked syncs left the queue: %s",
		before-len(a.stack.Queues.Bodies(stack.Queue)), before, counts.Counts()), ": ")
	this := a.broke
	a.mu.Unlock()
	if this != nil { // the row that the sign-in did not write
		rows, err := a.rows(r.Context())
		if err != nil {
			return err
		}
		if row := rows[this.User.Sub()]; row != nil {
			replayed := *this
			replayed.after = row
			a.mu.Lock()
			a.broke = &replayed
			a.mu.Unlock()
		}
	}
	return redirect(w, r, "/break#replay")
}
