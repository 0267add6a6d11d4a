package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

func environ(pairs ...string) func(string) string {
	return func(name string) string {
		for _, pair := range pairs {
			if n, value, _ := strings.Cut(pair, "="); n == name {
				return value
			}
		}
		return ""
	}
}

// table is a table for these tests. They do not follow changes of users.Description.
var table = users.Table{Key: "id", SyncedAt: "synced_at", SignedInAt: "last_sign_in_at", Columns: []users.Column{
	{Name: "id", Kind: users.UUID, Source: users.Sub},
	{Name: "email", Kind: users.Text, Source: users.Attribute("email")},
	{Name: "attributes", Kind: users.JSON, Source: users.CustomAttributes},
	{Name: "last_sign_in_at", Kind: users.Timestamp, Source: users.SignInTime},
	{Name: "synced_at", Kind: users.Timestamp, Source: users.SyncTime},
}}

const sub = "69f23de6-af9e-43cc-b208-8b269334667d"

// event returns an event with canaries in it.
func event(t *testing.T, trigger string, attributes string) *cognito.Event {
	t.Helper()
	e, err := cognito.Parse(fmt.Appendf(nil, `{"triggerSource":%q,"userName":"canary","request":{"userAttributes":{"sub":%q,"email":"canary"%s}}}`, trigger, sub, attributes))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSyncDecides(t *testing.T) {
	transient := &hasura.Error{Status: 503}
	permanent := &hasura.Error{Status: 200, Code: "constraint-violation"}
	full := errors.New("sqs: timeout")
	rows := []struct {
		name    string
		stale   bool
		err     error
		parking error // what parking answers; nil is success, errNoQueue that there is none
		refuse  bool
		want    string // what the log has in it
		parked  bool
		refused bool
	}{
		{name: "the row is written", want: `"level":"INFO","msg":"synced","user":"` + sub + `","trigger":"PostAuthentication_Authentication","ms":`},
		{name: "the row is newer, and raising the sign-in time fails", stale: true, err: permanent, want: `"level":"WARN","msg":"stale","user":"` + sub + `","trigger":"PostAuthentication_Authentication","error":"hasura: status 200, code `},
		{name: "the row is newer", stale: true, want: `"level":"INFO","msg":"stale"`},
		{name: "the attribute of a value that is left out is logged", want: `"level":"WARN","msg":"attributes dropped","user":"` + sub + `","trigger":"PostAuthentication_Authentication","columns":["attributes.bad"]`},
		{name: "a failure is parked", err: transient, want: `"level":"WARN","msg":"parked"`, parked: true},
		{name: "with its error and class", err: transient, want: `"error":"hasura: status 503, code ","class":"transient"`, parked: true},
		{name: "a permanent failure is parked, for an operator to fix", err: permanent, want: `"class":"permanent"`, parked: true},
		{name: "so is a failure to read the secret", err: errors.New("secret x is empty"), want: `"error":"secret x is empty","class":"transient"`, parked: true},
		{name: "why a sync could not be parked is logged", err: transient, parking: full, want: `"class":"transient","parking":"sqs: timeout"`, parked: true},
		{name: "a sync that cannot be parked is lost", err: transient, parking: full, want: `"level":"ERROR","msg":"sync lost"`, parked: true},
		{name: "so is one without a queue", err: transient, parking: errNoQueue, want: `"level":"ERROR","msg":"sync lost"`},
		{name: "with refuse the sign-in is refused", err: transient, refuse: true, want: `"level":"ERROR","msg":"sign-in refused"`, refused: true},
	}
	for _, row := range rows {
		var log bytes.Buffer
		var parked []parking.Message
		s := &function{
			table:  &table,
			upsert: func(context.Context, users.Row) (bool, error) { return row.stale, row.err },
			park: func(_ context.Context, m parking.Message) error {
				parked = append(parked, m)
				return row.parking
			},
			refuse: row.refuse,
			budget: newBudget(3500*time.Millisecond, time.Now(), environ()),
			log:    slog.New(slog.NewJSONHandler(&log, nil)),
		}
		if row.parking == errNoQueue {
			s.park = nil
		}
		err := s.sync(t.Context(), event(t, authentication, `,"custom:bad":"\u0000"`))
		if !strings.Contains(log.String(), row.want) || strings.Contains(log.String(), "canary") {
			t.Errorf("%s: logs %s, want %s", row.name, &log, row.want)
		}
		var r refusal
		switch {
		case !row.refused && err != nil:
			t.Errorf("%s: %v", row.name, err)
		case row.refused && (!errors.As(err, &r) || err.Error() != "Sign-in is not possible right now. Please try again." || !errors.Is(err, row.err)):
			t.Errorf("%s: %v, want a refusal", row.name, err)
		}
		switch {
		case !row.parked && len(parked) != 0:
			t.Errorf("%s: parked", row.name)
		case row.parked && (len(parked) != 1 || parked[0].Row.Key != sub || parked[0].Class != hasura.ClassOf(row.err) || parked[0].Trigger != authentication):
			t.Errorf("%s: parked %+v", row.name, parked)
		}
	}
}

var errNoQueue = errors.New("no queue")

func TestUserWithoutAUUIDIsLetIn(t *testing.T) {
	for _, attributes := range []string{``, `"sub":"Google_canary"`} {
		var log bytes.Buffer
		s := &function{
			table: &table,
			upsert: func(context.Context, users.Row) (bool, error) {
				t.Error("something was sent")
				return false, nil
			},
			refuse: true,
			budget: newBudget(3500*time.Millisecond, time.Now(), environ()),
			log:    slog.New(slog.NewJSONHandler(&log, nil)),
		}
		e, err := cognito.Parse([]byte(`{"triggerSource":"PostAuthentication_Authentication","request":{"userAttributes":{` + attributes + `}}}`))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.sync(t.Context(), e); err != nil {
			t.Errorf("%s: %v", attributes, err)
		}
		if want := `"level":"ERROR","msg":"permanent failure"`; !strings.Contains(log.String(), want) {
			t.Errorf("%s: logs %s, want %s", attributes, &log, want)
		}
	}
}

// Parking has its time, however long the upsert took.
func TestParkingHasItsTime(t *testing.T) {
	for budget, want := range map[time.Duration]time.Duration{3500 * time.Millisecond: time.Second, 600 * time.Millisecond: 200 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			s := &function{
				table: &table,
				upsert: func(ctx context.Context, _ users.Row) (bool, error) {
					<-ctx.Done()
					return false, &hasura.Error{Code: hasura.CodeTimeout}
				},
				park: func(ctx context.Context, _ parking.Message) error {
					end, _ := ctx.Deadline()
					if got := time.Until(end); got != want {
						t.Errorf("of %v, parking has %v, want %v", budget, got, want)
					}
					<-ctx.Done()
					return ctx.Err()
				},
				budget: newBudget(budget, time.Now(), environ()),
				log:    slog.New(slog.DiscardHandler),
			}
			if err := s.sync(t.Context(), event(t, authentication, "")); err != nil {
				t.Error(err)
			}
			if took := time.Since(start); took != budget {
				t.Errorf("took %v, want %v", took, budget)
			}
		})
	}
}

