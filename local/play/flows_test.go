package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// sources returns the trigger sources of the steps, and the operations of those without a call.
func (r result) sources() (list []string) {
	for _, s := range r.steps {
		if s.Source == "" {
			list = append(list, s.Operation)
		} else {
			list = append(list, s.Source)
		}
	}
	return list
}

func TestFlows(t *testing.T) {
	p := start(t).pool
	const (
		postConfirmation   = "PostConfirmation_ConfirmSignUp"
		postAuthentication = "PostAuthentication_Authentication"
	)
	rows := []struct {
		name      string
		provider  string
		status    string // at first
		disabled  bool
		operation string
		earlier   []string // operations before it
		metadata  map[string]string
		want      []string
		refused   string // Cognito's error; empty means none
		after     string // the status
	}{
		{name: "sign-up", status: unconfirmed, operation: signUp, want: []string{signUp}, after: unconfirmed},
		{name: "created by an administrator", status: forceChangePassword, operation: adminCreate, want: []string{adminCreate}, after: forceChangePassword},
		{name: "confirmation", status: unconfirmed, operation: confirm, want: []string{postConfirmation}, after: confirmed},
		{name: "confirmation again", status: confirmed, operation: confirm, refused: "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED", after: confirmed},
		{name: "sign-in", status: confirmed, operation: signIn, want: []string{postAuthentication, "TokenGeneration_Authentication"}, after: confirmed},
		{name: "sign-in before confirmation", status: unconfirmed, operation: signIn, refused: "UserNotConfirmedException: User is not confirmed.", after: unconfirmed},
		{name: "sign-in of a disabled user", status: confirmed, disabled: true, operation: signIn, refused: "NotAuthorizedException: User is disabled.", after: confirmed},
		{name: "first sign-in of an administrator's user", status: forceChangePassword, operation: signIn,
			want: []string{postAuthentication, "TokenGeneration_NewPasswordChallenge"}, after: confirmed},
		{name: "sign-in of an imported user", status: resetRequired, operation: signIn, refused: "PasswordResetRequiredException: Password reset required for the user", after: resetRequired},
		{name: "forgotten password", status: confirmed, operation: forgot, want: []string{"PostConfirmation_ConfirmForgotPassword"}, after: confirmed},
		{name: "forgotten password of an imported user", status: resetRequired, operation: forgot, want: []string{"PostConfirmation_ConfirmForgotPassword"}, after: confirmed},
		{name: "forgotten password before confirmation", status: unconfirmed, operation: forgot, refused: "InvalidParameterException: Cannot reset password", after: unconfirmed},
		{name: "forgotten password of an administrator's user", status: forceChangePassword, operation: forgot,
			refused: "NotAuthorizedException: User password cannot be reset in the current state.", after: forceChangePassword},
		{name: "forgotten password of a disabled user", status: confirmed, disabled: true, operation: forgot, refused: "NotAuthorizedException: User is disabled.", after: confirmed},
		{name: "refresh", status: confirmed, operation: refresh, earlier: []string{signIn}, want: []string{"TokenGeneration_RefreshTokens"}, after: confirmed},
		{name: "refresh with clientMetadata", status: confirmed, operation: refresh, earlier: []string{signIn}, metadata: map[string]string{"tenant_id": "acme"},
			want: []string{"TokenGeneration_Authentication"}, after: confirmed},
		{name: "refresh without a sign-in", status: confirmed, operation: refresh, refused: "NotAuthorizedException: Invalid Refresh Token", after: confirmed},
		{name: "refresh of a disabled user", status: confirmed, disabled: true, operation: refresh, refused: "NotAuthorizedException: User is disabled.", after: confirmed},
		{name: "first federated sign-in", provider: "Google", operation: signIn, want: []string{postConfirmation, "TokenGeneration_HostedAuth"}, after: externalProvider},
		{name: "second federated sign-in", provider: "ADFS", operation: signIn, earlier: []string{signIn},
			want: []string{postAuthentication, "TokenGeneration_HostedAuth"}, after: externalProvider},
		{name: "forgotten password of a federated user", provider: "Okta", operation: forgot,
			refused: "NotAuthorizedException: User password cannot be reset in the current state.", after: externalProvider},
	}
	for _, row := range rows {
		for _, version := range []string{"1", "2", "3"} {
			u := newUser(map[string]string{"email": "jane@example.com"}, []string{"editor"}, row.provider, row.status)
			u.Enabled = !row.disabled
			p.put(u)
			for _, operation := range row.earlier {
				if res, err := p.do(t.Context(), request{operation: operation, sub: u.Sub(), version: version}); err != nil || res.refused != nil {
					t.Fatalf("%s: %s: %v, %v", row.name, operation, res.refused, err)
				}
			}
			res, err := p.do(t.Context(), request{row.operation, u.Sub(), version, row.metadata})
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			if got := res.sources(); !slices.Equal(got, row.want) {
				t.Errorf("%s, V%s_0: steps = %q, want %q", row.name, version, got, row.want)
			}
			got := ""
			if res.refused != nil {
				got = res.refused.Error()
			}
			if row.refused == "" && got != "" || !strings.HasPrefix(got, row.refused) {
				t.Errorf("%s, V%s_0: Cognito's error = %q, want %q", row.name, version, got, row.refused)
			}
			if u, _ = p.find(u.Sub()); u.Status != row.after {
				t.Errorf("%s, V%s_0: status afterwards = %s, want %s", row.name, version, u.Status, row.after)
			}
			issues := strings.HasPrefix(strings.Join(row.want, " ")+" ", "TokenGeneration_") || len(row.want) == 2
			if (res.tokens != nil) != issues {
				t.Errorf("%s, V%s_0: there are tokens: %t, want %t", row.name, version, res.tokens != nil, issues)
			}
		}
	}
}

