package main

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// built is a folder with the functions in real/, and testdata/liar in their place in liar/.
var built string

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
		built = dir
		for _, function := range append(functions.All(), functions.Optional()...) {
			for pkg, kind := range map[string]string{"functions/" + function: "real", "local/testdata/liar": "liar"} {
				if err := stack.Build(".", pkg, filepath.Join(dir, kind, function, "bootstrap")); err != nil {
					panic(err)
				}
			}
		}
		return m.Run()
	}())
}

// do runs the command with these environment variables, and passes each of them to make.
func do(t *testing.T, kind string, variables map[string]string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var names []string
	for name := range maps.Keys(variables) {
		names = append(names, name)
	}
	args = append([]string{"-functions", filepath.Join(built, kind), "-variables", strings.Join(names, " ")}, args...)
	var out, errs strings.Builder
	code = run(t.Context(), args, func(name string) string { return variables[name] }, &out, &errs)
	return code, out.String(), errs.String()
}

// columnOf returns the column with a source; "" if there is none.
func columnOf(source users.Source) string {
	for _, c := range users.Description.Columns {
		if c.Source.Name == source.Name {
			return c.Name
		}
	}
	return ""
}

func TestEveryEventIsAsExpected(t *testing.T) {
	paths, err := filepath.Glob("events/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no events: %v", err)
	}
	without := func(source users.Source) string {
		if column := columnOf(source); column != "" {
			return "(without " + column + ")"
		}
		return ""
	}
	varying := regexp.MustCompile(`[0-9.]+ m?s\b`) // times
	rows := []struct {
		name      string
		variables map[string]string
		want      []string
	}{
		{"no settings", nil, []string{"accepted, reads own row", "refused: jwt-invalid-claims", without(users.IdentityProvider), "1b7c4e02  user, editor", "parked  0117a6e5", "1 parked",
			"user: acme globex; viewer: globex", "user: acme globex; owner: acme", "service: acme globex initech", dryRun(t)}},
		{"the same again", nil, nil},
		{"every setting", map[string]string{
			"ROLES": "editor=writer,editor=a b,viewer=admin", "DEFAULT_ROLE": "admin,writer", "SESSION_VARIABLES": "x-hasura-email=email",
			"CLAIMS_NAMESPACE": "hasura", "CLAIMS_FORMAT": "json", "ACCESS_TOKEN_AUDIENCE": "client_id",
			"SECRETS_KEY": "key", "HASURA_ROLE": "cognito_sync", "SYNC_BUDGET": "2s", "SYNC_ON_FAILURE": "refuse",
		}, []string{"Settings: ACCESS_TOKEN_AUDIENCE=client_id CLAIMS_FORMAT=json", "writer, user, a b", "READS OTHER ROWS", "1 sign-in refused"}},
		{"a machine with the role user", map[string]string{"MACHINE_ROLES": "1example23456789example012=user"}, []string{"refused: not-found"}},
		{"USER_ID", map[string]string{"USER_ID": "name"}, []string{"Nils·Nul", map[bool]string{true: "refused: data-exception"}[keyKind() == users.UUID]}},
		{"tenants, lists and machines", map[string]string{
			"TENANT_GROUPS": "{tenant}:{role}", "TENANT_ATTRIBUTE": "given_name", "ROLES": "*,viewer=reader,Doe=family", "ROLE_ATTRIBUTE": "family_name",
			"MACHINE_ROLES":     "1example23456789example012=service,1example23456789example012=user",
			"SESSION_VARIABLES": "x-hasura-groups=groups:*,x-hasura-teams=groups:team*,x-hasura-app=client_id,x-hasura-name=username,x-hasura-scopes=scopes",
		}, []string{"user, editor, family", "6a7b1c2d  user, reader", "user: acme globex", "service: acme globex initech; user: refused: not-found"}},
		{"tenants without roles", map[string]string{"TENANT_GROUPS": "e{tenant}", "CLAIMS_FORMAT": "json", "USER_ID": "email"}, []string{"user: nothing"}},
	}
	const again = 6 // events of tenants and machines
	var first string
	for _, row := range rows {
		code, out, errs := do(t, "real", row.variables)
		if code != 0 || errs != "" {
			t.Fatalf("%s: exit code %d, stderr %q, stdout\n%s", row.name, code, errs, out)
		}
		steps := 4 // of the section about the whole pool
		if leftOut(row.variables) != "" {
			steps = 0
		}
		if got := strings.Count(out, "\nok  "); got != len(paths)+again+1+steps || !strings.Contains(out, ": all as expected\n") {
			t.Errorf("%s: %d are as expected, want %d, %d of tenants again, the outage and %d steps:\n%s", row.name, got, len(paths), again, steps, out)
		}
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing in\n%s", row.name, want, out)
			}
		}
		if row.variables != nil {
			continue
		}
		for line := range strings.Lines(out) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
				t.Errorf("%s: a line has %d characters: %s", row.name, n, line)
			}
		}
		out = varying.ReplaceAllString(out, "T")
		if first == "" {
			first = out
		} else if out != first {
			t.Errorf("two runs print\n%s\nand\n%s", first, out)
		}
	}
}

