package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A user in groups of every kind, whose app asks for the tenant globex. %s are the version and
// the members that only V2_0 and V3_0 have.
const userEvent = `{"version":"%s","triggerSource":"TokenGeneration_Authentication","region":"us-east-1","userPoolId":"us-east-1_ExaMPle01",` +
	`"userName":"jane","callerContext":{"clientId":"1example23456789example01"},"request":{%s"userAttributes":{` +
	`"sub":"1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15","custom:groups":"[Owners, Staff, admin]","custom:tenant":"acme","custom:org_id":"7"},` +
	`"groupConfiguration":{"groupsToOverride":["editor","org:writer","Sales","root","admin","acme:owner","globex:viewer","globex:admin","a:b:c",` +
	`"team-red","team-\"b\\l,{ue}","team-NULL","us-east-1_ExaMPle01_Okta"]},"clientMetadata":{"tenant_id":"globex","role":"admin"}},"response":null}`

const machineEvent = `{"version":"%s","triggerSource":"TokenGeneration_ClientCredentials","region":"us-east-1","userPoolId":"us-east-1_ExaMPle01",` +
	`"userName":"1example23456789example02","callerContext":{"clientId":"1example23456789example02"},"request":{%s"clientMetadata":{"tenant_id":"acme"}},"response":null}`

// testdata/settings has the response for each set of settings, trigger version and claims format.
// Hasura accepts every token, and sees the same variables in both formats.
func TestSettings(t *testing.T) {
	tenants := []string{"TENANT_GROUPS={tenant}:{role}", "ROLES=*,admin=tenant_admin,root=admin"}
	lists := "SESSION_VARIABLES=x-hasura-teams=groups:team-*,x-hasura-none=groups:none-*,x-hasura-org-id=custom:org_id,x-hasura-app=client_id,x-hasura-name=username,x-hasura-scopes=scopes"
	rows := []struct {
		name    string
		event   string
		env     []string
		invalid bool // a setting is invalid
	}{
		{"none", userEvent, nil, false},
		{"roles", userEvent, []string{"ROLES=editor=writer,Sales=Sales Manager,root=admin,us-east-1_ExaMPle01_Okta=employee", "DEFAULT_ROLE=owner,Sales Manager"}, false},
		{"wide-roles", userEvent, []string{"ROLES=*,Sales=sales:manager"}, false},
		{"role-attribute", userEvent, []string{"ROLES=Staff=staff,Owners=owner", "ROLE_ATTRIBUTE=custom:groups"}, false},
		{"lists", userEvent, []string{lists}, false},
		{"tenants", userEvent, tenants, false},
		{"tenant-of-attribute", strings.Replace(userEvent, `"tenant_id":"globex"`, `"tenant_id":"initech"`, 1), append(tenants, "TENANT_ATTRIBUTE=custom:tenant"), false},
		{"no-active-tenant", strings.Replace(userEvent, `"tenant_id":"globex"`, `"tenant_id":"initech"`, 1), tenants, false},
		{"hasura-ddn", userEvent, append(tenants, lists, "CLAIMS_NAMESPACE=claims.jwt.hasura.io", "ACCESS_TOKEN_AUDIENCE=client_id", "USER_ID=custom:org_id"), false},
		{"machine", machineEvent, append(tenants, lists, "MACHINE_ROLES=1example23456789example02=service,1example23456789example02=api:reader", "ACCESS_TOKEN_AUDIENCE=client_id"), false},
		{"invalid", userEvent, []string{"TENANT_GROUPS={role}", "ROLES=editor=writer", "ROLE_ATTRIBUTE=a b", "MACHINE_ROLES=a=admin", "SESSION_VARIABLES=x-hasura-role=custom:org_id,x-hasura-org-id=custom:org_id"}, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var got bytes.Buffer
			fmt.Fprintf(&got, "{\n  \"settings\": %s", inline(t, row.env))
			for _, version := range []string{"1", "2", "3"} {
				if row.event == machineEvent && version != "3" {
					continue // Cognito does not call these versions
				}
				seen := map[string]string{}
				for _, format := range []string{jwt.FormatStringJSON, jwt.FormatJSON} {
					env := map[string]string{"CLAIMS_FORMAT": format}
					for _, pair := range row.env {
						name, value, _ := strings.Cut(pair, "=")
						env[name] = value
					}
					scopes := ""
					if version != "1" {
						scopes = `"scopes":["openid","api/read"],`
					}
					event := fmt.Appendf(nil, row.event, version, scopes)
					config, faults := settings.ReadClaims(func(name string) string { return env[name] })
					if (len(faults) > 0) != row.invalid {
						t.Fatal(faults)
					}
					answer := invoke(t, config, event)
					fmt.Fprintf(&got, ",\n  \"V%s %s\": %s", version, format, inline(t, responseOf(t, answer)))
					if version == "1" {
						format = jwt.FormatStringJSON
					}
					for use, variables := range judge(t, event, answer, jwt.Config{Namespace: config.Namespace, Format: format}) {
						if text := inline(t, variables); seen[use] != "" && seen[use] != string(text) {
							t.Errorf("V%s, %s token: the variables are %s as %s, and %s in the other format", version, use, text, format, seen[use])
						} else {
							seen[use] = string(text)
						}
					}
				}
				if want := map[string]int{"1": 1, "2": 2, "3": 2}[version]; len(seen) != want && row.event != machineEvent {
					t.Errorf("V%s: %d tokens have claims, want %d", version, len(seen), want)
				}
			}
			got.WriteString("\n}\n")
			golden := filepath.Join("testdata", "settings", row.name+".json")
			if *update {
				if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Bytes(), want) {
				t.Errorf("got\n%s\nwant\n%s\n(go test -update writes it anew)", got.Bytes(), want)
			}
		})
	}
	if files, _ := filepath.Glob("testdata/settings/*.json"); len(files) != len(rows) {
		t.Errorf("%d files for %d sets of settings", len(files), len(rows))
	}
}

func invoke(t *testing.T, config settings.Claims, event []byte) []byte {
	t.Helper()
	var log bytes.Buffer
	answer, err := configured(&log, config).Invoke(t.Context(), event)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// judge returns the session variables that Hasura reads out of the tokens with claims.
func judge(t *testing.T, event, answer []byte, hasura jwt.Config) map[string]map[string]string {
	t.Helper()
	pool := &userpool.Pool{ID: "us-east-1_ExaMPle01"}
	tokens, err := pool.Tokens(event, answer, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	variables := map[string]map[string]string{}
	for use, claims := range map[string]userpool.Claims{"id": tokens.ID, "access": tokens.Access} {
		value := claims[hasura.Namespace]
		if value == nil {
			continue
		}
		session, err := hasura.Claims(inline(t, value), "")
		if err != nil {
			t.Errorf("Hasura refuses the %s token %s: %v", use, inline(t, value), err)
		}
		session.Variables["x-hasura-role"] = session.Role
		variables[use] = session.Variables
	}
	return variables
}

func responseOf(t *testing.T, answer []byte) json.RawMessage {
	t.Helper()
	var event struct{ Response json.RawMessage }
	if err := json.Unmarshal(answer, &event); err != nil {
		t.Fatal(err)
	}
	return event.Response
}

func inline(t *testing.T, value any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
