package cognito

import (
	"encoding/json"
	"testing"
)

func TestSetClaims(t *testing.T) {
	const v1, v2 = `{"claimsOverrideDetails":`, `{"claimsAndScopeOverrideDetails":`
	rows := []struct{ name, event, want string }{
		{
			"version 1 has claims in the ID token alone",
			`{"version":"1","request":{},"response":{"claimsOverrideDetails":null}}`,
			v1 + `{"claimsToAddOrOverride":{"id":"1"}}}`,
		}, {
			"groups go back to the byte",
			`{"version":"1","request":{"groupConfiguration":{ "groupsToOverride" : ["<a>"],"iamRolesToOverride":[],"preferredRole":null,"new":1e2 }}}`,
			v1 + `{"claimsToAddOrOverride":{"id":"1"},"groupOverrideDetails":{ "groupsToOverride" : ["<a>"],"iamRolesToOverride":[],"preferredRole":null,"new":1e2 }}}`,
		}, {
			"an empty group configuration is not sent back: Cognito would drop the groups",
			`{"version":"1","request":{"groupConfiguration":{}}}`,
			v1 + `{"claimsToAddOrOverride":{"id":"1"}}}`,
		}, {
			"one that is not an object is not sent back either",
			`{"version":"1","request":{"groupConfiguration":[{"groupsToOverride":[]}]}}`,
			v1 + `{"claimsToAddOrOverride":{"id":"1"}}}`,
		}, {
			"version 2 has claims in both tokens",
			`{"version":"2","request":{"groupConfiguration":{"groupsToOverride":[]}}}`,
			v2 + `{"idTokenGeneration":{"claimsToAddOrOverride":{"id":"1"}},"accessTokenGeneration":{"claimsToAddOrOverride":{"access":"2"}},"groupOverrideDetails":{"groupsToOverride":[]}}}`,
		},
	}
	for _, row := range rows {
		e, err := Parse([]byte(row.event))
		if err != nil {
			t.Fatal(err)
		}
		e.SetClaims(json.RawMessage(`{"id":"1"}`), json.RawMessage(`{"access":"2"}`))
		if got := string(e.response); got != row.want {
			t.Errorf("%s:\n got %s\nwant %s", row.name, got, row.want)
		}
	}
}

func TestIsV2(t *testing.T) {
	rows := []struct {
		event string
		want  bool
	}{
		{`{"version":"1","response":{"claimsOverrideDetails":null}}`, false},
		{`{"version":"2"}`, true},
		{`{"version":"3"}`, true},
		{`{"version":3}`, true},
		{`{"version":"0"}`, false},
		{`{}`, false},
		{`{"version":"1","request":{"scopes":[]}}`, true},
		{`{"version":"1","request":{"scopes":null}}`, true},
		{`{"version":"0","response":{"claimsAndScopeOverrideDetails":null}}`, true},
		{`{"request":{"scopes":["x"]}}`, true},
	}
	for _, row := range rows {
		e, err := Parse([]byte(row.event))
		if err != nil {
			t.Fatal(err)
		}
		if got := e.IsV2(); got != row.want {
			t.Errorf("IsV2() of %s = %t, want %t", row.event, got, row.want)
		}
	}
}
