package reconcile_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const project = "../../graphql"

// fill puts users 0 to n-1 of a version into the pool.
func fill(services *reconciletest.Services, n, version int) map[string]cognitoidp.User {
	pooled := make(map[string]cognitoidp.User)
	for i := range n {
		pooled[reconciletest.Sub(i)] = reconciletest.User(i, version)
	}
	services.Users.Put(slices.Collect(maps.Values(pooled))...)
	return pooled
}

func run(t *testing.T, r *reconcile.Reconciler, prefix string) reconcile.Report {
	t.Helper()
	report, err := r.Part(t.Context(), prefix)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func counts(r reconcile.Report) string {
	var all []string
	for _, outcome := range slices.Sorted(maps.Keys(r.Counts)) {
		all = append(all, fmt.Sprintf("%s %d", outcome, r.Counts[outcome]))
	}
	return strings.Join(all, ", ")
}

func TestPart(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	check := func(name, want string, dry bool) reconcile.Report {
		t.Helper()
		r.DryRun = dry
		before := services.Rows()
		report := run(t, r, "")
		if got := counts(report); got != want || !report.Complete {
			t.Errorf("%s: got %s (complete: %t), want %s", name, got, report.Complete, want)
		}
		if after := services.Rows(); dry && !reflect.DeepEqual(before, after) {
			t.Errorf("%s: a dry run has written", name)
		}
		return report
	}

	pooled := fill(services, 120, 1)
	waiting := reconciletest.User(1000, 1)
	waiting.Status = "UNCONFIRMED"
	services.Users.Put(waiting)
	foreign := map[string]any{"id": "00000000-0000-0000-0000-000000000001", "email": "service@example.com"}
	services.Insert(foreign)
	check("a dry run of the first fill", "inserted 120, unconfirmed 1", true)
	check("the first fill", "inserted 120, unconfirmed 1", false)
	if lines := services.Differences(pooled); len(lines) > 0 {
		t.Errorf("after the first fill: %q", lines)
	}
	stored := services.Rows()
	check("nothing has changed", "same 120, unconfirmed 1", false)
	if !reflect.DeepEqual(stored, services.Rows()) {
		t.Error("a run without differences has written rows")
	}

	services.Age()
	edited := reconciletest.User(3, 2) // without a name and custom attributes, disabled
	pooled[reconciletest.Sub(3)] = edited
	services.Users.Put(edited)
	for _, n := range []int{4, 5} {
		services.Users.Delete(reconciletest.Sub(n))
		delete(pooled, reconciletest.Sub(n))
	}
	report := check("a dry run after changes", "marked 2, same 117, unconfirmed 1, updated 1", true)
	for _, column := range []string{"email", "name", "attributes", "enabled"} {
		if report.Columns[column] != 1 {
			t.Errorf("%d rows differ in %s, want 1", report.Columns[column], column)
		}
	}
	if len(report.Samples) != 3 {
		t.Errorf("the samples are %v, want the three users", report.Samples)
	}
	check("after changes", "marked 2, same 117, unconfirmed 1, updated 1", false)
	if lines := services.Differences(pooled); len(lines) > 0 {
		t.Errorf("after changes: %q", lines)
	}
	rows := services.Rows()
	for _, n := range []int{4, 5} {
		row := rows[reconciletest.Sub(n)]
		if at := row.Time("deleted_at"); at.IsZero() || !at.Equal(row.Time("synced_at")) || row.Text("email") == "" {
			t.Errorf("the row of a user who is gone: deleted_at %s, synced_at %s, email %s", row.Get("deleted_at"), row.Get("synced_at"), row.Get("email"))
		}
	}
	if row := rows["00000000-0000-0000-0000-000000000001"]; row.Text("email") != "service@example.com" || !row.Time("deleted_at").IsZero() || !row.Time("synced_at").IsZero() {
		t.Error("a row that did not come from Cognito was touched")
	}
	if lines := strings.Split(services.Log.String(), "\n"); strings.Contains(services.Log.String(), "example.com") {
		t.Errorf("values are logged: %q", lines)
	}

	services.Age()
	r.OnDelete = settings.Anonymize
	check("marked rows are emptied", "marked 2, same 118, unconfirmed 1", false)
	services.Age()
	check("once", "same 118, unconfirmed 1", false)
	for _, n := range []int{4, 5} {
		if row := services.Rows()[reconciletest.Sub(n)]; !users.Description.IsErased(row) || row.Time("deleted_at").IsZero() {
			t.Errorf("the row is not emptied: %s", row)
		}
	}
	if calls := services.Cognito.Calls(); slices.ContainsFunc(calls, func(call string) bool { return call != "ListUsers" }) {
		t.Error("an operation other than ListUsers was called")
	}
}

// atRequest calls do at the nth request to the pool, which fails with what do returns.
func atRequest(services *reconciletest.Services, n int, do func() string) {
	requests := 0
	services.Cognito.Intercept = func(string) string {
		if requests++; requests == n {
			return do()
		}
		return ""
	}
}

// When in doubt nobody is marked.
func TestNobodyIsMarked(t *testing.T) {
	rows := []struct {
		name    string
		disturb func(services *reconciletest.Services, r *reconcile.Reconciler)
		want    string // of the log; "" means that the run fails
	}{
		{"the listing fails in the middle", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			atRequest(services, 2, func() string { return "ResourceNotFoundException" })
		}, ""},
		{"the listing is empty", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			for n := range 200 {
				services.Users.Delete(reconciletest.Sub(n))
			}
		}, `"msg":"marking refused","prefix":"","reason":"the pool has no user here, but the table has rows"`},
		{"too many users are gone", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			for n := range 12 {
				services.Users.Delete(reconciletest.Sub(n))
			}
		}, `"reason":"more than 10 of 188 users are gone"`},
		{"the rows are too new", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			services.Users.Delete(reconciletest.Sub(1))
			services.SetSynced(time.Now().Add(-time.Minute))
		}, " "},
		{"the user is found in the second look-up", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			services.Users.Delete(reconciletest.Sub(1))
			atRequest(services, 6, func() string { // after four pages and the first look-up
				services.Users.Put(reconciletest.User(1, 1))
				return ""
			})
		}, " "},
		{"the row is written between the look-ups", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			services.Users.Delete(reconciletest.Sub(1))
			atRequest(services, 6, func() string {
				services.SetSynced(time.Now())
				return ""
			})
		}, " "},
		{"report", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			services.Users.Delete(reconciletest.Sub(1))
			r.OnDelete = settings.Report
		}, `"msg":"gone","user":"` + reconciletest.Sub(1)},
		{"only missing users", func(services *reconciletest.Services, r *reconcile.Reconciler) {
			services.Users.Delete(reconciletest.Sub(1))
			r.OnlyMissing = true
		}, " "},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			services := reconciletest.Start(t, project, "")
			r := services.Reconciler()
			fill(services, 200, 1)
			run(t, r, "")
			services.Age()
			row.disturb(services, r)
			report, err := r.Part(t.Context(), "")
			if (err != nil) != (row.want == "") || report.Complete != (err == nil) {
				t.Errorf("got %v, complete: %t", err, report.Complete)
			}
			if row.want != "" && !strings.Contains(services.Log.String()+" ", row.want) {
				t.Errorf("logged %s, want %s", services.Log, row.want)
			}
			for sub, row := range services.Rows() {
				if !row.Time("deleted_at").IsZero() {
					t.Errorf("%s is marked", sub)
				}
			}
		})
	}
}

