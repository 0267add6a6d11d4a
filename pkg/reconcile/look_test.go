package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

func TestMerge(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	rows := []struct{ a, b, want reconcile.Look }{
		{reconcile.Look{}, reconcile.Look{}, reconcile.Look{}},
		{reconcile.Look{}, reconcile.Look{Earlier: 1}, reconcile.Look{}},
		{reconcile.Look{}, reconcile.Look{Earlier: 1, AbsentAt: late}, reconcile.Look{AbsentAt: late}},
		{reconcile.Look{Earlier: 2, AbsentAt: early}, reconcile.Look{Earlier: 1, AbsentAt: late}, reconcile.Look{Earlier: 1, AbsentAt: early}},
	}
	for _, row := range rows {
		if got := row.a.Merge(row.b); got != row.want {
			t.Errorf("%+v with %+v: got %+v, want %+v", row.a, row.b, got, row.want)
		}
		if got := row.b.Merge(row.a); got != row.want {
			t.Errorf("%+v with %+v: got %+v, want %+v", row.b, row.a, got, row.want)
		}
	}
}

// The pool shows the first of two changes. Then only a further look-up finds the second.
func TestSeveralChanges(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	fill(services, 1, 1)
	run(t, r, "")
	for version, look := range map[int]reconcile.Look{2: {}, 3: {Several: true}} {
		services.Age()
		services.Users.Put(reconciletest.User(0, version))
		look.Sub = reconciletest.Sub(0)
		outcomes, again, err := r.Look(t.Context(), []reconcile.Look{look})
		if _, ok := again[look.Sub]; err != nil || outcomes[look.Sub] != reconcile.Updated || ok != look.Several {
			t.Errorf("several: %t: got %v, %v, looks again: %t", look.Several, err, outcomes, ok)
		}
		if next := again[look.Sub]; next.Several {
			t.Errorf("the next look-up is %+v", next)
		}
	}
}

// Confirm marks only who is absent again, and whose row was not written since the listing.
func TestConfirm(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	fill(services, 100, 1)
	run(t, r, "")
	services.Age()
	for n := range 4 {
		services.Users.Delete(reconciletest.Sub(n))
	}
	report, missing, err := r.Compare(t.Context(), "", time.Time{})
	if err != nil || counts(report) != "same 96" || len(missing.Subs) != 4 || !report.Complete {
		t.Fatalf("got %s, %v, %v", counts(report), missing, err)
	}
	if report, again, err := r.Compare(t.Context(), "", time.Now().Add(time.Hour)); err != nil || counts(report) != "same 96" || len(again.Subs) != 4 {
		t.Fatalf("the first look-up has marked a row: %s, %v, %v", counts(report), again, err)
	}

	services.Users.Put(reconciletest.User(0, 2)) // is back
	services.SetSynced(missing.Listed.Add(-4*time.Minute), reconciletest.Sub(1))
	services.SetSynced(missing.Listed.Add(-6*time.Minute), reconciletest.Sub(2))
	second, err := r.Confirm(t.Context(), missing)
	if err != nil || counts(second) != "marked 2, pending 1, updated 1" || second.InPool != 1 {
		t.Errorf("got %s, %d in the pool, %v", counts(second), second.InPool, err)
	}
	for n, marked := range map[int]bool{0: false, 1: false, 2: true, 3: true} {
		if at := services.Rows()[reconciletest.Sub(n)].Time("deleted_at"); at.IsZero() == marked {
			t.Errorf("user %d: deleted_at is %s, want it set: %t", n, at, marked)
		}
	}

	// The same again, much later. The rows stay as they are, also those of later sign-ins.
	before := services.Rows()[reconciletest.Sub(3)]
	services.SetSynced(missing.Listed.Add(time.Minute), reconciletest.Sub(1))
	if third, err := r.Confirm(t.Context(), missing); err != nil || third.Counts[reconcile.Pending] != 1 ||
		services.Rows()[reconciletest.Sub(3)].Text("deleted_at") != before.Text("deleted_at") || !services.Rows()[reconciletest.Sub(1)].Time("deleted_at").IsZero() {
		t.Errorf("got %s, %v", counts(third), err)
	}
	late := reconcile.Missing{Subs: []string{reconciletest.Sub(1)}, Listed: time.Now().Add(-time.Hour)}
	services.SetSynced(time.Now().Add(-30*time.Minute), reconciletest.Sub(1)) // after the listing
	if report, err := r.Confirm(t.Context(), late); err != nil || report.Counts[reconcile.Pending] != 1 {
		t.Errorf("an hour late: got %s, %v", counts(report), err)
	}
	r.OnDelete = settings.Report
	services.SetSynced(missing.Listed.Add(-time.Hour), reconciletest.Sub(1))
	if fourth, err := r.Confirm(t.Context(), missing); err != nil || fourth.Counts[reconcile.Gone] != 1 || !services.Rows()[reconciletest.Sub(1)].Time("deleted_at").IsZero() {
		t.Errorf("got %s, %v", counts(fourth), err)
	}
}

// However often a row is written meanwhile, the look-ups of one change end.
func TestLooksEnd(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	fill(services, 1, 1)
	run(t, r, "")
	services.Users.Delete(reconciletest.Sub(0))
	looks, n := []reconcile.Look{{Sub: reconciletest.Sub(0)}}, 0
	for ; len(looks) > 0 && n < 20; n++ {
		outcomes, again, err := r.Look(t.Context(), looks)
		if err != nil || outcomes[reconciletest.Sub(0)] != reconcile.Pending {
			t.Fatalf("got %v, %v", outcomes, err)
		}
		looks = nil
		for _, look := range again {
			looks = append(looks, look)
		}
	}
	if n != 5 { // Lambda stops a function that calls itself about 16 times
		t.Errorf("%d look-ups, want 5", n)
	}
}

// The pool's rate limiter gives up before the time is over. The part is split then too.
func TestFirstLookThatDoesNotEndInTime(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	fill(services, 40, 1)
	run(t, r, "")
	services.Age()
	for n := range 10 {
		services.Users.Delete(reconciletest.Sub(n))
	}
	slow, err := pool.Open(t.Context(), reconciletest.PoolID, 2)
	if err != nil {
		t.Fatal(err)
	}
	r.Pool = slow // ten look-ups take five seconds
	if _, _, err := r.Compare(t.Context(), "", time.Now().Add(1700*time.Millisecond)); err == nil {
		t.Error("the part ends in time")
	} else if _, ok := errors.AsType[*reconcile.Unfinished](err); !ok {
		t.Errorf("got %v, want an unfinished part", err)
	}
}

// Users waits for a second look-up only. Who needs a third one, or a later one, is pending.
func TestUsersPending(t *testing.T) {
	services := reconciletest.Start(t, project, "")
	r := services.Reconciler()
	fill(services, 2, 1)
	run(t, r, "")
	services.Age(reconciletest.Sub(0))
	services.Users.Delete(reconciletest.Sub(1)) // the row is new
	atRequest(services, 3, func() string {      // the second look-up of the first user
		services.Users.Delete(reconciletest.Sub(0))
		return ""
	})
	before := len(services.Cognito.Calls())
	outcomes, err := r.Users(t.Context(), []string{reconciletest.Sub(0), reconciletest.Sub(1)})
	if err != nil || outcomes[reconciletest.Sub(0)] != reconcile.Pending || outcomes[reconciletest.Sub(1)] != reconcile.Pending {
		t.Errorf("got %v, %v, want both pending", outcomes, err)
	}
	if n := len(services.Cognito.Calls()) - before; n != 3 {
		t.Errorf("%d look-ups, want 3", n)
	}
}
