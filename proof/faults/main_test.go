package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	table "github.com/phenom-earth/hasura-cognito/pkg/users"
)

// The oracle must find what is wrong, or its silence says nothing.
func TestJudge(t *testing.T) {
	t.Chdir("../..")
	jane := user{1, 2}
	in := signIn{user: jane, calls: 1, slowest: time.Millisecond, request: "1"}
	stored, older, mixed := jane.values(), user{1, 1}.values(), jane.values()
	mixed["email"] = older["email"]
	mixed[table.Username.Name] = "another"
	const parked = `{"message":"parked","requestId":"1","class":"transient","error":"hasura: code breaker-open"}`
	const lost = `{"message":"sync lost","requestId":"1"}`
	rows := []struct {
		name    string
		stored  map[string]string // nil means no row
		log     string
		signIns []signIn
		promise want
		want    string // a part of what is wrong; empty means nothing is
	}{
		{"the row is written", stored, "", []signIn{in}, want{}, ""},
		{"an older sign-in ends later", stored, "", []signIn{in, {user: user{1, 1}}}, want{}, ""},
		{"a refused sign-in has no row", nil, "", []signIn{{user: jane, refused: "so"}}, want{refused: 1}, ""},
		{"a refused sign-in has a row", stored, "", []signIn{{user: user{1, 1}}, {user: jane, refused: "so"}}, want{refused: 1}, ""},
		{"there is no row", nil, "", []signIn{in}, want{}, "1 rows are missing or not of the newest sign-in, log records say so of 0 of them"},
		{"the row is of an older sign-in", older, "", []signIn{in}, want{}, "1 rows are missing or not of the newest"},
		{"one column is of another user", mixed, "", []signIn{in}, want{}, "1 rows are missing or not of the newest"},
		{"a sync is lost and logged", nil, lost, []signIn{in}, want{}, "1 syncs were lost"},
		{"a sync is lost and logged, as it may be", nil, lost, []signIn{in}, want{lossy: true}, ""},
		{"another call says that its sync is lost", nil, `{"message":"sync lost","requestId":"2"}`, []signIn{in}, want{lossy: true},
			"log records say so of 0 of them, and 1 say that a sync is lost"},
		{"a sync is said to be lost, and is not", stored, lost, []signIn{in}, want{lossy: true}, "0 rows are missing"},
		{"the row of another user", stored, "", []signIn{{user: user{2, 1}}}, want{}, "a row belongs to no user"},
		{"a sign-in is refused", stored, "", []signIn{{user: jane, refused: "so"}}, want{}, "1 sign-ins were refused, want 0"},
		{"a call takes too long", stored, "", []signIn{{user: jane, slowest: 5 * time.Second}}, want{}, "a call took 5s"},
		{"the open breaker saves no time", stored, parked, []signIn{{user: jane, request: "1", slowest: time.Second}}, want{}, "while the breaker was open the median was 1s"},
		{"an attribute is logged", stored, `{"message":"synced","email":"canary-1-2@example.com"}`, []signIn{in}, want{}, `a record "synced" has a value that must not be logged`},
		{"a long line is logged", stored, `{"message":"synced","code":"` + strings.Repeat("x", 5000) + `"}`, []signIn{in}, want{}, "1 lines are longer than 4096 bytes"},
		{"a trace is printed", stored, `panic: so`, []signIn{in}, want{}, "1 lines are not log records"},
		{"a message is missing", stored, "", []signIn{in}, want{logged: []string{"synced"}}, `nothing was logged as "synced"`},
		{"a message that must not be there", stored, parked, []signIn{in}, want{never: "parked"}, `1 records are "parked"`},
		{"another failure class", stored, parked, []signIn{in}, want{class: permanent}, `the first parked sync has class "transient", want "permanent"`},
	}
	for _, test := range rows {
		e, err := start(t.Context(), t.TempDir(), row{}, size{})
		if err != nil {
			t.Fatal(err)
		}
		if test.stored != nil {
			if err := e.Insert(t.Context(), test.stored); err != nil {
				t.Fatal(err)
			}
		}
		if test.log != "" {
			if _, err := e.Log.Write([]byte(test.log)); err != nil {
				t.Fatal(err)
			}
		}
		e.signIns = test.signIns
		got := judged(t, e, row{want: test.promise})
		if test.want == "" && got != "" || !strings.Contains(got, test.want) {
			t.Errorf("%s: wrong = %q, want %q", test.name, got, test.want)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A stream's fault can cut the connection to SQS after a sync is stored.
func TestJudgeOfCutConnections(t *testing.T) {
	t.Chdir("../..")
	jane := user{1, 1}
	e, err := start(t.Context(), t.TempDir(), row{}, size{environments: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if err := e.Insert(t.Context(), jane.values()); err != nil {
		t.Fatal(err)
	}
	e.signIns = []signIn{{user: jane, request: "1"}}
	stream := row{stream: true, want: want{lossy: true}}
	for n, want := range []string{"", "", "", "0 rows are missing or not of the newest sign-in, log records say so of 0 of them, and 3 say that a sync is lost"} {
		if got := judged(t, e, stream); got != want {
			t.Errorf("%d needless records: wrong = %q, want %q", n, got, want)
		}
		if _, err := e.Log.Write([]byte(`{"message":"sync lost","requestId":"1"}`)); err != nil {
			t.Fatal(err)
		}
	}
}

// judged is what is wrong in a row.
func judged(t *testing.T, e *environment, r row) string {
	t.Helper()
	rep := &report{row: r}
	rep.judge(t.Context(), e)
	return strings.Join(rep.wrong, "; ")
}

// Some rows with the built functions. make faults runs all of them.
func TestRowsAreAsPromised(t *testing.T) {
	t.Chdir("../..")
	built := t.TempDir()
	for _, name := range append(functions.All(), functions.Optional()...) {
		if err := stack.Build(".", "functions/"+name, filepath.Join(built, name, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	type test struct {
		args []string
		want string
	}
	rows := []test{
		{[]string{"-only", "Hasura answers data-exception"}, "1 rows, all as promised"},
		{[]string{"-only", "events out of order"}, "1 rows, all as promised"},
		{[]string{"-only", "three copies"}, "1 rows, all as promised"},
		{[]string{"-only", "dead letters"}, "1 rows, all as promised"},
		{[]string{"-only", "Hasura and SQS refuse"}, "1 rows, all as promised"},
		{[]string{"-only", "claims function: invalid SESSION_VARIABLES"}, "1 rows, all as promised"},
		{[]string{"-only", "sync function: invalid SYNC_BUDGET"}, "1 rows, all as promised"},
		{[]string{"-drain", "20"}, "20 parked syncs, replayed at "},
	}
	if crowdRows() != nil {
		rows = append(rows, test{[]string{"-only", "reconcile: nothing is wrong"}, "1 rows, all as promised"},
			test{[]string{"-only", "follow: nothing is wrong"}, "1 rows, all as promised"})
	}
	for _, row := range rows {
		var out, errs strings.Builder
		code := run(t.Context(), append([]string{"-functions", built}, row.args...), &out, &errs)
		if code != 0 || !strings.Contains(out.String(), row.want) {
			t.Errorf("%q: exit code %d, want 0 and %q in\n%s%s", row.args, code, row.want, &out, &errs)
		}
	}
}

func TestRefusedInput(t *testing.T) {
	rows := []struct {
		name string
		args []string
		want string
	}{
		{"an unknown flag", []string{"-x"}, "not defined"},
		{"too few sign-ins", []string{"-signins", "100"}, "at least 20 times as many"},
		{"no functions", []string{"-functions", t.TempDir()}, "`make faults` builds the functions"},
	}
	for _, row := range rows {
		var out, errs strings.Builder
		if code := run(t.Context(), row.args, &out, &errs); code != 2 || !strings.Contains(errs.String(), row.want) {
			t.Errorf("%s: exit code %d, stderr %q, want 2 and %q", row.name, code, &errs, row.want)
		}
	}
}

func TestEveryRowHasItsOwnName(t *testing.T) {
	var names []string
	for _, r := range rows("", nil) {
		names = append(names, r.name)
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(rows("", nil)) {
		t.Error("two rows have one name")
	}
}