// A sync that came in later than the page request less a minute is not overwritten, and one
// that came in before is.
func TestNewerRowStays(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	fill(services, 2, 1)
	services.Insert(
		map[string]any{"id": reconciletest.Sub(0), "email": "newer@example.com", "synced_at": time.Now().Add(-30 * time.Second), "last_sign_in_at": time.Now()},
		map[string]any{"id": reconciletest.Sub(1), "email": "older@example.com", "synced_at": time.Now().Add(-90 * time.Second), "last_sign_in_at": "2026-01-01T00:00:00Z"})
	if got := counts(run(t, r, "")); got != "newer 1, updated 1" {
		t.Errorf("got %s", got)
	}
	rows := services.Rows()
	if got := rows[reconciletest.Sub(0)].Text("email"); got != "newer@example.com" {
		t.Errorf("the newer row has %s", got)
	}
	if row := rows[reconciletest.Sub(1)]; row.Text("email") != "user-1-1@example.com" || row.Time("last_sign_in_at").IsZero() {
		t.Errorf("the older row has %s, last_sign_in_at %s", row.Get("email"), row.Get("last_sign_in_at"))
	}
}

// refuse makes Hasura refuse each upsert with one of the subs in it, as PostgreSQL would.
func refuse(services *reconciletest.Services, code string, subs ...string) {
	handle := func(rw http.ResponseWriter, body []byte) bool {
		if !strings.Contains(string(body), "mutation upsertUsers") || !slices.ContainsFunc(subs, func(sub string) bool { return strings.Contains(string(body), sub) }) {
			return false
		}
		fmt.Fprintf(rw, `{"errors":[{"message":"canary","extensions":{"code":%q,"path":"$"}}]}`, code)
		return true
	}
	services.Hasura.Store(&handle)
}