// dryRun returns the output of a dry run in docs/everyone.md, as make run prints it. It is empty with another users table.
func dryRun(t *testing.T) string {
	t.Helper()
	if leftOut(nil) != "" || columnOf(users.Attribute("email")) != "email" || columnOf(users.Attribute("name")) != "name" {
		return ""
	}
	page, err := os.ReadFile("docs/everyone.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```\nDry run:")
	text, _, ends := strings.Cut(rest, "```")
	if !found || !ends {
		t.Fatal("docs/everyone.md has no dry run")
	}
	var indented strings.Builder
	for line := range strings.Lines("Dry run:" + text) {
		if line != "\n" {
			line = "    " + line
		}
		indented.WriteString(line)
	}
	return indented.String()
}

// A reconcile function that writes nothing is found out.
func TestWrongRowsOfThePoolAreFound(t *testing.T) {
	if reason := leftOut(nil); reason != "" {
		t.Skip(reason)
	}
	folder, events := t.TempDir(), t.TempDir()
	for _, function := range append(functions.All(), functions.Optional()...) {
		kind := "real"
		if function == functions.Reconcile {
			kind = "liar"
			if err := os.WriteFile(filepath.Join(built, kind, function, "how"), []byte("does nothing"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Symlink(filepath.Join(built, kind, function), filepath.Join(folder, function)); err != nil {
			t.Fatal(err)
		}
	}
	event, err := os.ReadFile("events/post-authentication.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a.json", "b.json"} {
		if err := os.WriteFile(filepath.Join(events, name), event, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	code := run(t.Context(), []string{"-functions", folder, "-event", events}, func(string) string { return "" }, &out, &out)
	for _, want := range []string{"BAD  first run of the reconcile function", emil + ", " + columnOf(users.Attribute("email")) + ": nothing, want emil@example.com",
		"BAD  hasura-cognito reconcile --on-delete mark\n", "users inserted: 4, want 1"} {
		if code != 1 || !strings.Contains(out.String(), want) {
			t.Errorf("exit code %d, want 1 and %q in\n%s", code, want, out.String())
		}
	}
}

func TestEvent(t *testing.T) {
	folder := t.TempDir()
	for i, name := range []string{"post-authentication.json", "pre-token-generation-v2-authentication.json"} {
		data, err := os.ReadFile("events/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, []string{"b.json", "a.json"}[i]), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	rows := []struct {
		event string
		want  []string
	}{
		{"events/pre-token-generation-v2-authentication.json", []string{"ok  v2-authentication  id      1b7c4e02  user, editor  accepted, no row yet",
			`"x-hasura-default-role": "user"`, `"cognito:groups": [`, "events: 1, rows: 0,", "1 shaped\n"}},
		{"events/post-authentication.json", []string{"ok  post-authentication  synced  1b7c4e02", `"` + columnOf(users.Attribute("email")) + `": "jane@example.com"`, "\nThe table ", "events: 1, rows: 1,", "1 synced\n"}},
		{"events/post-confirmation-no-sub.json", []string{"ok  no-sub  permanent failure", " is empty\n"}},
		{folder, []string{"ok  b  synced", "ok  a  id      1b7c4e02  user, editor  accepted, reads own row", "events: 3, rows: 2"}},
	}
	for _, row := range rows {
		code, out, errs := do(t, "real", nil, "-event", row.event)
		if code != 0 || errs != "" {
			t.Errorf("%s: exit code %d, stderr %q", row.event, code, errs)
		}
		for _, want := range row.want {
			if !strings.Contains(out, want) {
				t.Errorf("%s: %q is missing in\n%s", row.event, want, out)
			}
		}
	}
}

func TestDifferencesAreFound(t *testing.T) {
	const (
		token = "events/pre-token-generation-v1-authentication.json"
		sync  = "events/post-authentication.json"
	)
	rows := []struct{ how, event, want string }{
		{"does nothing", token, `id token, claims: nothing, want {"x-hasura-allowed-roles":["user","editor"]`},
		{"does nothing", sync, "row, " + columnOf(users.Attribute("email")) + ": nothing, want jane@example.com"},
		{"logs another outcome", token, "outcome: ignored, want shaped"},
		{"logs another outcome", token, `log: {"level":"INFO","message":"ignored"`},
		{"fails", token, "Cognito: UserLambdaValidationException: PreTokenGeneration failed with error boom., want accepts the answer"},
		{"fails", sync, "Cognito: UserLambdaValidationException: PostAuthentication failed with error boom."},
		{"answers null", sync, "Cognito: InvalidLambdaResponseException: Invalid lambda function output : Invalid JSON"},
		{"changes the event", sync, "event: changed: other, region, request, userName, want unchanged"},
		{"changes the event", sync, "Cognito: InvalidLambdaResponseException: Unrecognizable lambda output"},
		{"answers in the wrong shape", "events/pre-token-generation-v2-authentication.json", "id token, Hasura: refused: jwt-invalid-claims, want accepted, no row yet"},
		{"grants admin", token, `id token, claims: {"x-hasura-allowed-roles":["admin"],"x-hasura-default-role":"admin"`},
		{"wipes the groups", token, `id token, cognito:groups: nothing, want ["editor"]`},
		{"prints a trace", sync, "goroutine 1 [running]:"},
	}
	for _, row := range rows {
		for _, function := range functions.All() {
			if err := os.WriteFile(filepath.Join(built, "liar", function, "how"), []byte(row.how), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		code, out, _ := do(t, "liar", nil, "-event", row.event)
		if code != 1 || !strings.Contains(out, row.want) || !strings.Contains(out, "NOT AS EXPECTED") {
			t.Errorf("the function %s: exit code %d, want 1 and %q in\n%s", row.how, code, row.want, out)
		}
	}
}

// A role that the metadata do not know cannot write.
func TestHasurasErrorIsPrinted(t *testing.T) {
	code, out, _ := do(t, "real", map[string]string{"HASURA_ROLE": "nobody"}, "-event", "events/post-authentication.json")
	for _, want := range []string{"outcome: parked, want synced", "Hasura's error: validation-failed: ", `log: {"timestamp"`} {
		if code != 1 || !strings.Contains(out, want) {
			t.Errorf("exit code %d, want 1 and %q in\n%s", code, want, out)
		}
	}
}

func TestRefusedInput(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rows := []struct {
		name, kind string
		variables  map[string]string
		args       []string
		want       string
	}{
		{"an event that does not exist", "real", nil, []string{"-event", "events/post-authentication-adm.json"}, "The folder events has them"},
		{"invalid JSON", "real", nil, []string{"-event", file("post-confirmation-x.json", "{")}, "is not an event"},
		{"an unknown trigger", "real", nil, []string{"-event", file("mine.json", "{}")}, "the trigger is unknown"},
		{"an empty folder", "real", nil, []string{"-event", t.TempDir()}, "has no events"},
		{"no functions", "none", nil, nil, "`make run` builds the functions"},
		{"an unknown flag", "real", nil, []string{"-evnt", "x"}, "flag provided but not defined"},
		{"an unknown variable", "real", map[string]string{"CLAIMS_FORMT": "json"}, nil, "CLAIMS_FORMT: not a setting"},
		{"a setting that needs another", "real", map[string]string{"ROLE_ATTRIBUTE": "custom:groups"}, nil, "ROLE_ATTRIBUTE: "},
		{"an invalid setting", "real", map[string]string{"CLAIMS_FORMAT": "xml"}, nil, "CLAIMS_FORMAT: "},
		{"a setting of the local environment", "real", map[string]string{"GRAPHQL_DOMAIN": "hasura.internal"}, nil, "GRAPHQL_DOMAIN: the local environment sets it"},
		{"an invalid database URL", "real", map[string]string{"DATABASE_URL": "nonsense"}, nil, "DATABASE_URL: not the URL of a PostgreSQL database"},
	}
	for _, row := range rows {
		code, _, errs := do(t, row.kind, row.variables, row.args...)
		if code != 2 || !strings.Contains(errs, row.want) {
			t.Errorf("%s: exit code %d, stderr %q, want 2 and %q", row.name, code, errs, row.want)
		}
	}
}

func TestExpectedRoles(t *testing.T) {
	rows := []struct {
		name   string
		groups []string
		chosen choice
		want   []string
	}{
		{"no group", nil, nil, []string{"user"}},
		{"groups, each once", []string{"editor", "user", "editor", "_x", "a-1"}, nil, []string{"user", "editor", "_x", "a-1"}},
		{"never admin", []string{"admin", "Admin", "ADMIN"}, choice{"ROLES": "*"}, []string{"user"}},
		{"never a session variable", []string{"X-Hasura-Role"}, nil, []string{"user"}},
		{"not the group of an identity provider", []string{"p_1_Google", "p_2_Google"}, nil, []string{"user", "p_2_Google"}},
		{"no name that needs quoting", []string{"a b", "1a", "ü", "a.b", "", "-a"}, nil, []string{"user"}},
		{"with ROLES, only these groups", []string{"editor", "a=b", "admins"}, choice{"ROLES": "a=b=c, a=b=d ,admins=admin"}, []string{"user", "c", "d", "admin"}},
		{"with *, other groups too", []string{"editor", "a.b", "c"}, choice{"ROLES": "*,c=d"}, []string{"user", "editor", "a.b", "d"}},
		{"the only tenant", []string{"t:editor", "viewer"}, choice{"TENANT_GROUPS": "{tenant}:{role}"}, []string{"user", "editor", "viewer"}},
		{"no active tenant", []string{"t:editor", "u:viewer"}, choice{"TENANT_GROUPS": "{tenant}:{role}"}, []string{"user"}},
		{"a group with more than one tenant", []string{"t:u:editor"}, choice{"TENANT_GROUPS": "{tenant}:{role}"}, []string{"user"}},
	}
	for _, row := range rows {
		e := event{UserPoolID: "p_1"}
		e.Request.UserAttributes = map[string]any{"sub": "1"}
		e.Request.GroupConfiguration.GroupsToOverride = row.groups
		if got := e.claims(row.chosen)["x-hasura-allowed-roles"]; !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: roles of %q = %q, want %q", row.name, row.groups, got, row.want)
		}
	}
}
