package jwt_test

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

const notInAllowed = "Your requested role is not in allowed roles"

// A claimsRow is a token's Hasura claims and Hasura's response. The sources are files of
// hasura/graphql-engine: test_jwt is server/tests-py/test_jwt.py, AuthSpec is
// server/src-test/Hasura/Server/AuthSpec.hs. # means an issue.
type claimsRow struct {
	name    string
	source  string
	format  string
	claims  string
	role    string // the header x-hasura-role
	want    string // the session's role
	code    string
	message string // empty means not checked
}

var claimsRows = []claimsRow{
	{name: "valid claims", source: "test_jwt_valid_claims_success",
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
	{name: "an empty list of allowed roles", source: "AuthSpec: always rejects when token has empty allowedRolesClaim",
		claims: `{"x-hasura-allowed-roles":[],"x-hasura-default-role":"user"}`, code: "access-denied", message: notInAllowed},
	{name: "no claims at all", source: "AuthSpec", claims: `{}`, code: "jwt-missing-role-claims"},
	{name: "the default role is not among the allowed", source: "JWT.hs, order of checks",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"admin"}`, code: "access-denied", message: notInAllowed},
	{name: "the header names an allowed role, the default role is not allowed", source: "JWT.hs, order of checks", role: "user",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"admin"}`, want: "user"},
	{name: "an empty role in the list", source: "JWT.hs, role names", code: "jwt-invalid-claims",
		claims: `{"x-hasura-allowed-roles":["user",""],"x-hasura-default-role":"user"}`},
	{name: "a number in the list", source: "JWT.hs, role names",
		claims: `{"x-hasura-allowed-roles":["user",1],"x-hasura-default-role":"user"}`, code: "jwt-invalid-claims",
		message: "invalid x-hasura-allowed-roles; should be a list of roles: parsing String failed, expected String, but encountered Number"},
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
	{name: "names in capitals", source: "JWT.hs, session variables",
		claims: `{"X-Hasura-Allowed-Roles":["user"],"X-Hasura-Default-Role":"user"}`, want: "user"},
	{name: "other claims are ignored", source: "JWT.hs, session variables",
		claims: `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","tenant":7}`, want: "user"},
	{name: "a claim x-hasura-role has no effect", source: "Session.hs",
		claims: `{"x-hasura-allowed-roles":["user","admin"],"x-hasura-default-role":"user","x-hasura-role":"admin"}`, want: "user"},
	{name: "a string with format json", source: "#1176", claims: `"{}"`,
		code: "jwt-invalid-claims", message: "expecting a json object when claims_format is json"},
	{name: "null with format json", source: "#1176", claims: `null`,
		code: "jwt-invalid-claims", message: "expecting a json object when claims_format is json"},
	{name: "JSON in a string", source: "PR #1538", format: jwt.FormatStringJSON,
		claims: `"{\"x-hasura-allowed-roles\":[\"user\"],\"x-hasura-default-role\":\"user\"}"`, want: "user"},
	{name: "an object with format stringified_json", source: "PR #1538", format: jwt.FormatStringJSON, claims: `{}`,
		code: "jwt-invalid-claims", message: "expecting a string when claims_format is stringified_json"},
	{name: "a string without an object", source: "PR #1538", format: jwt.FormatStringJSON, claims: `"[1]"`,
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
		"X-Hasura-User-Id": "1", "x-hasura-admin-secret": "s", "x-hasura-org-id": "", "x-hasura-role": "admin", "tenant": 7,
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
		t.Errorf("error %v is not a *jwt.Error", err)
	case err == nil && code != "":
		t.Errorf("no error, want %s: %s", code, message)
	case err != nil && (refusal.Code != code || message != "" && refusal.Message != message):
		t.Errorf("got  %s: %s\nwant %s: %s", refusal.Code, refusal.Message, code, message)
	}
}