// A row that Hasura refuses is reported alone; all others are written.
func TestBadRowIsFound(t *testing.T) {
	for _, code := range []string{"data-exception", "constraint-violation", "unexpected"} {
		t.Run(code, func(t *testing.T) {
			services := reconciletest.Start(t, project, "")
			r := services.Reconciler()
			pooled := fill(services, 150, 1)
			bad := []string{reconciletest.Sub(7), reconciletest.Sub(99)}
			refuse(services, code, bad...)
			if got := counts(run(t, r, "")); got != "failed 2, inserted 148" {
				t.Errorf("got %s", got)
			}
			for _, sub := range bad {
				delete(pooled, sub)
				if want := `"msg":"permanent failure","user":"` + sub; strings.Count(services.Log.String(), want) != 1 {
					t.Errorf("logged %s, want once %s", services.Log, want)
				}
			}
			if lines := services.Differences(pooled); len(lines) > 0 || len(services.Rows()) != 148 {
				t.Errorf("%d rows; %q", len(services.Rows()), lines)
			}
		})
	}
}

// A failure that is not the fault of a row fails the part, without a request for each row.
func TestFailureOfAllRows(t *testing.T) {
	for _, code := range []string{"permission-denied", "unexpected"} {
		services := reconciletest.Start(t, project, "")
		r := services.Reconciler()
		fill(services, 200, 1)
		requests := 0
		handle := func(rw http.ResponseWriter, body []byte) bool {
			if !strings.Contains(string(body), "mutation upsertUsers") {
				return false
			}
			requests++
			fmt.Fprintf(rw, `{"errors":[{"extensions":{"code":%q}}]}`, code)
			return true
		}
		services.Hasura.Store(&handle)
		report, err := r.Part(t.Context(), "")
		if err == nil || report.Complete || report.Counts[reconcile.Failed] > 0 || requests > 60 {
			t.Errorf("%s: %v after %d requests, %s", code, err, requests, counts(report))
		}
	}
}

// A database without the columns enabled and deleted_at is reconciled, and nobody is marked.
func TestTableWithoutMarks(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	without := func(rw http.ResponseWriter, body []byte) bool {
		var request struct{ Query string }
		if json.Unmarshal(body, &request) == nil && !strings.Contains(request.Query, "deleted_at") && !strings.Contains(string(body), `"enabled"`) {
			return false
		}
		fmt.Fprint(rw, `{"errors":[{"extensions":{"code":"validation-failed"}}]}`)
		return true
	}
	services.Hasura.Store(&without)
	r := services.Reconciler()
	fill(services, 30, 0)
	run(t, r, "")
	services.Age()
	services.Users.Delete(reconciletest.Sub(1))
	if got := counts(run(t, r, "")); got != "gone 1, same 29" || r.CanMark() == "" {
		t.Errorf("got %s; %q", got, r.CanMark())
	}
}

// While nobody is marked, the number of users who are gone refuses nothing. An empty pool still does.
func TestManyAreOnlyCounted(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	fill(services, 112, 1)
	run(t, r, "")
	services.Age()
	for n := range 12 {
		services.Users.Delete(reconciletest.Sub(n))
	}
	r.OnDelete = settings.Report
	report := run(t, r, "")
	if got := counts(report); got != "gone 12, same 100" || report.Refused != "" || strings.Contains(services.Log.String(), "refused") {
		t.Errorf("got %s, refused %q: %s", got, report.Refused, services.Log)
	}
	for n := range 112 {
		services.Users.Delete(reconciletest.Sub(n))
	}
	if report := run(t, r, ""); report.Refused == "" || report.Counts[reconcile.Gone] > 0 {
		t.Errorf("an empty pool: got %s, refused %q", counts(report), report.Refused)
	}
}

