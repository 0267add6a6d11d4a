package main

import (
	"encoding/json"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/pelletier/go-toml/v2"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

func TestEverySettingIsOnThePage(t *testing.T) {
	page, _ := follow(t, start(t), "/settings", nil)
	for _, s := range settings.All {
		if s.Parameter == "" {
			contains(t, "the page", page, "<code>"+s.Name+"</code>")
			continue
		}
		contains(t, "the page", page, `name="`+s.Name+`"`, s.Description, s.Grammar, s.Default)
	}
}

// While someone types, each field has the message of its parser, and no other one has any.
func TestMessagesOfTheParsers(t *testing.T) {
	a := start(t)
	for _, row := range []struct {
		name, value string
		more        url.Values
		want        string // the message
	}{
		{"ROLES", "admins", nil, `"admins" has no equals sign.`},
		{"SYNC_BUDGET", "10s", nil, `"10s" is not a time from 500ms to 4.5s.`},
		{"GRAPHQL_CA", "-----BEGIN", nil, "it is not a certificate in PEM form."},
		{"SECRETS_ARN", "my secret", nil, "it is not the whole ARN of a secret"},
		{"CLAIMS_NAMESPACE", "sub", nil, `Cognito does not let a trigger set the claim "sub".`},
		{"TENANT_ATTRIBUTE", "custom:tenant", nil, "it needs TENANT_GROUPS."},
		{"TENANT_ATTRIBUTE", "custom:tenant", url.Values{"TENANT_GROUPS": {"{tenant}"}}, ""},
		{"ROLE_ATTRIBUTE", "custom:groups", nil, "it needs ROLES"},
		{"ROLES", "a\x00b=boss", nil, "an environment variable cannot hold the character NUL."},
		{"ROLES", strings.Repeat("group=role,", 400), nil, "Lambda takes 4 KB for all variables of a function together."},
		{"ROLES", "admins=boss", nil, ""},
		{"ROLES", "", nil, ""},
	} {
		form := url.Values{row.name: {row.value}}
		maps.Copy(form, row.more)
		w := visit(t, a, "/settings/check", form)
		text := html.UnescapeString(w.Body.String())
		summary := ""
		for _, s := range settings.All {
			_, message, there := strings.Cut(text, `<p id="fault-`+s.Name+`" hx-swap-oob="innerHTML">`)
			message, _, _ = strings.Cut(message, "</p>")
			switch {
			case there != (s.Parameter != ""):
				t.Fatalf("a message for %s: %t\n%s", s.Name, there, text)
			case s.Name != row.name && message != "":
				t.Errorf("%s=%s: %s has the message %q", row.name, row.value, s.Name, message)
			case s.Name == row.name && (message == "") != (row.want == "") || s.Name == row.name && !strings.HasPrefix(message, row.want):
				t.Errorf("%s=%s: %q, want %q", row.name, row.value, message, row.want)
			}
		}
		if row.want != "" {
			summary = "One setting is wrong: " + row.name + "."
		}
		contains(t, "the summary", text, `<p id="faults" hx-swap-oob="innerHTML">`+summary+"</p>")
	}
}

// rowChanged ends "1 column changed." and "2 columns changed.".
const rowChanged = " changed.</span>"

func TestApplySettings(t *testing.T) {
	a := start(t)
	page, _ := follow(t, a, "/settings", url.Values{"ROLES": {"staff=editor"}})
	contains(t, "the page without users", page, "No user who can sign in has tokens yet.", "<td class=\"value\">staff=editor</td>", `value="staff=editor"`)

	act(t, a, request{version: "2", who: newcomer{attributes: map[string]string{"email": "ada@example.com", "custom:org_id": "7"}, groups: []string{"staff", "admins"}}}, signUp, confirm, signIn)
	page, _ = follow(t, a, "/settings", url.Values{"ROLES": {"admins=boss"}, "CLAIMS_FORMAT": {"json"}, "CLAIMS_NAMESPACE": {"hasura"},
		"SESSION_VARIABLES": {"x-hasura-org-id=custom:org_id"}, "ACCESS_TOKEN_AUDIENCE": {"client_id"}, "SECRETS_KEY": {"ANOTHER_KEY"}, "HASURA_ROLE": {"cognito_sync"}})
	for _, name := range []string{"ROLES", "CLAIMS_FORMAT", "ACCESS_TOKEN_AUDIENCE", "SECRETS_KEY", "claims format", "claims namespace", "x-hasura-org-id", "x-hasura-allowed-roles", "aud"} {
		contains(t, "the changes", page, `<th scope="row" class="value">`+name+"</th>")
	}
	contains(t, "the result", page, "ada@example.com signs in with these settings.", "Hasura accepts it", `["user","boss"]`, rowChanged)
	if strings.Contains(page, "Hasura refuses it") {
		t.Errorf("Hasura refuses a token: it does not have the new format or namespace\n%s", page)
	}
	if !strings.Contains(page, `<tr class="changed"><th scope="row">`+users.Description.SyncedAt) {
		t.Errorf("the sync does not work with the other key of the secret and the role:\n%s", page)
	}

	// A valid setting can stop the sync all the same.
	page, _ = follow(t, a, "/settings", url.Values{"HASURA_ROLE": {"nobody"}})
	contains(t, "a role that Hasura does not know", page, "The sync function logged <strong>parked</strong>", "ada@example.com signs in with these settings.")

	// A user who cannot sign in any more does not get tokens.
	u := a.pool.Users.All()[0]
	u.Enabled = false
	a.pool.Users.Put(u)
	page, _ = follow(t, a, "/settings", url.Values{"ROLES": {"admins=boss"}})
	contains(t, "the page of a disabled user", page, "No user who can sign in has tokens yet.")

	// What is wrong is not applied, and stays in the form.
	before := a.settings()
	w := visit(t, a, "/settings", url.Values{"ROLES": {"admins"}, "SYNC_BUDGET": {"1s"}})
	page = html.UnescapeString(w.Body.String())
	contains(t, "the refusal", page, `"admins" has no equals sign.`, "One setting is wrong: ROLES.", `value="admins"`, `value="1s"`)
	if diff := cmp.Diff(before, a.settings()); w.Code != http.StatusUnprocessableEntity || diff != "" {
		t.Errorf("status %d, want 422; the settings differ:\n%s", w.Code, diff)
	}

	// A machine, and the defaults.
	act(t, a, request{version: "3"}, machineTokens)
	page, _ = follow(t, a, "/settings", url.Values{"MACHINE_ROLES": {clientID + "=service"}})
	contains(t, "the machine", page, "A machine gets a token with these settings.", `["service"]`, "A machine has no row.")
	page, _ = follow(t, a, "/settings", url.Values{"reset": {"1"}, "ROLES": {"x=y"}})
	contains(t, "the defaults", page, `<td class="value">`+clientID+`=service</td><td class="value">none</td>`)
	if got := a.settings(); len(got) > 0 {
		t.Errorf("settings after the defaults = %v", got)
	}
}

// The sync finds the admin secret at each key, also at the one that the secret has beside it.
func TestSecretsKey(t *testing.T) {
	a := start(t)
	act(t, a, request{who: newcomerOf("ada@example.com")}, signUp, confirm, signIn)
	for _, key := range []string{"MY_KEY", "ANOTHER_SECRET", ""} {
		page, _ := follow(t, a, "/settings", url.Values{"SECRETS_KEY": {key}})
		contains(t, "SECRETS_KEY="+key, page, rowChanged)
	}
}

// What is broken on the page Break it stays broken with other settings.
func TestApplySettingsWhileBroken(t *testing.T) {
	a := start(t)
	act(t, a, request{who: newcomerOf("ada@example.com")}, signUp, confirm, signIn)
	for _, row := range []struct{ breakage, message string }{
		{"wrong-secret", "parked"},
		{"rotated", "secret refreshed"},
		{"secrets-down", "secret fetch failed"},
	} {
		follow(t, a, "/break", url.Values{"breakage": {row.breakage}})
		follow(t, a, "/settings", url.Values{"SECRETS_KEY": {"KEY_OF_" + row.breakage}})
		var messages []string
		for _, step := range a.applied.Action.Steps {
			for _, line := range step.Call.Log {
				messages = append(messages, line.Message)
			}
		}
		if !slices.Contains(messages, row.message) || a.broken != row.breakage {
			t.Errorf("%s: broken = %q, messages = %q, want %q", row.breakage, a.broken, messages, row.message)
		}
	}
	follow(t, a, "/break/repair", url.Values{})
	page, _ := follow(t, a, "/settings", url.Values{})
	contains(t, "the page after the repair", page, rowChanged)
}

// A form that cannot be read changes nothing.
func TestSettingsThatCannotBeRead(t *testing.T) {
	a := start(t)
	follow(t, a, "/settings", url.Values{"ROLES": {"admins=boss"}})
	for _, row := range []struct {
		name, body string
		want       int
	}{
		{"too large", "ROLES=" + strings.Repeat("a", 1<<20), http.StatusRequestEntityTooLarge},
		{"wrong escape", "DEFAULT_ROLE=boss&ROLES=%zz", http.StatusBadRequest},
	} {
		for _, path := range []string{"/settings", "/settings/check"} {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(row.body))
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Host = "127.0.0.1:80"
			w := httptest.NewRecorder()
			protect("127.0.0.1:80", a).ServeHTTP(w, r)
			if got := a.settings()["ROLES"]; w.Code != row.want || got != "admins=boss" {
				t.Errorf("%s, %s: status %d, want %d; ROLES = %q", row.name, path, w.Code, row.want, got)
			}
		}
	}
}

