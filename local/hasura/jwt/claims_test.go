package jwt_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

const notInAllowed = "Your requested role is not in allowed roles"

// A claimsRow is Hasura's claims of a token, and Hasura's answer. The sources: test_jwt is
// hasura/graphql-engine server/tests-py/test_jwt.py, AuthSpec is its server/src-test
// Hasura/Server/AuthSpec.hs, # its issues.
type claimsRow struct {
	name    string
	source  string
	format  string
	claims  string
	role    string // asked for by the header
	want    string // the role
	code    string
	message string // "" when the source does not give it
}

var claimsRows = []claimsRow{
	{name: "all is well", source: "test_jwt_valid_claims_success",
		claims: `{"x-hasura-user-id":"1","x-hasura-allowed-roles":["user","editor"],"x-hasura-default-role":"user"}`, want: "user"},
	{name: "the header chooses an allowed role", source: "test_jwt_valid_claims_success", role: "editor",
		claims: `{"x-hasura-user-id":"1","x-hasura-allowed-roles":["user","editor"],"x-hasura-default-role":"user"}`, want: "editor"},
	{name: "the header chooses a role that is not allowed", source: "test_jwt_invalid_role_in_request_header", role: "user",
		claims: `{"x-hasura-user-id":"1","x-hasura-allowed-roles":["contractor","editor"],"x-hasura-default-role":"contractor"}`,
		code:   "access-denied", message: notInAllowed},
	{name: "no allowed roles", source: "test_jwt_no_allowed_roles_in_claim",
		claims: `{"x-hasura-user-id":"1","x-hasura-default-role":"user"}`,
		code:   "jwt-missing-role-claims", message: "JWT claim does not contain x-hasura-allowed-roles"},
	{name: "allowed roles are one string", source: "test_jwt_invalid_allowed_roles_in_claim",
		claims: `{"x-hasura-user-id":"1","x-hasura-allowed-roles":"user","x-hasura-default-role":"user"}`,
		code:   "jwt-invalid-claims", message: "invalid x-hasura-allowed-roles; should be a list of roles: parsing [] failed, expected Array, but encountered String"},
	{name: "no default role", source: "test_jwt_no_default_role",
		claims: `{"x-hasura-user-id":"1","x-hasura-allowed-roles":["user"]}`,
		code:   "jwt-missing-role-claims", message: "JWT claim does not contain x-hasura-default-role"},
	{name: "an empty list of roles allows none", source: "AuthSpec: always rejects when token has empty allowedRolesClaim",
		claims: `{"x-hasura-allowed-roles":[],"x-hasura-default-role":"user"}`, code: "access-denied", message: notInAllowed},
	{name: "no claims at all", source: "AuthSpec", claims: `{}`, code: "jwt-missing-role-claims"},
	{name: "the default role is not among the allowed", source: "JWT.hs, order of checks",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"admin"}`, code: "access-denied", message: notInAllowed},
	{name: "a bad default role is no fault when the header names a good one", source: "JWT.hs, order of checks", role: "user",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"admin"}`, want: "user"},
	{name: "an empty role in the list", source: "JWT.hs, role names", code: "jwt-invalid-claims",
		claims: `{"x-hasura-allowed-roles":["user",""],"x-hasura-default-role":"user"}`},
	{name: "a number in the list", source: "JWT.hs, role names", code: "jwt-invalid-claims",
		claims: `{"x-hasura-allowed-roles":["user",1],"x-hasura-default-role":"user"}`},
	{name: "an empty default role", source: "JWT.hs, role names", code: "jwt-invalid-claims",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":""}`},
	{name: "the user id is a number", source: "#5558",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-user-id":42}`,
		code:   "jwt-invalid-claims", message: "x-hasura-* claims: parsing Text failed, expected String, but encountered Number"},
	{name: "a variable is an array", source: "#9153",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","X-Hasura-Allowed-Ids":["a"]}`,
		code:   "jwt-invalid-claims", message: "x-hasura-* claims: parsing Text failed, expected String, but encountered Array"},
	{name: "a variable is null", source: "#9153",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-org-id":null}`,
		code:   "jwt-invalid-claims", message: "x-hasura-* claims: parsing Text failed, expected String, but encountered Null"},
	{name: "a variable is a boolean", source: "#3201",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-verified":true}`,
		code:   "jwt-invalid-claims", message: "x-hasura-* claims: parsing Text failed, expected String, but encountered Boolean"},
	{name: "names may be in any case", source: "JWT.hs, session variables",
		claims: `{"X-Hasura-Allowed-Roles":["user"],"X-Hasura-Default-Role":"user"}`, want: "user"},
	{name: "other names are ignored whatever they hold", source: "JWT.hs, session variables",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","tenant":7}`, want: "user"},
	{name: "a claim x-hasura-role does not choose", source: "Session.hs",
		claims: `{"x-hasura-allowed-roles":["user","admin"],"x-hasura-default-role":"user","x-hasura-role":"admin"}`, want: "user"},
	{name: "json is given a string", source: "#1176", claims: `"{}"`,
		code: "jwt-invalid-claims", message: "expecting a json object when claims_format is json"},
	{name: "json is given null", source: "#1176", claims: `null`,
		code: "jwt-invalid-claims", message: "expecting a json object when claims_format is json"},
	{name: "a string of JSON", source: "PR #1538", format: jwt.FormatStringJSON,
		claims: `"{\"x-hasura-allowed-roles\":[\"user\"],\"x-hasura-default-role\":\"user\"}"`, want: "user"},
	{name: "stringified_json is given an object", source: "PR #1538", format: jwt.FormatStringJSON, claims: `{}`,
		code: "jwt-invalid-claims", message: "expecting a string when claims_format is stringified_json"},
	{name: "stringified_json is given a string of something else", source: "PR #1538", format: jwt.FormatStringJSON, claims: `"[1]"`,
		code: "jwt-invalid-claims", message: "expecting stringified json at: 'claims_namespace https://hasura.io/jwt/claims', but found: [1]"},
}

func TestClaims(t *testing.T) {
	for _, row := range claimsRows {
		t.Run(row.name, func(t *testing.T) {
			got, err := jwt.Config{Format: row.format}.Claims(json.RawMessage(row.claims), row.role)
			checkError(t, err, row.code, row.message)
			if got.Role != row.want {
				t.Errorf("role of %s = %q, want %q (%s)", row.claims, got.Role, row.want, row.source)
			}
		})
	}
}

func TestClaimsBecomeSessionVariables(t *testing.T) {
	got, err := jwt.Config{}.Claims(json.RawMessage(`{
		"X-Hasura-User-Id": "1", "x-hasura-org-id": "", "x-hasura-role": "admin", "tenant": 7,
		"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user"}`), "")
	if err != nil {
		t.Fatal(err)
	}
	want := jwt.Session{Role: "user", Variables: map[string]string{
		"x-hasura-user-id": "1", "x-hasura-org-id": "", "x-hasura-role": "user"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("session (-want +got):\n%s", diff)
	}
}

func checkError(t *testing.T, err error, code, message string) {
	t.Helper()
	refusal, _ := errors.AsType[*jwt.Error](err)
	switch {
	case err != nil && refusal == nil:
		t.Errorf("error %v is no *jwt.Error", err)
	case err == nil && code != "":
		t.Errorf("no error, want %s: %s", code, message)
	case err != nil && (refusal.Code != code || message != "" && refusal.Message != message):
		t.Errorf("got  %s: %s\nwant %s: %s", refusal.Code, refusal.Message, code, message)
	}
}