// A row that cannot be marked does not hold up those of other look-ups.
func TestOneRowThatCannotBeMarked(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	r.MaxGone = 100
	fill(services, 160, 1)
	run(t, r, "")
	services.Age()
	var subs []string
	for n := range 150 {
		subs = append(subs, reconciletest.Sub(n))
		services.Users.Delete(subs[n])
	}
	bad := slices.Min(subs)
	refuse := func(rw http.ResponseWriter, body []byte) bool {
		if !strings.Contains(string(body), "updateUsers") || !strings.Contains(string(body), bad) {
			return false
		}
		fmt.Fprint(rw, `{"errors":[{"extensions":{"code":"constraint-violation"}}]}`)
		return true
	}
	services.Hasura.Store(&refuse)
	report, err := r.Part(t.Context(), "")
	if err == nil || report.Complete || report.Counts[reconcile.Marked] != 149 || !reconcile.IsPermanent(err) {
		t.Errorf("got %s, complete: %t, %v", counts(report), report.Complete, err)
	}
}

// Hasura's health check hangs, and everything else works.
func TestOpenWithoutAHealthCheck(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	hang := func(_ http.ResponseWriter, body []byte) bool {
		if len(body) == 0 {
			<-end
		}
		return len(body) == 0
	}
	services.Hasura.Store(&hang)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := services.Opener().Open(ctx); err != nil {
		t.Error(err)
	}
	if ctx.Err() != nil {
		t.Error("Open has waited for the health check")
	}
}

// Metadata that is applied while the function is warm is found.
func TestOpenAgain(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	o := services.Opener()
	o.Settings.OnDelete = settings.Mark
	without := func(rw http.ResponseWriter, body []byte) bool {
		if !strings.Contains(string(body), "deleted_at") {
			return false
		}
		fmt.Fprint(rw, `{"errors":[{"extensions":{"code":"validation-failed"}}]}`)
		return true
	}
	services.Hasura.Store(&without)
	if r, err := o.Open(t.Context()); err != nil || r.CanMark() == "" {
		t.Fatalf("without the column: got %v, can mark: %t", err, r.CanMark() == "")
	}
	services.Hasura.Store(nil)
	r, err := o.Open(t.Context())
	if err != nil || r.CanMark() != "" {
		t.Fatalf("with the column: got %v, %q", err, r.CanMark())
	}
	if again, err := o.Open(t.Context()); err != nil || again != r {
		t.Errorf("a second one is opened: %v", err)
	}
}

// Parts that end in time are the whole of a part that does not.
func TestUnfinishedPartIsSplit(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	var pooled []string
	for n := range 300 {
		u := reconciletest.User(n, 1)
		u.Attributes["sub"] = "34" + u.Attributes["sub"][2:]
		pooled = append(pooled, u.Attributes["sub"])
		services.Users.Put(u)
	}
	_, _, err := r.Compare(t.Context(), "3", time.Now().Add(time.Nanosecond))
	u, ok := errors.AsType[*reconcile.Unfinished](err)
	if !ok || len(u.Parts) != 16 {
		t.Fatalf("got %v, want 16 parts: nothing was listed", err)
	}
	pages := 0
	services.Cognito.Intercept = func(string) string {
		if pages++; pages == 4 {
			time.Sleep(300 * time.Millisecond)
		}
		return ""
	}
	_, _, err = r.Compare(t.Context(), "3", time.Now().Add(250*time.Millisecond))
	if u, ok = errors.AsType[*reconcile.Unfinished](err); !ok {
		t.Fatalf("got %v, want an unfinished part", err)
	}
	for _, sub := range append(pooled, "30", "3f", "340") {
		if n := len(slices.DeleteFunc(slices.Clone(u.Parts), func(part string) bool { return !strings.HasPrefix(sub, part) })); n != 1 {
			t.Errorf("%s is in %d of the parts %q", sub, n, u.Parts)
		}
	}
	if len(u.Parts) != 31 {
		t.Errorf("%d parts, want 15 with another second digit and 16 with another third one: %q", len(u.Parts), u.Parts)
	}
}

// The parts of a plan are the whole pool.
func TestPlan(t *testing.T) {
	for estimate, want := range map[int]int{0: 1, 20_000: 1, 20_001: 16, 1_000_000: 16, 2_000_000: 4096} {
		parts := reconcile.Plan(estimate)
		if len(parts) != want {
			t.Errorf("%d users: %d parts, want %d", estimate, len(parts), want)
		}
		for n := range 200 {
			in := 0
			for _, part := range parts {
				if strings.HasPrefix(reconciletest.Sub(n), part) {
					in++
				}
			}
			if in != 1 {
				t.Errorf("%d users: a user is in %d parts", estimate, in)
			}
		}
	}
}

