package usertable

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A row is emptied only if the user is gone at both look-ups.
func TestErase(t *testing.T) {
	w := reconciletest.Start(t, "../../../graphql", "")
	table := &Table{Reconciler: w.Reconciler()}
	sub := reconciletest.Sub(1)
	w.Users.Put(reconciletest.User(1, 1))
	if _, err := table.Sync(t.Context(), sub); err != nil {
		t.Fatal(err)
	}
	check := func(name, want string) {
		t.Helper()
		err := table.Erase(t.Context(), sub)
		if finding := (Finding{}); want == "" && err != nil || want != "" && (!errors.As(err, &finding) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
		if erased := users.Description.IsErased(w.Rows()[sub]); erased != (want == "") {
			t.Errorf("%s: the row is empty: %t", name, erased)
		}
	}
	check("in the pool", "is still in the pool")
	w.Users.Delete(sub)
	check("gone, but the row is new", "written in the last five minutes")
	w.Age()
	requests := 0
	w.Cognito.Intercept = func(string) string {
		if requests++; requests == 2 {
			w.Users.Put(reconciletest.User(1, 1))
		}
		return ""
	}
	check("in the pool at the second look-up", "in the pool")
	w.Cognito.Intercept = nil
	w.Users.Delete(sub)
	check("gone", "")
	row := w.Rows()[sub]
	if row.Time("deleted_at").IsZero() || row.Text("id") != sub || bytes.Contains(row.Get("email"), []byte("@")) {
		t.Errorf("the row is %s", row)
	}
	view, err := table.Show(t.Context(), sub, false)
	if err != nil || !view.Equal() || view.InPool {
		t.Errorf("got %+v, %v", view, err)
	}
	foreign := "00000000-0000-0000-0000-000000000001"
	w.Insert(map[string]any{"id": foreign, "email": "service@example.com"})
	if err := table.Erase(t.Context(), foreign); err == nil || w.Rows()[foreign].Text("email") == "" {
		t.Errorf("a row that did not come from Cognito: got %v, %s", err, w.Rows()[foreign])
	}
}

func TestPrint(t *testing.T) {
	r := Result{InPool: 1204, InTable: 1200, Counts: Counts{"same": 1190, "updated": 10, "marked": 2, "failed": 1, "gone": 1}, Columns: Columns{"name": 3, "email": 9, "enabled": 3},
		Refused: []string{"3: more than 10 of 20 users are gone"}, Samples: []Difference{{"abc", reconcile.Updated, []string{"email", "name"}}}, Failed: []Failure{{"a", "code x"}}}
	var out strings.Builder
	r.Print(&out, settings.Anonymize)
	for _, want := range []string{"in the pool      1,204", "updated             10  email 9, enabled 3, name 3\n", "marked               2  not in the pool: deleted_at is set, personal columns are emptied\n",
		"No row is marked: 3: more than 10 of 20 users are gone", "  abc  updated  email, name\n", "begin with a did not end: code x", "The same command goes on"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "ry run") {
		t.Errorf("a run is called a dry run:\n%s", out.String())
	}
}

func TestViewCannotControlTheTerminal(t *testing.T) {
	var out strings.Builder
	View{Columns: []Cell{{Column: "name", Row: []byte("\"\u009b2J\u202e\"")}}}.Print(&out)
	if strings.ContainsAny(out.String(), "\u009b\u202e") {
		t.Errorf("got %q", out.String())
	}
}

func TestProgress(t *testing.T) {
	var out strings.Builder
	p := NewProgress(&out, false, 1_000_000)
	p.Add(12_000)
	if got, want := p.line(10*time.Second), "12,000 of about 1,000,000 users, 1,200 per second, about 13m43s left"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	p.Add(988_001)
	if got, want := p.line(100*time.Second), "1,000,001 of about 1,000,001 users, 10,000 per second"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// On a terminal, a line of the log removes the bar.
	out.Reset()
	p = NewProgress(&out, true, 10)
	p.Add(20) // more than the estimate
	if _, err := p.Write([]byte("a line\n")); err != nil || !strings.HasSuffix(out.String(), "\ra line\n") || !strings.Contains(out.String(), "users/") {
		t.Errorf("got %v, %q", err, out.String())
	}
	p.Close()
}