// With Hasura down, the sync is parked and the user gets in.
func TestFlowsWithoutHasura(t *testing.T) {
	a := start(t)
	if err := a.stack.Hasura.Set(stack.Status(503, "")); err != nil {
		t.Fatal(err)
	}
	u := newUser(map[string]string{"email": "jane@example.com"}, nil, "", confirmed)
	a.pool.put(u)
	done, err := a.act(t.Context(), "", []string{signIn}, request{sub: u.Sub(), version: "2"})
	if err != nil {
		t.Fatal(err)
	}
	if done.Refused != nil || done.Tokens == nil || done.Steps[0].Call.Outcome != "parked" || done.Steps[0].Kind() != "warn" || done.RowText() != "There is no row yet." {
		t.Errorf("refused = %v, tokens %v, outcome %q, row: %s; want the user let in and the sync parked",
			done.Refused, done.Tokens, done.Steps[0].Call.Outcome, done.RowText())
	}
	if v := a.judge(t.Context(), done.Tokens.List[0]); v.Accepted || v.Code == "" {
		t.Errorf("verdict while Hasura is down = %+v, want that there is none", v)
	}
}

func TestFlowsOfNobody(t *testing.T) {
	a := start(t)
	res, err := a.pool.do(t.Context(), request{operation: signIn, sub: "nobody", version: "2"})
	if err != nil || res.refused == nil || res.refused.Error() != "UserNotFoundException: User does not exist." {
		t.Errorf("refused = %v, error %v", res.refused, err)
	}
}

func TestMachine(t *testing.T) {
	p := start(t).pool
	for version, want := range map[string]string{"1": machineTokens, "2": machineTokens, "3": "TokenGeneration_ClientCredentials"} {
		res, err := p.do(t.Context(), request{operation: machineTokens, version: version})
		if err != nil || res.refused != nil || res.tokens == nil || res.tokens.ID != nil {
			t.Fatalf("V%s_0: tokens %+v, refused %v, error %v; want an access token alone", version, res.tokens, res.refused, err)
		}
		if got := res.sources(); !slices.Equal(got, []string{want}) {
			t.Errorf("V%s_0: steps = %q, want %q", version, got, want)
		}
	}
}

// Events have the members of the recorded ones, in their order.
func TestEvents(t *testing.T) {
	native := newUser(map[string]string{"email": "jane@example.com"}, []string{"editor"}, "", confirmed)
	google := newUser(map[string]string{"email": "gina@example.com"}, []string{"editor"}, "Google", "")
	rows := []struct {
		name, source, version string
		u                     user
		metadata              map[string]string
		want                  []string // the text's parts in their order
	}{
		{"post confirmation", "PostConfirmation_ConfirmSignUp", "3", native, nil,
			[]string{`{"version":"1","region":"us-east-1","userPoolId":"us-east-1_ExaMPle01","userName":"`, `"callerContext":`, `"triggerSource":`,
				`"userAttributes":{"cognito:user_status":"CONFIRMED"`, `}},"response":{}}`}},
		{"post authentication", "PostAuthentication_Authentication", "2", native, nil, []string{`{"version":"1"`, `"newDeviceUsed":false},"response":{}}`}},
		{"V1_0", "TokenGeneration_Authentication", "1", native, nil, []string{`{"version":"1","triggerSource":"TokenGeneration_Authentication","region":`,
			`"groupConfiguration":{"groupsToOverride":["editor"],"iamRolesToOverride":[],"preferredRole":null}},"response":{"claimsOverrideDetails":null}}`}},
		{"V2_0", "TokenGeneration_Authentication", "2", native, map[string]string{"a": "b"}, []string{`{"version":"2","triggerSource":`,
			`"scopes":["aws.cognito.signin.user.admin"],"clientMetadata":{"a":"b"}},"response":{"claimsAndScopeOverrideDetails":null}}`}},
		{"V3_0", "TokenGeneration_Authentication", "3", native, nil, []string{`{"callerContext":`, `"request":{"groupConfiguration":`, `"scopes":`, `"userAttributes":`,
			`"response":`, `"triggerSource":`, `"userName":`, `"userPoolId":`, `"version":"3"}`}},
		{"federated", "TokenGeneration_HostedAuth", "2", google, nil, []string{`"userName":"google_1`, `"identities":"[{`, `"groupsToOverride":["us-east-1_ExaMPle01_Google","editor"]`,
			`"scopes":["openid","profile","email"]`}},
		{"a machine", "TokenGeneration_ClientCredentials", "3", user{}, nil, []string{`"request":{"scopes":["api/read"]}`}},
	}
	for _, row := range rows {
		text := string(row.u.event(row.source, request{version: row.version, metadata: row.metadata}))
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s: not JSON: %s", row.name, text)
		}
		rest := text
		for _, part := range row.want {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				t.Errorf("%s: event = %s\nwant %s after what comes before it", row.name, text, part)
			}
			rest = after
		}
	}
}
