package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

var update = flag.Bool("update", false, "write testdata anew")

func handler(t testing.TB, log *bytes.Buffer, env map[string]string) cognito.Handler {
	t.Helper()
	config, faults := settings.ReadClaims(func(name string) string { return env[name] })
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return configured(log, config)
}

func configured(log *bytes.Buffer, config settings.Claims) cognito.Handler {
	logger := slog.New(slog.NewJSONHandler(log, nil))
	return cognito.Handler{Handle: function{config, logger}.shape, Log: logger}
}

// testdata has the whole response to every pre token generation event.
func TestAnswers(t *testing.T) {
	paths, err := filepath.Glob("../../events/pre-token-generation-*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no events: %v", err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			event, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			answer, err := handler(t, &log, nil).Invoke(t.Context(), event)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", filepath.Base(path))
			if *update {
				if err := os.WriteFile(golden, answer, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(answer, want) {
				t.Errorf("got\n%s\nwant\n%s\n(go test -update writes it anew)", answer, want)
			}
			keepsGroups(t, event, answer)
		})
	}
	goldens, _ := filepath.Glob("testdata/*.json")
	if len(goldens) != len(paths) {
		t.Errorf("%d answers for %d events: one has no event", len(goldens), len(paths))
	}
}

// keepsGroups checks that a response with claims has the request's bytes for the groups.
// That keeps cognito:groups in the tokens.
func keepsGroups(t *testing.T, event, answer []byte) {
	t.Helper()
	type details struct {
		Groups json.RawMessage `json:"groupOverrideDetails"`
	}
	var sent struct {
		Request struct {
			Groups json.RawMessage `json:"groupConfiguration"`
		} `json:"request"`
	}
	var back struct {
		Response struct {
			V1 *details `json:"claimsOverrideDetails"`
			V2 *details `json:"claimsAndScopeOverrideDetails"`
		} `json:"response"`
	}
	// The test events of AWS's documentation have arrays where objects belong.
	_ = json.Unmarshal(event, &sent)
	_ = json.Unmarshal(answer, &back)
	got := back.Response.V1
	if got == nil {
		got = back.Response.V2
	}
	if got == nil {
		return // nothing is overridden
	}
	want := sent.Request.Groups
	if !bytes.HasPrefix(want, []byte("{")) || bytes.Equal(want, []byte("{}")) {
		want = nil // not groups: with them, Cognito would remove the groups of the user
	}
	if !bytes.Equal(got.Groups, want) {
		t.Errorf("groups %s, want %s", got.Groups, want)
	}
}

func TestShapeLogs(t *testing.T) {
	machine := map[string]string{"MACHINE_ROLES": "app=service"}
	groups, _ := json.Marshal(strings.Fields(strings.Repeat("canary", 5000/len("canary"))))
	rows := []struct {
		env   map[string]string
		event string
		want  []string // one for each line
	}{
		{nil, `{"version":"1","triggerSource":"TokenGeneration_RefreshTokens","request":{"userAttributes":{"sub":"s","email":"canary"}}}`,
			[]string{`"level":"INFO","msg":"shaped","user":"s","trigger":"TokenGeneration_RefreshTokens","version":"1"`}},
		{nil, `{"version":"3","triggerSource":"TokenGeneration_ClientCredentials","request":{"scopes":["canary"]}}`,
			[]string{`"level":"INFO","msg":"passed through","reason":"no user, and no machine with roles","trigger":"TokenGeneration_ClientCredentials"`}},
		{machine, `{"version":"3","triggerSource":"TokenGeneration_ClientCredentials","callerContext":{"clientId":"app"},"request":{"scopes":["canary"]}}`,
			[]string{`"level":"INFO","msg":"shaped","client":"app","trigger":"TokenGeneration_ClientCredentials","version":"3"`}},
		{nil, `{"version":"2","triggerSource":"TokenGeneration_Authentication","request":{"userAttributes":{"sub":"s"},"groupConfiguration":{"groupsToOverride":` + string(groups) + `}}}`,
			[]string{`"level":"WARN","msg":"claims large","user":"s","trigger":"TokenGeneration_Authentication","bytes":5106,"roles":2`, `"msg":"shaped"`}},
		{nil, `{"triggerSource":"PostAuthentication_Authentication","request":{"userAttributes":{"sub":"s","email":"canary"}}}`,
			[]string{`"level":"WARN","msg":"passed through","reason":"not a pre token generation event","trigger":"PostAuthentication_Authentication"`}},
	}
	for _, row := range rows {
		var log bytes.Buffer
		answer, err := handler(t, &log, row.env).Invoke(t.Context(), []byte(row.event))
		if err != nil {
			t.Errorf("%s: %v", row.event, err)
		}
		got := strings.Split(strings.TrimSpace(log.String()), "\n")
		if len(got) != len(row.want) || strings.Contains(log.String(), "canary") {
			t.Errorf("%.150s: logs %q, want %q", row.event, got, row.want)
			continue
		}
		for i, want := range row.want {
			if !strings.Contains(got[i], want) {
				t.Errorf("%.150s: logs %s, want %s", row.event, got[i], want)
			}
		}
		if strings.Contains(row.want[0], "passed through") && !bytes.HasPrefix(answer, []byte(strings.TrimSuffix(row.event, "}"))) {
			t.Errorf("%s came back as %s", row.event, answer)
		}
	}
}

func TestRolesAreOnlyWhatWasGranted(t *testing.T) {
	event, err := os.ReadFile("../../events/pre-token-generation-v2-escalation.json")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	for _, env := range []map[string]string{nil, {"CLAIMS_FORMAT": "json"}, {"ROLES": "staff=editor"}, {"DEFAULT_ROLE": "admin,editor"}} {
		answer, err := handler(t, &log, env).Invoke(t.Context(), event)
		if err != nil {
			t.Fatal(err)
		}
		response := answer[bytes.LastIndex(answer, []byte(`"response"`)):]
		claims := bytes.Split(response, []byte(`"groupOverrideDetails"`))[0]
		if bytes.Contains(claims, []byte("admin")) {
			t.Errorf("with %v: %s", env, claims)
		}
	}
}
