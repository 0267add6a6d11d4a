package main

import (
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A user is let in whatever is broken, and the page shows what happens to the sync.
func TestBreakPage(t *testing.T) {
	a := start(t)
	body, _ := follow(t, a, "/break", nil)
	contains(t, "the page without users", body, "No user has a password yet", "nothing is broken")
	_, sub := act(t, a, request{who: newcomerOf("jane@example.com")}, signUp, confirm)
	for _, row := range []struct{ breakage, message, alarm, verdict string }{
		{"hasura-down", "parked", "ParkedAlarm", "Hasura does not answer"},
		{"hasura-slow", "parked", "ParkedAlarm", "Hasura accepts it"},
		{"wrong-secret", "parked", "ParkedAlarm", "Hasura accepts it"},
		{"rotated", "synced", "No alarm of the template would go into ALARM", "Hasura accepts it"},
		{"redirect", "parked", "ParkedAlarm", "Hasura does not answer: its address redirects"},
		{"missing-column", "parked", "ParkedAlarm", "Hasura accepts it"},
		{"secrets-down", "parked", "SecretAlarm", "Hasura accepts it"},
		{"all-down", "sync lost", "UnsyncedAlarm", "Hasura does not answer"},
	} {
		follow(t, a, "/break", url.Values{"breakage": {row.breakage}})
		body, _ := follow(t, a, "/break/sign-in", url.Values{"sub": {sub}})
		contains(t, row.breakage, body, "The user is in.", `"message":"`+row.message+`"`, row.alarm, row.verdict)
	}
	const reminder = "Broken by you: <strong>Hasura and SQS are down.</strong>"
	body, _ = follow(t, a, "/users", nil)
	contains(t, "another page", body, reminder)
	body, _ = follow(t, a, "/break/repair", url.Values{})
	other, _ := follow(t, a, "/users", nil)
	if strings.Contains(body+other, "Broken by you") {
		t.Errorf("after the repair a page says that something is broken:\n%s\n%s", body, other)
	}
	body, _ = follow(t, a, "/break/replay", url.Values{})
	contains(t, "the replay", body, "6 of 6 parked syncs left the queue", "nothing is broken")
	if w := visit(t, a, "/break", url.Values{"breakage": {"nothing"}}); w.Code != http.StatusBadRequest {
		t.Errorf("an unknown breakage: status %d, want 400", w.Code)
	}
}

func TestAlarmsOfThePage(t *testing.T) {
	if got := alarms([]stack.Line{{Message: "synced"}}, 0); len(got) != 0 {
		t.Errorf("alarms after a sync = %v, want none", got)
	}
	got := alarms([]stack.Line{{Message: "sync lost"}, {Message: "sync lost"}}, 2)
	if len(got) != 2 || got[0].Name != "ParkedSyncsDeadLettersAlarm" || got[1] != (alarm{"UnsyncedAlarm", "2 × sync lost: ALARM at once"}) {
		t.Errorf("alarms = %v", got)
	}
}

func TestBreakerOfThePage(t *testing.T) {
	rows := []struct {
		line stack.Line
		want string
	}{
		{stack.Line{Message: "parked", Error: "hasura: code breaker-open"}, "open: for ten seconds after a failure, the sync function does not ask Hasura"},
		{stack.Line{Message: "parked", Class: "transient"}, "open for ten seconds, if Hasura is the cause: sign in again to see it"},
		{stack.Line{Message: "synced"}, "closed: the last sync reached Hasura"},
		{stack.Line{Message: "shaped"}, "closed"},
	}
	for _, row := range rows {
		if got := breaker([]stack.Line{row.line}); got != row.want {
			t.Errorf("%v: breaker %q, want %q", row.line, got, row.want)
		}
	}
}

// Each alarm of the page counts the message in template.yaml too.
func TestAlarmsAreThoseOfTheTemplate(t *testing.T) {
	text, err := os.ReadFile("../../template.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range causes {
		_, alarm, found := strings.Cut(string(text), "\n  "+c.alarm+":\n")
		alarm, _, _ = strings.Cut(alarm, "\n\n")
		if !found || !strings.Contains(alarm, "Value: "+c.message+"}") {
			t.Errorf("%s does not count %q in template.yaml", c.alarm, c.message)
		}
	}
}

// The pages can be shown while the admin secret changes.
func TestPagesWhileTheSecretRotates(t *testing.T) {
	a := start(t)
	shown := make(chan int)
	go func() {
		defer close(shown)
		for range 50 {
			shown <- visit(t, a, "/users", nil).Code
		}
	}()
	for code := range shown {
		if code != http.StatusOK {
			t.Fatalf("/users: status %d", code)
		}
		if err := a.repair(); err != nil {
			t.Fatal(err)
		}
	}
}
