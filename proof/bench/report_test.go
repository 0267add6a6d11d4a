//go:build linux

package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestQuartiles(t *testing.T) {
	samples := []sample{{cpu: 4e6}, {cpu: 1e6}, {cpu: 2e6}, {cpu: 3e6}}
	if got, want := quartiles(samples, cpu), (spread{1.75, 2.5, 3.25}); got != want {
		t.Errorf("quartiles of 1 to 4 ms = %v, want %v", got, want)
	}
}

// A machine that is half as fast in one round does not change the ratios.
func TestRatiosAreByRound(t *testing.T) {
	over := []sample{{cpu: 4e6}, {cpu: 8e6}, {cpu: 4e6}}
	under := []sample{{cpu: 2e6}, {cpu: 4e6}, {cpu: 2e6}}
	if got, want := ratios(over, under, cpu), (spread{2, 2, 2}); got != want {
		t.Errorf("ratios = %v, want %v", got, want)
	}
}

func TestReport(t *testing.T) {
	slow := sample{cpu: 6e6, wall: 9e6, warm: 3e5, p50: 3e5, p99: 9e5, peak: 12 * mebi, files: 1, connected: 1}
	r := report{
		title:    "4 starts",
		variants: []variant{{name: echo}, {name: sync, syncs: true, size: 3 * mebi, zip: mebi}},
		samples:  map[string][]sample{echo: {{cpu: 4e6, warm: 1e5}, {cpu: 4e6, warm: 1e5}}, sync: {slow, slow}},
	}
	dir := t.TempDir()
	page := filepath.Join(dir, "performance.md")
	if err := os.WriteFile(page, []byte("before\n"+begin+"old\n"+end+"after\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := r.write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := "before\n" + begin + `
4 starts

| cold start    | CPU ms [quartiles] | × echo [quartiles] | wall ms | peak MB | file MB | zip MB | CA files |
| ---           | ---                | ---                | ---     | ---     | ---     | ---    | ---      |
| echo          | 4.0 [4.0, 4.0]     | 1.00 [1.00, 1.00]  | 0.0     | 0.0     | 0.00    | 0.00   | 0        |
| sync function | 6.0 [6.0, 6.0]     | 1.50 [1.50, 1.50]  | 9.0     | 12.0    | 3.00    | 1.00   | 1        |

| warm call     | CPU µs [quartiles] | × echo [quartiles] | wall µs: p50 | p99 | secret reads | connections to Hasura |
| ---           | ---                | ---                | ---          | --- | ---          | ---                   |
| echo          | 100 [100, 100]     | 1.00 [1.00, 1.00]  | 0            | 0   |              |                       |
| sync function | 300 [300, 300]     | 3.00 [3.00, 3.00]  | 300          | 900 | 0            | 1                     |

` + end + "after\n"
	if string(got) != want {
		t.Errorf("page:\n%s\nwant:\n%s", got, want)
	}
	chart, err := os.ReadFile(filepath.Join(dir, "performance.svg"))
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for decoder := xml.NewDecoder(strings.NewReader(string(chart))); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("the chart is not XML: %v\n%s", err, chart)
		}
		if data, ok := token.(xml.CharData); ok {
			text.Write(data)
		}
	}
	for _, want := range []string{echo, sync, "4.0", "6.0"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the chart does not show %q:\n%s", want, chart)
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
		t.Errorf("peak = %d, %v, want at least 1 MB", bytes, err)
	}
}
