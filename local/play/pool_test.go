package main

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

func TestPoolPage(t *testing.T) {
	if !users.Description.KeyIsSub() {
		a := start(t)
		body, _ := follow(t, a, "/pool", nil)
		contains(t, "the page", body, "This page finds rows by the sub")
		return
	}
	if !slices.ContainsFunc(users.Description.Columns, func(c users.Column) bool { return c.Source.Name == "name" }) {
		t.Skip("the table has no column for the attribute that the page edits")
	}
	a := start(t)
	press := func(button string, parts ...string) {
		t.Helper()
		body, _ := follow(t, a, "/pool/"+button, url.Values{})
		contains(t, button, body, parts...)
	}
	press("edit", "the pool has no such users. Import some first")
	follow(t, a, "/settings", url.Values{"USER_ID": {"custom:id"}}) // the key of the table is the sub all the same
	press("import", "1000 rows are not equal to the pool")
	press("reconcile", "table and pool are equal", "1 planned, 1 reconciled")
	press("edit", "5 users were edited", "5 rows are not equal to the pool", "5 changes wait")
	press("dry-run", "Dry run: nothing was written.", "to update            5", "5 rows are not equal to the pool")
	press("follow", "The follow function got 5 changes", "table and pool are equal", "0 changes wait")

	// What failed is not invisible for ten minutes, as on AWS.
	press("edit", "5 changes wait")
	follow(t, a, "/settings", url.Values{"RECONCILE_HASURA_ROLE": {"nobody"}})
	press("follow", "5 messages are still in hasura-cognito-follow", "5 changes wait")
	press("reconcile", "messages are still in hasura-cognito-reconcile")
	follow(t, a, "/settings", url.Values{"reset": {"1"}})
	press("follow", "The follow function got 5 changes", "table and pool are equal", "0 changes wait")
	press("reconcile", "table and pool are equal")

	// 15 of 1000 users are gone, which is more than 0% and less than the default. The dry run reports what reconcile does.
	follow(t, a, "/settings", url.Values{"RECONCILE_MAX_GONE": {"0%"}})
	for range 3 {
		press("delete", "5 users were deleted")
	}
	if users.Description.DeletedAt == "" { // nobody is marked in this table anyway
		press("dry-run", "--max-gone 0%", "gone                15")
	} else {
		press("dry-run", "--max-gone 0%", "No row is marked")
	}
	press("reconcile", "15 rows are not equal to the pool")
	if w := visit(t, a, "/pool/nothing", url.Values{}); w.Code != http.StatusNotFound {
		t.Errorf("an unknown action: status %d, want 404", w.Code)
	}
}

// Each difference that the page counts.
func TestDriftOfThePage(t *testing.T) {
	d := users.Description
	u := cognitoidp.User{Enabled: true, Attributes: map[string]string{"sub": "1"}}
	right := stack.Row{}
	if d.Enabled != "" {
		right[d.Enabled] = true
	}
	if differs(right, u) {
		t.Errorf("%v differs from %v, want equal", right, u)
	}
	disabled := u
	disabled.Enabled = false
	rows := map[string]bool{"disabled": d.Enabled != "" && !differs(right, disabled)}
	if d.DeletedAt != "" {
		rows["marked"] = !differs(stack.Row{d.Enabled: true, d.DeletedAt: "2026-11-28T00:00:00Z"}, u)
	}
	for _, c := range d.Columns {
		if c.Source.Name == "email" {
			rows["another address"] = !differs(stack.Row{d.Enabled: true, c.Name: "x@example.com"}, u)
		}
	}
	for name, missed := range rows {
		if missed {
			t.Errorf("%s: no difference is found", name)
		}
	}
}

func TestLogOfThePage(t *testing.T) {
	run := poolRun{Log: strings.Split(strings.Repeat(`{"message":"followed"}`+"\n", 40)+`{"message":"marked"}`, "\n")}
	if got, want := run.Counts(), "40 followed, 1 marked"; got != want {
		t.Errorf("counts = %q, want %q", got, want)
	}
	if got := run.Lines(); strings.Count(got, "\n") != 30 || !strings.HasSuffix(got, "… and 11 lines more") {
		t.Errorf("lines = %q, want 30 and how many follow", got)
	}
}
