//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/reconciletest"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
	"github.com/phenom-earth/hasura-cognito/proof/postgres"
)

// measured is what the other process prints.
type measured struct {
	Seconds, CPU float64
	MB           float64 // the most memory
	Report       reconcile.Report
	Error        string
}

// A job is what the other process does.
type job struct {
	URL, SecretARN string
	Prefixes       []string
	PerSecond      float64 // requests to the pool; 0 is without a limit
}

// TestMain is the other process if RECONCILE_JOB is set.
func TestMain(m *testing.M) {
	text := os.Getenv("RECONCILE_JOB")
	if text == "" {
		os.Exit(m.Run())
	}
	var j job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		panic(err)
	}
	reconcile.SetGC()
	var out measured
	start := time.Now()
	r, err := reconciletest.Connect(j.URL, j.SecretARN, os.Stderr)
	if err == nil && j.PerSecond > 0 {
		r.Pool, err = pool.Open(context.Background(), reconciletest.PoolID, j.PerSecond)
	}
	if err == nil {
		out.Report, err = r.All(context.Background(), j.Prefixes, 6, nil)
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

// run runs a job in another process, and fails unless all users of the pool have the outcome.
func (j job) run(b *testing.B, n int, outcome reconcile.Outcome) measured {
	b.Helper()
	text, err := json.Marshal(j)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), "RECONCILE_JOB="+string(text)), os.Stderr
	data, err := cmd.Output()
	var m measured
	if err == nil {
		err = json.Unmarshal(data, &m)
	}
	if err != nil || m.Error != "" {
		b.Fatal(err, m.Error)
	}
	if got := m.Report.Counts[outcome]; got != n {
		b.Fatalf("%d users %s, want %d: %v", got, outcome, n, m.Report.Counts)
	}
	return m
}

// BenchmarkReconcile measures reconcile over PostgreSQL. It runs in another process than the
// stand-ins, so that its CPU time and memory are not theirs. RECONCILE_USERS is the size of
// the pool, 500,000 by default. With RECONCILE_DOCS, the name of a folder, it also writes the
// table into performance.md there.
func BenchmarkReconcile(b *testing.B) {
	const small, naiveUsers, rate, page = 50_000, 2_000, 24, 150 * time.Millisecond
	large := 500_000
	if text := os.Getenv("RECONCILE_USERS"); text != "" {
		var err error
		if large, err = strconv.Atoi(text); err != nil || large <= small {
			b.Fatalf("RECONCILE_USERS=%s is not a number above %d", text, small)
		}
	}
	services := reconciletest.Start(b, "../../graphql", startPostgres(b))
	var requests, pause atomic.Int64
	services.Cognito.Intercept = func(string) string {
		requests.Add(1)
		time.Sleep(time.Duration(pause.Load()))
		return ""
	}
	put := func(from, to int) {
		for i := from; i < to; i++ {
			services.Users.Put(typical(i))
		}
	}
	var out strings.Builder
	t := newTable(&out, "reconcile", "users", "users/s", "CPU µs/user", "peak MB", "")
	row := func(name string, n int, m measured, note string) {
		t.row(name, fmt.Sprint(n), fmt.Sprintf("%.0f", float64(n)/m.Seconds), fmt.Sprintf("%.1f", m.perUser(n)), fmt.Sprintf("%.0f", m.MB), note)
	}
	parts := job{URL: services.URL, SecretARN: services.SecretARN, Prefixes: reconcile.Plan(100_000)}
	onePart, limited := parts, parts
	onePart.Prefixes, limited.PerSecond = []string{""}, rate
	for b.Loop() {
		put(0, naiveUsers)
		naive := naively(b, services, naiveUsers)
		put(naiveUsers, small)
		fill := parts.run(b, small-naiveUsers, reconcile.Inserted)
		row("first fill", small-naiveUsers, fill, "")
		smallRun := parts.run(b, small, reconcile.Same)
		row("unchanged, 16 parts", small, smallRun, "")

		requests.Store(0)
		pause.Store(int64(page))
		m := limited.run(b, small, reconcile.Same)
		pause.Store(0)
		used := float64(requests.Load()) / m.Seconds / rate
		row("unchanged, 24 pages of 150 ms per second", small, m,
			fmt.Sprintf("%.1f %% of the rate; 1 M users in %.1f min", used*100, m.Seconds/small*1e6/60))

		put(small, large)
		row("fill of the others", large-small, parts.run(b, large-small, reconcile.Inserted), "")
		m = parts.run(b, large, reconcile.Same)
		row("unchanged, 16 parts", large, m, fmt.Sprintf("%.2f × the CPU time of %d users", m.perUser(large)/smallRun.perUser(small), small))
		m = onePart.run(b, large, reconcile.Same)
		row("unchanged, one part", large, m, "")
		t.row("naive: page by page, one upsert per user", fmt.Sprint(naiveUsers), fmt.Sprintf("%.0f", naiveUsers/naive), "", "",
			fmt.Sprintf("%.0f × the time of one part", naive/naiveUsers/(m.Seconds/float64(large))))
	}
	t.end()
	text := fmt.Sprintf("%s %s/%s, PostgreSQL and the stand-ins on the same %d processors\n%s", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), out.String())
	fmt.Println("\n" + text)
	if folder := os.Getenv("RECONCILE_DOCS"); folder != "" {
		if err := replace(filepath.Join(folder, "performance.md"), beginReconcile, text); err != nil {
			b.Fatal(err)
		}
	}
}