// No action begins between the change of the functions and that of what the page says about them.
func TestSettingsChangeAtOnce(t *testing.T) {
	a := start(t)
	a.mu.Lock()
	applied := make(chan error)
	go func() { applied <- a.apply(t.Context(), stack.Settings{"ROLES": "admins=boss"}) }()
	for range 1000 {
		w := httptest.NewRecorder()
		a.stack.Lambda.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/2015-03-31/functions/"+functions.Claims+"/configuration", nil))
		if strings.Contains(w.Body.String(), "admins=boss") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	time.Sleep(50 * time.Millisecond) // the other functions
	if a.acting.TryLock() {
		t.Error("an action can begin while the page still has the old settings")
		a.acting.Unlock()
	}
	a.mu.Unlock()
	if err := <-applied; err != nil {
		t.Fatal(err)
	}
}

// unusual values are valid, and hard to quote.
var unusual = stack.Settings{
	"ROLES":             `a"b c'de ${x} %{y} " q=x y`,
	"DEFAULT_ROLE":      `'x',y'`,
	"SESSION_VARIABLES": "x-hasura-a=b, x-hasura-b = c",
	"SECRETS_KEY":       "a b=c # d",
	"CLAIMS_NAMESPACE":  "größe/日本",
}

// The files of the page have the settings, when their formats are read again.
func TestSettingsFiles(t *testing.T) {
	examples := make(stack.Settings)
	for _, s := range settings.All {
		if s.Parameter != "" {
			examples[s.Name] = s.Example
		}
	}
	if wrong := check(unusual); len(wrong) > 0 {
		t.Fatal(wrong)
	}
	a := start(t)
	for name, values := range map[string]stack.Settings{"none": nil, "examples": examples, "unusual": unusual, "backslash": {"CLAIMS_NAMESPACE": `a\`}} {
		form := make(url.Values)
		for name, value := range values {
			form.Set(name, strings.ReplaceAll(value, "\n", "\r\n")) // as a browser sends it
		}
		page, _ := follow(t, a, "/settings", form)
		file := func(name string) []byte {
			w := visit(t, a, "/settings/files/"+name, nil)
			if w.Code != http.StatusOK || !strings.Contains(w.Header().Get("Content-Disposition"), name) {
				t.Fatalf("%s: status %d, %v", name, w.Code, w.Header())
			}
			contains(t, "the page", page, html.UnescapeString(w.Body.String()))
			return w.Body.Bytes()
		}
		want := make(map[string]string)
		for name, value := range values {
			want[settings.Lookup(name).Parameter] = value
		}
		sam, err := readSAM(file("samconfig.toml"))
		if name == "backslash" {
			want = map[string]string{}
			contains(t, name, string(file("samconfig.toml")), "# ClaimsNamespace is left out")
		}
		if diff := cmp.Diff(want, sam); err != nil || diff != "" {
			t.Errorf("%s: samconfig.toml: %v\n%s", name, err, diff)
		}
		want = map[string]string{"source": "./deploy/terraform"}
		for name, value := range values {
			want[strings.ToLower(name)] = value
		}
		got, err := readTerraform(file("hasura_cognito.tf"))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: hasura_cognito.tf: %v\n%s", name, err, diff)
		}
		var env, original map[string]map[string]string
		if err := json.Unmarshal(file("env.json"), &env); err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile("../../env.json")
		if err := json.Unmarshal(data, &original); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range settings.All {
			for short, function := range map[string]string{"claims": functions.Claims, "sync": functions.Sync, "replay": functions.Replay,
				"reconcile": functions.Reconcile, "follow": functions.Follow} {
				id, want := functions.LogicalID(function), ""
				if has(s, short) && s.Parameter != "" {
					want = values[s.Name]
				}
				if isExported(s) {
					want = original[id][s.Name]
				}
				if got := env[id][s.Name]; got != want {
					t.Errorf("%s: env.json has %s=%q for %s, want %q", name, s.Name, got, id, want)
				}
			}
		}
	}
	if w := visit(t, a, "/settings/files/passwd", nil); w.Code != http.StatusNotFound {
		t.Errorf("an unknown file: status %d", w.Code)
	}
}

// readSAM reads parameters as the SAM CLI does: samcli/cli/types.py, CfnParameterOverridesType.
func readSAM(data []byte) (map[string]string, error) {
	var config struct {
		Default struct {
			Global struct {
				Parameters struct {
					Overrides []string `toml:"parameter_overrides"`
				}
			}
		}
	}
	err := toml.Unmarshal(data, &config)
	parameters := make(map[string]string)
	for _, text := range config.Default.Global.Parameters.Overrides {
		name, value, _ := strings.Cut(text, "=")
		if strings.HasPrefix(value, `"`) {
			value = strings.ReplaceAll(value[1:len(value)-1], `\"`, `"`)
		} else if strings.ContainsAny(value, " \"'\\") {
			return nil, fmt.Errorf("%s: not quoted", text)
		}
		parameters[name] = value
	}
	return parameters, err
}

func readTerraform(data []byte) (map[string]string, error) {
	f, diagnostics := hclparse.NewParser().ParseHCL(data, "hasura_cognito.tf")
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	content, diagnostics := f.Body.Content(&hcl.BodySchema{Blocks: []hcl.BlockHeaderSchema{{Type: "module", LabelNames: []string{"name"}}}})
	if diagnostics.HasErrors() || len(content.Blocks) != 1 {
		return nil, fmt.Errorf("%d blocks, %w", len(content.Blocks), diagnostics)
	}
	attributes, diagnostics := content.Blocks[0].Body.JustAttributes()
	values := make(map[string]string)
	for name, attribute := range attributes {
		value, more := attribute.Expr.Value(nil)
		diagnostics = append(diagnostics, more...)
		values[name] = value.AsString()
	}
	if diagnostics.HasErrors() {
		return nil, diagnostics
	}
	return values, nil
}