// Whatever happens while it runs and whenever it is killed, a last run makes the table
// equal to the pool, nobody in the pool is ever marked, and other rows stay as they are.
func TestTableEqualsPool(t *testing.T) {
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { converges(t, rand.New(rand.NewPCG(seed, 3))) })
	}
}

func converges(t *testing.T, random *rand.Rand) {
	services := reconciletest.Start(t, project, "")
	services.Users.Short, services.Users.Repeat = random.IntN(2) == 0, random.IntN(3) == 0
	r := services.Reconciler()
	r.MaxGone = 1
	pooled, deleted := make(map[string]cognitoidp.User), make(map[string]bool)
	change := func() {
		n := random.IntN(150)
		sub := reconciletest.Sub(n)
		_, exists := pooled[sub]
		switch {
		case exists && random.IntN(6) == 0:
			delete(pooled, sub)
			deleted[sub] = true // a sub does not come back
			services.Users.Delete(sub)
		case !deleted[sub]:
			u := reconciletest.User(n, random.IntN(9))
			if n%17 == 0 {
				u.Status = "UNCONFIRMED"
			}
			pooled[sub] = u
			services.Users.Put(u)
		}
	}
	for range 200 {
		change()
	}
	foreign := map[string]any{"id": reconciletest.Sub(9999), "email": "service@example.com", "attributes": map[string]any{"a": 1}}
	services.Insert(foreign)
	before := services.Rows()[reconciletest.Sub(9999)]

	exceptions := append(make([]string, 40), "TooManyRequestsException", "InvalidParameterException", "NotAuthorizedException", "NotAuthorizedException")
	// A request can still be served when its part has ended. So everything that it uses, random too, is guarded.
	var mu sync.Mutex
	steps, kill, still := 0, func() {}, false
	services.Cognito.Intercept = func(string) string {
		mu.Lock()
		defer mu.Unlock()
		if still {
			return ""
		}
		if steps--; steps == 0 {
			kill()
		}
		if random.IntN(3) == 0 {
			change()
		}
		return exceptions[random.IntN(len(exceptions))]
	}
	for range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		mu.Lock()
		steps, kill = random.IntN(25), cancel
		r.OnDelete = []settings.OnDelete{settings.Report, settings.Mark, settings.Anonymize}[random.IntN(3)]
		prefixes := [][]string{{""}, reconcile.Plan(100_000)}[random.IntN(2)]
		mu.Unlock()
		for _, prefix := range prefixes {
			_, _ = r.Part(ctx, prefix) // fails as often as not
		}
		cancel()
		mu.Lock()
		for sub, row := range services.Rows() {
			if _, alive := pooled[sub]; alive && !row.Time("deleted_at").IsZero() {
				t.Errorf("%s is in the pool and marked", sub)
			}
		}
		mu.Unlock()
		services.Age()
	}
	mu.Lock()
	still = true
	mu.Unlock()
	r.OnDelete = settings.Mark
	if report := run(t, r, ""); !report.Complete {
		t.Fatal("the last run is not complete")
	}
	if lines := services.Differences(pooled); len(lines) > 0 {
		t.Errorf("after the last run:\n%s", strings.Join(lines, "\n"))
	}
	rows := services.Rows()
	for sub, row := range rows {
		u, alive := pooled[sub]
		if marked := !row.Time("deleted_at").IsZero(); sub != reconciletest.Sub(9999) && u.Status != "UNCONFIRMED" && marked == alive {
			t.Errorf("%s is in the pool: %t, and marked: %t", sub, alive, marked)
		}
	}
	if !reflect.DeepEqual(rows[reconciletest.Sub(9999)], before) {
		t.Error("a row that did not come from Cognito was touched")
	}
	if slices.Contains(services.Cognito.Calls(), "AdminGetUser") {
		t.Error("AdminGetUser was called")
	}
}

