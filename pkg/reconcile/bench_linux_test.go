package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
)

// The benchmark runs reconcile in a separate process, so that its CPU time and memory are
// not those of the stand-ins. It runs each case once (-benchtime=1x).
//
//	RECONCILE_USERS  users of the pool; 20,000 by default
//	DATABASE_URL     an empty PostgreSQL database; SQLite in memory by default

// measured is what the other process prints.
type measured struct {
	Seconds, CPU float64
	MB           float64 // the most memory
	Report       reconcile.Report
	Error        string
}

// TestMain is the other process if RECONCILE_CHILD names its parts.
func TestMain(m *testing.M) {
	if os.Getenv("RECONCILE_CHILD") == "" {
		os.Exit(m.Run())
	}
	var out measured
	var prefixes []string
	if err := json.Unmarshal([]byte(os.Getenv("RECONCILE_CHILD")), &prefixes); err != nil {
		panic(err)
	}
	start := time.Now()
	r, err := reconciletest.Connect(os.Getenv("RECONCILE_URL"), os.Getenv("RECONCILE_SECRET"), os.Stderr)
	if err == nil {
		out.Report, err = r.All(context.Background(), prefixes, 6, nil)
	}
	if err != nil {
		out.Error = err.Error()
	}
	out.Seconds = time.Since(start).Seconds()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	out.CPU = time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
	status, err := os.ReadFile("/proc/self/status") // Maxrss counts the memory of the parent too
	if err != nil {
		panic(err)
	}
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	kB, _ := strconv.ParseFloat(strings.Fields(peak)[0], 64)
	out.MB = kB / 1024
	if err := json.NewEncoder(os.Stdout).Encode(out); err != nil {
		panic(err)
	}
}

func child(b *testing.B, services *reconciletest.Services, prefixes []string) measured {
	b.Helper()
	parts, err := json.Marshal(prefixes)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RECONCILE_CHILD="+string(parts), "RECONCILE_URL="+services.URL, "RECONCILE_SECRET="+services.SecretARN)
	cmd.Stderr = os.Stderr
	data, err := cmd.Output()
	var m measured
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil || m.Error != "" {
		b.Fatal(err, m.Error)
	}
	return m
}

func BenchmarkReconcile(b *testing.B) {
	n := 20_000
	if text := os.Getenv("RECONCILE_USERS"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	services := reconciletest.Start(b, project, os.Getenv("DATABASE_URL"))
	for i := range n {
		services.Users.Put(typical(i))
	}
	for _, c := range []struct {
		name     string
		prefixes []string
		outcome  reconcile.Outcome
	}{
		{"first fill", reconcile.Plan(100_000), reconcile.Inserted},
		{"unchanged, 16 parts", reconcile.Plan(100_000), reconcile.Same},
		{"unchanged, one part", []string{""}, reconcile.Same},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				m := child(b, services, c.prefixes)
				if m.Report.Counts[c.outcome] != n {
					b.Fatalf("%v, want all users %s", m.Report.Counts, c.outcome)
				}
				b.ReportMetric(float64(n)/m.Seconds, "users/s")
				b.ReportMetric(m.CPU*1e6/float64(n), "CPU-µs/user")
				b.ReportMetric(m.MB, "MB")
			}
		})
	}
}

// typical is a user with the attributes that a pool usually has.
func typical(n int) cognitoidp.User {
	return cognitoidp.User{Username: reconciletest.Sub(n), Status: "CONFIRMED", Enabled: true, Attributes: map[string]string{
		"sub": reconciletest.Sub(n), "email": fmt.Sprintf("user-%d@example.com", n), "email_verified": "true",
		"name": fmt.Sprint("Jane Doe ", n), "given_name": "Jane", "family_name": fmt.Sprint("Doe ", n), "custom:org_id": strconv.Itoa(n % 1000),
	}}
}