func TestWhichTriggersSync(t *testing.T) {
	rows := []struct {
		trigger, attributes string
		synced, signedIn    bool
	}{
		{"PostConfirmation_ConfirmSignUp", `,"cognito:user_status":"CONFIRMED"`, true, false},
		{"PostConfirmation_ConfirmSignUp", `,"cognito:user_status":"EXTERNAL_PROVIDER"`, true, true},
		{"PostConfirmation_ConfirmForgotPassword", "", true, false},
		{"PostAuthentication_Authentication", "", true, true},
		{"PostConfirmation_AdminConfirmSignUp", "", false, false}, // only emulators send it
		{"TokenGeneration_Authentication", "", false, false},
		{"", "", false, false},
	}
	for _, row := range rows {
		var log bytes.Buffer
		var got []users.Row
		before := time.Now().Truncate(time.Microsecond)
		s := &function{
			table: &table,
			upsert: func(_ context.Context, r users.Row) (bool, error) {
				got = append(got, r)
				return false, nil
			},
			refuse: true,
			budget: newBudget(3500*time.Millisecond, time.Now(), environ()),
			log:    slog.New(slog.NewJSONHandler(&log, nil)),
		}
		if err := s.sync(t.Context(), event(t, row.trigger, row.attributes)); err != nil {
			t.Errorf("%s: %v", row.trigger, err)
		}
		switch {
		case !row.synced:
			if len(got) != 0 || !strings.Contains(log.String(), `"level":"WARN","msg":"ignored"`) {
				t.Errorf("%s was synced: %s", row.trigger, &log)
			}
		case len(got) != 1 || got[0].Key != sub || got[0].SignedInAt.IsZero() == row.signedIn || got[0].SyncedAt.Before(before) || got[0].SyncedAt.After(time.Now()):
			t.Errorf("%s%s: synced %+v, want a sign-in: %t", row.trigger, row.attributes, got, row.signedIn)
		}
	}
}

func TestColdStartIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	s := &function{
		table:  &table,
		upsert: func(context.Context, users.Row) (bool, error) { return false, nil },
		budget: newBudget(3500*time.Millisecond, time.Now(), environ()),
		log:    slog.New(slog.NewJSONHandler(&log, nil)),
	}
	for range 3 {
		if err := s.sync(t.Context(), event(t, authentication, "")); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Count(log.String(), `"msg":"cold start"`); got != 1 {
		t.Errorf("%d cold starts in %s", got, &log)
	}
}
