package userpool_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

const (
	client = "1example23456789example012"
	sub    = "1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15"
)

// event is a sign-in of a user in the group editor, with an IAM role. more has further
// members of the request.
func event(version, more string) string {
	return fmt.Sprintf(`{"version":%q,"triggerSource":"TokenGeneration_Authentication","region":"us-east-1","userPoolId":"us-east-1_ExaMPle01","userName":"jane",
		"callerContext":{"clientId":%q},"request":{"userAttributes":{"sub":%q,"email":"jane@example.com","email_verified":"true","cognito:user_status":"CONFIRMED","custom:age":"30",
		"identities":"[{\"providerName\":\"Google\"}]"},
		"groupConfiguration":{"groupsToOverride":["editor"],"iamRolesToOverride":["arn:r"],"preferredRole":"arn:r"}%s},"response":{}}`, version, client, sub, more)
}

var (
	v1      = event("1", "")
	v2      = event("2", `,"scopes":["openid"]`)
	v3      = event("3", `,"scopes":["openid"]`)
	machine = fmt.Sprintf(`{"version":"3","triggerSource":"TokenGeneration_ClientCredentials","userName":null,"callerContext":{"clientId":%q},
		"request":{"userAttributes":null,"groupConfiguration":null,"scopes":["api/read"]},"response":{"claimsAndScopeOverrideDetails":null}}`, client)
)

// answered is the event with a response.
func answered(t testing.TB, event, response string) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(event), &members); err != nil {
		t.Fatalf("event %s: %v", event, err)
	}
	members["response"] = json.RawMessage(response)
	answer, err := json.Marshal(members)
	if err != nil {
		t.Fatalf("response %s: %v", response, err)
	}
	return answer
}

