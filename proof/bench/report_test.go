//go:build linux

package main

import (
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestQuartilesLieBetweenNeighbours(t *testing.T) {
	samples := []sample{{cpu: 4e6}, {cpu: 1e6}, {cpu: 2e6}, {cpu: 3e6}}
	low, median, high := quartiles(samples, cpu)
	if low != 1.75 || median != 2.5 || high != 3.25 {
		t.Errorf("quartiles of 1 to 4 ms = %v, %v, %v, want 1.75, 2.5, 3.25", low, median, high)
	}
}

// A machine that is twice as slow in one round says nothing about a ratio.
func TestPairedRatiosAreOfTheSameRound(t *testing.T) {
	over := []sample{{cpu: 4e6}, {cpu: 8e6}, {cpu: 4e6}}
	under := []sample{{cpu: 2e6}, {cpu: 4e6}, {cpu: 2e6}}
	if low, median, high := paired(over, under, cpu); low != 2 || median != 2 || high != 2 {
		t.Errorf("paired = %v, %v, %v, want 2 in every round", low, median, high)
	}
}

func measured() report {
	r := report{
		variants:  []variant{{name: echo}, {name: shaper, zip: mebi}, {name: ours, syncs: true, zip: 4 * mebi}},
		encrypted: tlsSecrets,
		network:   network{roundTrip: time.Millisecond, secret: 15 * time.Millisecond, hasura: 5 * time.Millisecond},
	}
	r.still = map[string][]sample{
		echo:   {{cpu: 4e6, cold: 6e6, p50: 1e5, peak: 10 * mebi}},
		shaper: {{cpu: 4e6, cold: 6e6, p50: 1e5, peak: 10 * mebi}},
		ours:   {{cpu: 6e6, cold: 9e6, p50: 3e5, peak: 12 * mebi, connected: 1}, {cpu: 6e6, cold: 9e6, p50: 3e5, peak: 12 * mebi, connected: 2}},
	}
	r.distant = map[string][]sample{ours: {{cold: 30e6}}}
	return r
}

func TestGoals(t *testing.T) {
	want := map[string]bool{
		"claim shaper, cold CPU over bare echo": true,  // 1
		"sync, cold CPU over bare echo":         true,  // 1.5
		"sync, warm p50 over bare echo":         false, // 3
		"sync, connections to Hasura":           false, // the worst of all starts: 2
		"sync, cold at round trips of 1ms, secret 15ms, Hasura 5ms, over the floor of 24 ms + echo's cold": true, // 30 over 30
		"sync, zip in MB": false,
	}
	for _, g := range measured().goals() {
		if met, ok := want[g.name]; ok && met != g.met() {
			t.Errorf("%s: %v against %v is met: %t, want %t", g.name, g.got, g.bound, g.met(), met)
		}
		if strings.Contains(g.name, "Node") {
			t.Errorf("a goal for what was not measured: %s", g.name)
		}
		delete(want, g.name)
	}
	if len(want) > 0 {
		t.Errorf("no goals %v", want)
	}
}

func TestReportNamesEveryVariant(t *testing.T) {
	var tables, chart strings.Builder
	if err := measured().print(&tables); err != nil {
		t.Fatal(err)
	}
	if err := measured().chart(&chart); err != nil {
		t.Fatal(err)
	}
	for _, v := range measured().variants {
		if !strings.Contains(tables.String(), "| "+v.name) || !strings.Contains(chart.String(), ">"+v.name+"<") {
			t.Errorf("%q is missing in\n%s\n%s", v.name, tables.String(), chart.String())
		}
	}
	isXML(t, chart.String())
}

func isXML(t *testing.T, chart string) {
	t.Helper()
	for decoder := xml.NewDecoder(strings.NewReader(chart)); ; {
		if _, err := decoder.Token(); err == io.EOF {
			return
		} else if err != nil {
			t.Fatalf("the chart is no XML: %v\n%s", err, chart)
		}
	}
}

func TestWatchCountsFilesAndNotFolders(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.pem")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := newWatch(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	for range 2 {
		if _, err := os.ReadFile(path); err != nil {
			t.Fatal(err)
		}
		if _, err := os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.opened(); got != 2 {
		t.Errorf("%d files opened, want 2", got)
	}
	if got := w.opened(); got != 0 {
		t.Errorf("%d files opened since, want 0", got)
	}
}

func TestOwnProcessIsMeasured(t *testing.T) {
	if ran, err := onCPU(os.Getpid()); err != nil || ran <= 0 {
		t.Errorf("onCPU = %v, %v, want some time", ran, err)
	}
	if bytes, err := peak(os.Getpid()); err != nil || bytes < mebi {
		t.Errorf("peak = %d, %v, want some memory", bytes, err)
	}
}
