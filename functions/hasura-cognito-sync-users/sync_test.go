package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
)

const sub = "69f23de6-af9e-43cc-b208-8b269334667d"

// event returns one with canaries in it.
func event(t *testing.T, trigger string, attributes string) *cognito.Event {
	t.Helper()
	e, err := cognito.Parse(fmt.Appendf(nil, `{"triggerSource":%q,"userName":"canary","request":{"userAttributes":{"sub":%q,"email":"canary"%s}}}`, trigger, sub, attributes))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestSyncDecides(t *testing.T) {
	later := &hasura.Error{Status: 503}
	broken := &hasura.Error{Status: 200, Code: "validation-failed"}
	rows := []struct {
		name    string
		result  hasura.Result
		err     error
		refuse  bool
		want    string // what the log has in it
		refused bool
	}{
		{"the row is written", hasura.Result{}, nil, false, `"level":"INFO","msg":"synced","user":"` + sub + `","trigger":"PostAuthentication_Authentication","ms":`, false},
		{"the row is newer", hasura.Result{Stale: true}, nil, true, `"level":"INFO","msg":"stale"`, false},
		{"a value was left out", hasura.Result{Dropped: []string{"custom:a"}}, nil, true, `"level":"WARN","msg":"dropped"`, false},
		{"its name is logged", hasura.Result{Dropped: []string{"custom:a"}}, nil, true, `"attributes":["custom:a"]`, false},
		{"a failure lets the person in", hasura.Result{}, later, false, `"level":"ERROR","msg":"unsynced"`, false},
		{"with what it was", hasura.Result{}, later, false, `"error":"hasura: status 503, code ","class":"later"`, false},
		{"so does one that stays", hasura.Result{}, broken, false, `"class":"broken"`, false},
		{"and one of the secret", hasura.Result{}, errors.New("secret x is empty"), false, `"error":"secret x is empty","class":"later"`, false},
		{"a failure refuses on demand", hasura.Result{}, later, true, `"level":"ERROR","msg":"refused"`, true},
		{"but not for what never ends", hasura.Result{}, &hasura.Error{Code: hasura.CodeNoUUID}, true, `"level":"ERROR","msg":"broken"`, false},
	}
	for _, row := range rows {
		var log bytes.Buffer
		s := &syncer{
			upsert: func(context.Context, hasura.Sync) (hasura.Result, error) { return row.result, row.err },
			refuse: row.refuse,
			budget: newBudget(defaultBudget, time.Now(), environ()),
			log:    slog.New(slog.NewJSONHandler(&log, nil)),
		}
		err := s.sync(t.Context(), event(t, authentication, ""))
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
		{"PostConfirmation_AdminConfirmSignUp", "", false, false}, // an emulator's invention
		{"TokenGeneration_Authentication", "", false, false},
		{"", "", false, false},
	}
	for _, row := range rows {
		var log bytes.Buffer
		var got []hasura.Sync
		before := time.Now()
		s := &syncer{
			upsert: func(_ context.Context, sync hasura.Sync) (hasura.Result, error) {
				got = append(got, sync)
				return hasura.Result{}, nil
			},
			refuse: true,
			budget: newBudget(defaultBudget, time.Now(), environ()),
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
		case len(got) != 1 || got[0].User.ID != sub || got[0].SignedIn != row.signedIn || got[0].At.Before(before) || got[0].At.After(time.Now()):
			t.Errorf("%s%s: synced %+v, want a sign-in: %t", row.trigger, row.attributes, got, row.signedIn)
		}
	}
}

func TestColdStartIsLoggedOnce(t *testing.T) {
	var log bytes.Buffer
	s := &syncer{
		upsert: func(context.Context, hasura.Sync) (hasura.Result, error) { return hasura.Result{}, nil },
		budget: newBudget(defaultBudget, time.Now(), environ()),
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
