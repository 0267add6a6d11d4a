package main

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// The oracle has to find what is wrong, or its silence says nothing.
func TestTheOracle(t *testing.T) {
	t.Chdir("../..")
	jane := person{1, 2}
	in := visit{person: jane, calls: 1, took: time.Millisecond, request: "1"}
	const row = `INSERT INTO users (id, username, email, name) VALUES ('00000001-0000-4000-8000-000000000001', 'canary-1', 'canary-1-2@example.com', 'canary the 2th')`
	rows := []struct {
		name   string
		sql    string
		log    string
		visits []visit
		want   string // of the faults; empty for none
	}{
		{"the row is there", row, "", []visit{in}, ""},
		{"an older sign-in ended later", row, "", []visit{in, {person: person{1, 1}}}, ""},
		{"no row", "", "", []visit{in}, "1 rows are missing or not of the newest sign-in, and 0 records say so"},
		{"the row is of an older sign-in", strings.ReplaceAll(row, "1-2@", "1-1@"), "", []visit{in}, "1 rows are missing or not of the newest"},
		{"one column is of another", strings.ReplaceAll(row, "2th", "1th"), "", []visit{in}, "1 rows are missing or not of the newest"},
		{"a sync is lost, if not silently", "", `{"message":"sync lost"}`, []visit{in}, "1 syncs were lost"},
		{"a row of nobody", row, "", []visit{{person: person{2, 1}}}, "1 rows of nobody"},
		{"somebody was refused", row, "", []visit{{person: jane, refused: "so"}}, "1 people were refused, want 0"},
		{"a call took too long", row, "", []visit{{person: jane, took: 5 * time.Second}}, "a call took 5s"},
		{"the breaker saves no time", row, `{"message":"parked","requestId":"1","error":"hasura: code breaker-open"}`,
			[]visit{{person: jane, request: "1", took: time.Second}}, "with the breaker open the median is 1s"},
		{"an attribute is logged", row, `{"message":"synced","email":"canary-1-2@example.com"}`, []visit{in}, "must not get out"},
		{"something is printed beside the log", row, `panic: so`, []visit{in}, "1 lines are no log records"},
	}
	for _, row := range rows {
		w, err := build(t.Context(), t.TempDir(), scene{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.database.SQL.ExecContext(t.Context(), row.sql+";"); err != nil {
			t.Fatal(err)
		}
		if row.log != "" {
			if _, err := w.journal.Write([]byte(row.log)); err != nil {
				t.Fatal(err)
			}
		}
		got := strings.Join(w.judge(t.Context(), scene{}, row.visits).faults, "; ")
		if row.want == "" && got != "" || !strings.Contains(got, row.want) {
			t.Errorf("%s: the oracle says %q, want %q", row.name, got, row.want)
		}
		if err := w.end(); err != nil {
			t.Error(err)
		}
	}
}

// A few rows with the real binaries; make faults plays them all.
func TestRowsAreAsPromised(t *testing.T) {
	t.Chdir("../..")
	bin := t.TempDir()
	for _, name := range []string{syncUsers, replaySyncs} {
		if err := stack.Build(".", "functions/"+name, filepath.Join(bin, name, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	for _, only := range []string{"Hasura answers data-exception", "events out of order", "three copies", "dead letters", "Hasura and SQS refuse"} {
		var out, complaints strings.Builder
		code := run(t.Context(), []string{"-functions", bin, "-only", only}, &out, &complaints)
		if code != 0 || !strings.Contains(out.String(), "1 rows, all as promised") {
			t.Errorf("%s: exit %d\n%s%s", only, code, &out, &complaints)
		}
	}
}

func TestWhatCannotBegin(t *testing.T) {
	rows := []struct {
		name string
		args []string
		want string
	}{
		{"an unknown flag", []string{"-x"}, "not defined"},
		{"too few sign-ins", []string{"-signins", "100"}, "20 for each"},
		{"no binaries", []string{"-functions", t.TempDir()}, "`make faults` builds"},
	}
	for _, row := range rows {
		var out, complaints strings.Builder
		if code := run(t.Context(), row.args, &out, &complaints); code != 2 || !strings.Contains(complaints.String(), row.want) {
			t.Errorf("%s: exit %d, %q, want 2 and %q", row.name, code, &complaints, row.want)
		}
	}
}

func TestTheTableFitsATerminal(t *testing.T) {
	var names []string
	for _, s := range scenes() {
		if len(s.name) > 46 {
			t.Errorf("%q is longer than its column", s.name)
		}
		names = append(names, s.name)
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(scenes()) {
		t.Error("two rows have one name")
	}
}