func pool(t testing.TB) *userpool.Pool {
	t.Helper()
	p, err := userpool.New("us-east-1_ExaMPle01")
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// absent means that the token does not have the claim.
const absent = "(absent)"

// want is claims by name, values as JSON.
type want map[string]string

func (w want) check(t *testing.T, name, token string, got userpool.Claims) {
	t.Helper()
	for claim, value := range w {
		text := absent
		if v, ok := got[claim]; ok {
			raw, err := json.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			text = string(raw)
		}
		if text != value {
			t.Errorf("%s: %s of the %s token = %s, want %s", name, claim, token, text, value)
		}
	}
}

// The rows without a source follow "Pre token generation Lambda trigger".
func TestTokens(t *testing.T) {
	rows := []struct {
		name, event, response string
		id, access            want
	}{
		{"no change: both tokens have the groups, the ID token has the roles", v1, `{}`,
			want{"cognito:groups": `["editor"]`, "cognito:roles": `["arn:r"]`, "cognito:preferred_role": `"arn:r"`},
			want{"cognito:groups": `["editor"]`, "cognito:roles": absent, "scope": `"aws.cognito.signin.user.admin"`}},
		{"null changes nothing", v1, `{"claimsOverrideDetails":null}`, want{"cognito:groups": `["editor"]`}, want{"cognito:groups": `["editor"]`}},
		{"no change, V2", v2, `{"claimsAndScopeOverrideDetails":null}`, want{"cognito:groups": `["editor"]`}, want{"cognito:groups": `["editor"]`, "scope": `"openid"`}},

		{"V1 sets claims of the ID token only", v1, `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":"{}","email":"b@example.com"}}}`,
			want{"https://hasura.io/jwt/claims": `"{}"`, "email": `"b@example.com"`}, want{"https://hasura.io/jwt/claims": absent, "email": absent}},
		{"V1 accepts only strings: hasura/graphql-engine#1176", v1, `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"o":{"a":1},"l":["a"],"n":1,"b":true,"z":null,"s":"1"}}}`,
			want{"o": absent, "l": absent, "n": absent, "b": absent, "z": absent, "s": `"1"`}, nil},
		{"V1 suppresses claims of the ID token only", v1, `{"claimsOverrideDetails":{"claimsToSuppress":["email","custom:age","cognito:groups"]}}`,
			want{"email": absent, "custom:age": absent, "cognito:groups": absent, "cognito:roles": absent, "cognito:preferred_role": absent}, want{"cognito:groups": `["editor"]`}},
		{"V2 sets claims of both tokens, of any type", v2, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"x":{"a":[1,true,"b"]},"n":9223372036854775807}},
			"accessTokenGeneration":{"claimsToAddOrOverride":{"y":"c","f":false}}}}`,
			want{"x": `{"a":[1,true,"b"]}`, "n": `9223372036854775807`, "y": absent}, want{"y": `"c"`, "f": `false`, "x": absent}},
		{"V3 is like V2", v3, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"x":{}}},"accessTokenGeneration":{"claimsToAddOrOverride":{"x":[]}}}}`,
			want{"x": `{}`}, want{"x": `[]`}},
		{"four claims of the ID token accept no object or list", v2, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{
			"email_verified":{},"phone_number_verified":[],"updated_at":{},"address":{"formatted":"x"},"profile":{}}}}}`,
			want{"email_verified": `true`, "phone_number_verified": absent, "updated_at": absent, "address": absent, "profile": `{}`}, nil},
		{"these four accept other values", v2, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"email_verified":false,"address":"x"}}}}`,
			want{"email_verified": `false`, "address": `"x"`}, nil},
		{"a claim that is set and suppressed", v2, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"x":"1","email":"b"},"claimsToSuppress":["x","email"]}}}`,
			want{"x": absent, "email": absent}, nil},
		{"scopes are added and suppressed", v2, `{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"scopesToAdd":["api/read","api/write"],"scopesToSuppress":["openid","api/write"]}}}`,
			nil, want{"scope": `"api/read"`}},
		{"scope cannot be set or suppressed", v2, `{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"claimsToAddOrOverride":{"scope":"all"},"claimsToSuppress":["scope"]}}}`,
			nil, want{"scope": `"openid"`}},

		{"aud of the access token may be the app client", v2, `{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"claimsToAddOrOverride":{"aud":"` + client + `"}}}}`,
			nil, want{"aud": `"` + client + `"`}},
		{"aud of the access token can be nothing else", v2, `{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"claimsToAddOrOverride":{"aud":"other"}}}}`, nil, want{"aud": absent}},
		{"aud of the ID token cannot be changed", v2, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"aud":"other"},"claimsToSuppress":["aud"]}}}`,
			want{"aud": `"` + client + `"`}, nil},
		{"developer attributes cannot be set", v2, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"dev:x":"1"}}}}`, want{"dev:x": absent}, nil},

		{"a V1 response to a V2 event has no effect", v2, `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"x":"1"},"groupOverrideDetails":{}}}`,
			want{"x": absent, "cognito:groups": `["editor"]`}, want{"x": absent, "cognito:groups": `["editor"]`}},
		{"a V2 response to a V1 event has no effect", v1, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"x":"1"}},"groupOverrideDetails":{}}}`,
			want{"x": absent, "cognito:groups": `["editor"]`}, want{"x": absent}},
		{"an event with scopes is V2, also with version 1", event("1", `,"scopes":["openid"]`),
			`{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"x":"1"}}}}`, want{"x": `"1"`}, nil},
	}
	p := pool(t)
	for _, row := range rows {
		tokens, err := p.Tokens([]byte(row.event), answered(t, row.event, row.response), time.Now())
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		row.id.check(t, row.name, "ID", tokens.ID)
		row.access.check(t, row.name, "access", tokens.Access)
	}
}

func TestGroupOverrideDetails(t *testing.T) {
	kept := want{"cognito:groups": `["editor"]`, "cognito:roles": `["arn:r"]`}
	none := want{"cognito:groups": absent, "cognito:roles": absent, "cognito:preferred_role": absent}
	rows := []struct {
		name, details string
		id            want
	}{
		{"absent keeps the groups: AWS's examples leave it out", ``, kept},
		{"a copy of the request keeps the groups", `{"groupsToOverride":["editor"],"iamRolesToOverride":["arn:r"],"preferredRole":"arn:r"}`, kept},
		{"null suppresses the groups", `null`, none},
		{"an empty object suppresses the groups", `{}`, none},
		{"an empty list suppresses the groups", `{"groupsToOverride":[]}`, none},
		{"null members suppress the groups: what aws-lambda-go's event types marshal", `{"groupsToOverride":null,"iamRolesToOverride":null,"preferredRole":null}`, none},
		{"groups without roles remove the roles", `{"groupsToOverride":["a","b"]}`, want{"cognito:groups": `["a","b"]`, "cognito:roles": absent, "cognito:preferred_role": absent}},
	}
	p := pool(t)
	for _, row := range rows {
		member := ""
		if row.details != "" {
			member = `"groupOverrideDetails":` + row.details
		}
		for version, event := range map[string]string{"claimsOverrideDetails": v1, "claimsAndScopeOverrideDetails": v2} {
			answer := answered(t, event, fmt.Sprintf(`{%q:{%s}}`, version, member))
			tokens, err := p.Tokens([]byte(event), answer, time.Now())
			if err != nil {
				t.Errorf("%s: %v", row.name, err)
				continue
			}
			row.id.check(t, row.name+" in "+version, "ID", tokens.ID)
			want{"cognito:groups": row.id["cognito:groups"]}.check(t, row.name+" in "+version, "access", tokens.Access)
		}
	}
}