func (m measured) perUser(n int) float64 { return m.CPU * 1e6 / float64(n) }

// naively reads the pool page by page and writes each user alone, in this process. It returns how long that took.
func naively(b *testing.B, services *reconciletest.Services, n int) (seconds float64) {
	b.Helper()
	r, client := services.Reconciler(), services.Client(reconciletest.Role)
	start, written := time.Now(), 0
	err := r.Pool.List(b.Context(), "", func(page pool.Page) error {
		for _, u := range page.Users {
			row, _, err := r.Rows.Table.Mirror(users.Sync{User: u.User, At: page.At.Add(-time.Minute)}, u.Enabled)
			if err != nil {
				return err
			}
			if _, err = client.Write(b.Context(), row); err != nil {
				return err
			}
			written++
		}
		return nil
	})
	if err != nil || written != n {
		b.Fatal(written, err)
	}
	return time.Since(start).Seconds()
}

// startPostgres returns the URL of a database of a new server.
func startPostgres(b *testing.B) string {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	listener.Close()
	data, err := os.MkdirTemp("", "bench-")
	if err == nil {
		err = os.RemoveAll(data) // PostgreSQL's user creates it
	}
	if err != nil {
		b.Fatal(err)
	}
	args, env, url := postgres.Server(data, port)
	var log strings.Builder
	cmd := exec.Command(args[0], args[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches this process alone
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = os.TempDir(), append(append(os.Environ(), "PATH="+postgres.Path()), env...), &log, &log
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT) // PostgreSQL then ends without waiting for clients
		_ = cmd.Wait()
		_ = os.RemoveAll(data)
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		conn, err := pgx.Connect(b.Context(), url+"postgres")
		if err == nil {
			conn.Close(b.Context())
			return url + "postgres"
		}
		if time.Now().After(deadline) {
			b.Fatal("PostgreSQL does not start: ", err)
		}
	}
}

// typical is a user with the attributes that a pool usually has.
func typical(n int) cognitoidp.User {
	return cognitoidp.User{Username: reconciletest.Sub(n), Status: "CONFIRMED", Enabled: true, Attributes: map[string]string{
		"sub": reconciletest.Sub(n), "email": fmt.Sprintf("user-%d@example.com", n), "email_verified": "true",
		"name": fmt.Sprint("Jane Doe ", n), "given_name": "Jane", "family_name": fmt.Sprint("Doe ", n), "custom:org_id": strconv.Itoa(n % 1000),
	}}
}