// Two users of the pool with one id: neither is written, and the others are.
func TestDuplicateID(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	table := users.Description
	table.Columns = slices.Clone(table.Columns)
	table.Columns[0].Source = users.UserID
	table.Columns[1].Source, table.Sub = users.Sub, "username" // holds the sub
	r := services.Reconciler()
	r.Rows.Table, r.UserID = &table, "custom:id"
	legacy := func(n int) string { return fmt.Sprintf("%08d-0000-0000-0000-000000000000", n) }
	put := func(n, id int) {
		u := reconciletest.User(n, 0)
		u.Attributes["custom:id"] = legacy(id)
		services.Users.Put(u)
	}
	put(1, 1)
	put(2, 2)
	put(3, 2)
	if got := counts(run(t, r, "")); got != "duplicate 2, inserted 1" || len(services.Rows()) != 1 || strings.Count(services.Log.String(), `"msg":"duplicate id"`) != 2 {
		t.Errorf("got %s: %s", got, services.Log)
	}

	// A row keeps its owner while the owner is in the pool, also if the other user is in another part.
	put(4, 1)
	outcomes, err := r.Users(t.Context(), []string{reconciletest.Sub(4)})
	if err != nil || outcomes[reconciletest.Sub(4)] != reconcile.Newer && outcomes[reconciletest.Sub(4)] != reconcile.Duplicate {
		t.Errorf("got %v, %v", outcomes, err)
	}
	services.Age(legacy(1))
	outcomes, err = r.Users(t.Context(), []string{reconciletest.Sub(4)})
	if err != nil || outcomes[reconciletest.Sub(4)] != reconcile.Duplicate || services.Rows()[legacy(1)].Text("username") != reconciletest.Sub(1) {
		t.Errorf("got %v, %v", outcomes, err)
	}
	services.Users.Delete(reconciletest.Sub(1))
	outcomes, err = r.Users(t.Context(), []string{reconciletest.Sub(4)})
	if err != nil || outcomes[reconciletest.Sub(4)] != reconcile.Updated || services.Rows()[legacy(1)].Text("username") != reconciletest.Sub(4) {
		t.Errorf("after the owner is gone: got %v, %v", outcomes, err)
	}

	// Without a column for the sub nobody is marked.
	table.Sub = ""
	services.Age()
	services.Users.Delete(reconciletest.Sub(4))
	if got := run(t, r, ""); got.Counts[reconcile.Marked]+got.Counts[reconcile.Gone] > 0 || r.CanMark() == "" {
		t.Errorf("got %s", counts(got))
	}
}

// After a row is emptied, no message of the user brings a value back, in any order.
func TestErasedRowStaysErased(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	var messages []parking.Message
	const sub = "69f23de6-af9e-43cc-b208-8b269334667d"
	bodies := []string{
		`{"version":1,"user":{"id":"` + sub + `","email":"old@example.com","synced_at":"2026-11-23T12:00:01Z","last_sign_in_at":"2026-11-23T12:00:01Z"},"trigger":"PostAuthentication_Authentication","class":"transient"}`,
		`{"version":1,"user":{"id":"` + sub + `","name":"Jane Doe","attributes":{"plan":"pro"},"synced_at":"2026-11-25T12:00:01Z"},"trigger":"PostConfirmation_ConfirmSignUp","class":"transient"}`,
	}
	for _, body := range bodies {
		m, err := parking.Read([]byte(body), &users.Description)
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		messages = append(messages, m)
	}
	current, _, err := users.Description.Row(users.Sync{At: time.Now().Add(-6 * time.Minute), SignedIn: true,
		User: cognito.User{ID: sub, Username: "jane", Attributes: map[string]string{"sub": sub, "email": "new@example.com", "custom:plan": "pro"}}})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(parking.Message{Row: current, Trigger: "PostAuthentication_Authentication", Class: "transient"})
	if err != nil {
		t.Fatal(err)
	}
	m, err := parking.Read(data, &users.Description) // of the current version
	if err != nil {
		t.Fatal(err)
	}
	messages = append(messages, m)

	r := services.Reconciler()
	r.OnDelete = settings.Anonymize
	sync := services.Client("cognito_sync")
	if _, err := sync.Upsert(services.Context(), m.Row); err != nil {
		t.Fatal(err)
	}
	outcomes, err := r.Users(t.Context(), []string{sub})
	if err != nil || outcomes[sub] != reconcile.Marked || !users.Description.IsErased(services.Rows()[sub]) {
		t.Fatalf("got %v, %v", outcomes, err)
	}
	erased := services.Rows()[sub]
	random := rand.New(rand.NewPCG(1, 1))
	for range 10 {
		random.Shuffle(len(messages), func(i, j int) { messages[i], messages[j] = messages[j], messages[i] })
		for _, m := range messages {
			if stale, err := sync.Upsert(services.Context(), m.Row); err != nil || !stale {
				t.Fatalf("a message of %v: stale %t, %v", m.Row.SyncedAt, stale, err)
			}
		}
	}
	if got := services.Rows()[sub]; !reflect.DeepEqual(got, erased) || !got.Time("last_sign_in_at").IsZero() {
		t.Errorf("the row was %s, and is %s", erased, got)
	}
}