func TestReservedClaims(t *testing.T) {
	names := []string{"acr", "amr", "at_hash", "auth_time", "azp", "client_id", "cognito:username", "cognito:mine", "device_key", "event_id", "exp", "iat",
		"identities", "iss", "jti", "nbf", "nonce", "origin_jti", "sub", "token_use", "username", "version"}
	set := make(map[string]string)
	for _, name := range names {
		set[name] = "changed"
	}
	change, _ := json.Marshal(map[string]any{"claimsToAddOrOverride": set, "claimsToSuppress": names})
	p, at := pool(t), time.Now()
	for response, event := range map[string]string{
		fmt.Sprintf(`{"claimsOverrideDetails":%s}`, change):                                                             v1,
		fmt.Sprintf(`{"claimsAndScopeOverrideDetails":{"idTokenGeneration":%s,"accessTokenGeneration":%[1]s}}`, change): v2,
	} {
		plain, err := p.Tokens([]byte(event), answered(t, event, `{}`), at)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Tokens([]byte(event), answered(t, event, response), at)
		if err != nil {
			t.Fatal(err)
		}
		for _, tokens := range []userpool.Tokens{plain, got} {
			for _, claims := range []userpool.Claims{tokens.ID, tokens.Access} {
				for _, unique := range []string{"jti", "origin_jti", "event_id"} {
					if id, _ := claims[unique].(string); len(id) != 36 {
						t.Errorf("%s = %v, want a UUID", unique, claims[unique])
					}
					delete(claims, unique)
				}
			}
		}
		if diff := cmp.Diff(plain, got); diff != "" {
			t.Errorf("claims changed (-before +after):\n%s", diff)
		}
	}
}

func TestTokensOfASignIn(t *testing.T) {
	at := time.Unix(1_790_000_000, 0)
	tokens, err := pool(t).Tokens([]byte(v2), answered(t, v2, `{}`), at)
	if err != nil {
		t.Fatal(err)
	}
	both := want{"iss": `"https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ExaMPle01"`, "sub": `"` + sub + `"`,
		"iat": "1790000000", "auth_time": "1790000000", "exp": "1790003600"}
	both.check(t, "sign-in", "ID", tokens.ID)
	both.check(t, "sign-in", "access", tokens.Access)
	want{"token_use": `"id"`, "aud": `"` + client + `"`, "cognito:username": `"jane"`, "email": `"jane@example.com"`, "email_verified": "true", "custom:age": `"30"`,
		"identities": `[{"providerName":"Google"}]`, "cognito:user_status": absent, "client_id": absent}.check(t, "sign-in", "ID", tokens.ID)
	want{"token_use": `"access"`, "client_id": `"` + client + `"`, "username": `"jane"`, "version": "2", "aud": absent, "email": absent}.check(t, "sign-in", "access", tokens.Access)
}

