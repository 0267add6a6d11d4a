package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// bin is a folder of built programs: the functions, and testdata/liar in their place.
var bin string

func TestMain(m *testing.M) {
	os.Exit(func() int {
		if err := os.Chdir(".."); err != nil {
			panic(err)
		}
		dir, err := os.MkdirTemp("", "local")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		bin = dir
		for _, function := range []string{stack.Trigger, stack.SyncUsers, stack.ReplaySyncs} {
			for pkg, kind := range map[string]string{"functions/" + function: "real", "local/testdata/liar": "liar"} {
				if err := stack.Build(".", pkg, filepath.Join(bin, kind, function, "bootstrap")); err != nil {
					panic(err)
				}
			}
		}
		return m.Run()
	}())
}

// do runs the command as main does.
func do(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), args, os.Getenv, &out, &errs)
	return code, out.String(), errs.String()
}

// varying is what two runs may print differently.
var varying = regexp.MustCompile(`[0-9.]+ m?s\b`)

func TestEveryEventIsAsExpected(t *testing.T) {
	args := []string{"-functions", filepath.Join(bin, "real")}
	code, out, errs := do(t, args...)
	if code != 0 || errs != "" {
		t.Fatalf("exit code %d, stderr %q, stdout\n%s", code, errs, out)
	}
	paths, err := filepath.Glob("events/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no events: %v", err)
	}
	if got := strings.Count(out, "\nok  "); got != len(paths)+1 {
		t.Errorf("%d events are accounted for, want %d and the outage:\n%s", got, len(paths), out)
	}
	for _, want := range []string{": all as expected\n", "accepted, reads own row", "refused: jwt-invalid-claims", "1b7c4e02  user, editor", "parked  0117a6e5", "1 parked"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing is said of %q:\n%s", want, out)
		}
	}
	for line := range strings.Lines(out) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("a line of %d characters: %s", n, line)
		}
	}
	_, again, _ := do(t, args...)
	if a, b := varying.ReplaceAllString(out, "T"), varying.ReplaceAllString(again, "T"); a != b {
		t.Errorf("two runs print\n%s\nand\n%s", a, b)
	}
}

func TestOneEventInDetail(t *testing.T) {
	rows := []struct {
		event string
		want  []string
	}{
		{"events/pre-token-generation-v2-authentication.json", []string{"hasura-cognito-trigger: shaped", "id token: accepted", "access token: accepted",
			`"x-hasura-default-role": "user"`, `"cognito:groups": [`, "1 event, 0 rows,", "1 shaped\n"}},
		{"events/post-authentication.json", []string{"hasura-cognito-sync-users: synced", `"email": "jane@example.com"`, "Hasura's table of users\n", "1 event, 1 row,", "1 synced\n"}},
		{"events/post-confirmation-no-sub.json", []string{"hasura-cognito-sync-users: permanent failure", "Hasura's table of users is empty"}},
	}
	for _, row := range rows {
		code, out, errs := do(t, "-functions", filepath.Join(bin, "real"), "-event", row.event)
		if code != 0 || errs != "" {
			t.Errorf("%s: exit code %d, stderr %q", row.event, code, errs)
		}
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is not in\n%s", row.event, want, out)
			}
		}
	}
}

func TestWhatIsNotAsExpectedIsFound(t *testing.T) {
	const (
		token = "events/pre-token-generation-v1-authentication.json"
		sync  = "events/post-authentication.json"
	)
	rows := []struct{ how, event, want string }{
		{"does nothing", token, "id token: Hasura's claims = <nil>, want {UserID:1b7c4e02"},
		{"does nothing", sync, "there is no row"},
		{"says something else", token, `outcome = "ignored", want "shaped"`},
		{"fails", token, "Cognito would say: UserLambdaValidationException: PreTokenGeneration failed with error boom."},
		{"fails", sync, "Cognito would say: UserLambdaValidationException: PostAuthentication failed with error boom."},
		{"answers null", sync, "Cognito would say: InvalidLambdaResponseException: Invalid lambda function output : Invalid JSON"},
		{"changes the event", sync, "Cognito would say: InvalidLambdaResponseException: Unrecognizable lambda output"},
		{"answers in the wrong shape", "events/pre-token-generation-v2-authentication.json", "id token: Hasura refused it: jwt-invalid-claims: claims key: 'https://hasura.io/jwt/claims' not found"},
		{"grants admin", token, "id token: Hasura's claims = &{UserID:1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15 Allowed:[admin] Default:admin}, want"},
		{"wipes the groups", token, "id token: cognito:groups = <nil>, want [editor]"},
		{"prints a trace", sync, "goroutine 1 [running]:"},
	}
	for _, row := range rows {
		t.Run(row.how, func(t *testing.T) {
			for _, function := range []string{stack.Trigger, stack.SyncUsers, stack.ReplaySyncs} {
				if err := os.WriteFile(filepath.Join(bin, "liar", function, "how"), []byte(row.how), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			code, out, _ := do(t, "-functions", filepath.Join(bin, "liar"), "-event", row.event)
			if code != 1 || !strings.Contains(out, row.want) || !strings.Contains(out, "NOT AS EXPECTED") {
				t.Errorf("%s: exit code %d, want 1 and %q in\n%s", row.event, code, row.want, out)
			}
		})
	}
}

func TestWhatToDoInstead(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	real := filepath.Join(bin, "real")
	rows := []struct {
		name string
		args []string
		want string
	}{
		{"no such event", []string{"-functions", real, "-event", "events/post-authentication-adm.json"}, "make run EVENT=events/post-authentication-admin-created.json"},
		{"no JSON", []string{"-functions", real, "-event", file("post-confirmation-x.json", "{")}, "is not an event"},
		{"a name without a trigger", []string{"-functions", real, "-event", file("mine.json", "{}")}, "is named after its trigger"},
		{"nothing built", []string{"-functions", dir}, "`make run` builds them"},
		{"no such flag", []string{"-evnt", "x"}, "flag provided but not defined"},
	}
	for _, row := range rows {
		code, _, errs := do(t, row.args...)
		if code != 2 || !strings.Contains(errs, row.want) {
			t.Errorf("%s: exit code %d, stderr %q, want 2 and %q", row.name, code, errs, row.want)
		}
	}
}

func TestRolesThatGroupsGive(t *testing.T) {
	rows := []struct {
		name   string
		groups []string
		want   []string
	}{
		{"no group", nil, []string{"user"}},
		{"groups, each once", []string{"editor", "user", "editor", "_x", "a-1"}, []string{"user", "editor", "_x", "a-1"}},
		{"never the superuser", []string{"admin", "Admin", "ADMIN"}, []string{"user"}},
		{"not the group of an identity provider", []string{"p_1_Google", "p_2_Google"}, []string{"user", "p_2_Google"}},
		{"no name that would need quoting", []string{"a b", "1a", "ü", "a.b", "", "-a"}, []string{"user"}},
	}
	for _, row := range rows {
		f := facts{UserPoolID: "p_1"}
		f.Request.GroupConfiguration.GroupsToOverride = row.groups
		if got := f.claims().Allowed; !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: roles of %q = %q, want %q", row.name, row.groups, got, row.want)
		}
	}
}