func TestTokensOfAMachine(t *testing.T) {
	answer := answered(t, machine, `{"claimsAndScopeOverrideDetails":{"idTokenGeneration":{"claimsToAddOrOverride":{"x":"1"}},"accessTokenGeneration":{"claimsToAddOrOverride":{"y":"2"}}}}`)
	tokens, err := pool(t).Tokens([]byte(machine), answer, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if tokens.ID != nil {
		t.Errorf("ID token = %v, want none", tokens.ID)
	}
	want{"sub": `"` + client + `"`, "client_id": `"` + client + `"`, "scope": `"api/read"`, "y": `"2"`, "username": absent, "cognito:groups": absent}.check(t, "machine", "access", tokens.Access)
}

func TestUnreadableResponses(t *testing.T) {
	const (
		notJSON        = "InvalidLambdaResponseException: Invalid lambda function output : Invalid JSON"
		unrecognizable = "InvalidLambdaResponseException: Unrecognizable lambda output"
	)
	with := func(response string) string { return string(answered(t, v1, response)) }
	with2 := func(response string) string { return string(answered(t, v2, response)) }
	rows := []struct{ name, event, answer, want string }{
		{"nothing", v1, ``, notJSON},
		{"null, as from a handler that returns no event: amplify-cli#4341", v1, `null`, notJSON},
		{"half a response", v1, v1[:40], notJSON},
		{"a string: stackoverflow.com/questions/42706896", v1, `"ok"`, unrecognizable},
		{"a list", v1, `[]`, unrecognizable},
		{"no event", v1, `{}`, unrecognizable},
		{"an additional member", v1, strings.Replace(v1, `{`, `{"extra":1,`, 1), unrecognizable},
		{"no response", v1, strings.Replace(v1, `,"response":{}`, ``, 1), unrecognizable},
		{"a null response", v1, with(`null`), unrecognizable},
		{"a list for the response", v1, with(`[]`), unrecognizable},
		{"a list for claimsOverrideDetails: aws-lambda-java-libs#516", v1, with(`{"claimsOverrideDetails":[]}`), unrecognizable},
		{"a list for claimsToAddOrOverride", v1, with(`{"claimsOverrideDetails":{"claimsToAddOrOverride":[]}}`), unrecognizable},
		{"a string for claimsToSuppress", v1, with(`{"claimsOverrideDetails":{"claimsToSuppress":"x"}}`), unrecognizable},
		{"a list for groupOverrideDetails", v1, with(`{"claimsOverrideDetails":{"groupOverrideDetails":[]}}`), unrecognizable},
		{"a list for preferredRole", v1, with(`{"claimsOverrideDetails":{"groupOverrideDetails":{"preferredRole":["r"]}}}`), unrecognizable},
		{"a list for claimsAndScopeOverrideDetails", v2, with2(`{"claimsAndScopeOverrideDetails":[]}`), unrecognizable},
		{"a string for idTokenGeneration", v2, with2(`{"claimsAndScopeOverrideDetails":{"idTokenGeneration":"x"}}`), unrecognizable},
		{"a space in a scope", v2, with2(`{"claimsAndScopeOverrideDetails":{"accessTokenGeneration":{"scopesToAdd":["a b"]}}}`), unrecognizable},
	}
	p := pool(t)
	for _, row := range rows {
		_, err := p.Tokens([]byte(row.event), []byte(row.answer), time.Now())
		if got, ok := errors.AsType[*userpool.Error](err); !ok || got.Error() != row.want {
			t.Errorf("%s: error = %v, want %s", row.name, err, row.want)
		}
	}
}

func TestCheck(t *testing.T) {
	event := `{"version":"1","triggerSource":"PostConfirmation_ConfirmSignUp","future":1,"request":{},"response":{}}`
	if err := userpool.Check([]byte(event), []byte(event)); err != nil {
		t.Errorf("the event itself: %v", err)
	}
	if err := userpool.Check([]byte(event), []byte(`{"response":null}`)); err == nil {
		t.Error("a null response was accepted")
	}
}

func TestFailed(t *testing.T) {
	rows := []struct{ source, payload, want string }{
		{"TokenGeneration_RefreshTokens", `{"errorMessage":"boom","errorType":"errorString"}`, "UserLambdaValidationException: PreTokenGeneration failed with error boom."},
		{"PostConfirmation_ConfirmSignUp", `{"errorMessage":"boom"}`, "UserLambdaValidationException: PostConfirmation failed with error boom."},
		{"PostAuthentication_Authentication", `no JSON`, "UserLambdaValidationException: PostAuthentication failed with error ."},
	}
	for _, row := range rows {
		if got := userpool.Failed(row.source, []byte(row.payload)).Error(); got != row.want {
			t.Errorf("Failed(%s, %s) = %s, want %s", row.source, row.payload, got, row.want)
		}
	}
}

// Every recorded event gives tokens if the response changes nothing.
func TestRecordedEvents(t *testing.T) {
	paths, err := filepath.Glob("../../events/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no events: %v", err)
	}
	p := pool(t)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tokens, err := p.Tokens(data, answered(t, string(data), `{}`), time.Now())
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if _, _, err := p.Sign(tokens); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}
