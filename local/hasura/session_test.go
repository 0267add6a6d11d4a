package hasura

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

const jwtKey = "01234567890123456789012345678901"

func token(t *testing.T, claims string) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: []byte(jwtKey)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign([]byte(`{"` + jwt.DefaultNamespace + `":` + claims + `}`))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

func TestAuthentication(t *testing.T) {
	const (
		query     = `{ __typename users { id } }`
		wrong     = "invalid x-hasura-admin-secret/x-hasura-access-key"
		adminSees = `{"data":{"__typename":"query_root","users":[{"id":"` + ada + `"},{"id":"` + grace + `"}]}}`
		adaSees   = `{"data":{"__typename":"query_root","users":[{"id":"` + ada + `"}]}}`
	)
	valid := token(t, `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-user-id":"`+ada+`"}`)
	numeric := token(t, `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user","x-hasura-user-id":1}`)
	tokens := Config{AdminSecret: secret, JWT: &jwt.Config{Type: "HS256", Key: jwtKey}}
	type header = map[string]string

	rows := []struct {
		name   string
		config Config
		header header
		status int
		want   string
	}{
		{"the right secret", Config{AdminSecret: secret}, header{secretHeader: secret}, 200, adminSees},
		{"a wrong secret", Config{AdminSecret: secret}, header{secretHeader: "x"}, 200, refusal(accessDenied, "", wrong)},
		{"an empty secret is a wrong one (AuthSpec)", tokens, header{secretHeader: "", "Authorization": valid}, 200, refusal(accessDenied, "", wrong)},
		{"a wrong secret with a valid token (AuthSpec)", tokens, header{secretHeader: "x", "Authorization": valid}, 200, refusal(accessDenied, "", wrong)},
		{"the right secret with an invalid token (AuthSpec)", tokens, header{secretHeader: secret, "Authorization": "Bearer x"}, 200, adminSees},
		{"no secret", Config{AdminSecret: secret}, nil, 200, refusal(accessDenied, "", "x-hasura-admin-secret/x-hasura-access-key required, but not found")},
		{"no secret is configured", Config{}, nil, 200, adminSees},
		{"no secret is configured, with a role", Config{}, header{roleHeader: "user", "x-hasura-user-id": ada}, 200, adaSees},

		{"a token", tokens, header{"Authorization": valid}, 200, adaSees},
		{"a token and another user's id in a header", tokens, header{"Authorization": valid, "x-hasura-user-id": grace}, 200, adaSees},
		{"a token and a role that is not allowed", tokens, header{"Authorization": valid, roleHeader: "admin"}, 200,
			refusal(accessDenied, "", "Your requested role is not in allowed roles")},
		{"a token with a number as claim (#5558)", tokens, header{"Authorization": numeric}, 200,
			refusal(jwt.InvalidClaims, "", "x-hasura-* claims: parsing Text failed, expected String, but encountered Number")},
		{"no token", tokens, nil, 200, refusal(jwt.InvalidHeaders, "", "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")},
		{"an invalid token", tokens, header{"Authorization": "Bearer x"}, 200,
			refusal(jwt.InvalidJWT, "", "Could not verify JWT: JWSError (CompactDecodeError Invalid number of parts: Expected 3 parts; got 1)")},
	}
	db := open(t, "")
	fill(t, local(serve(t, Config{Database: db, AdminSecret: secret}), db), []string{user(ada, ""), user(grace, "")})
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			row.config.Database = db
			header := http.Header{}
			for name, value := range row.header {
				header.Set(name, value)
			}
			status, got := post(t, serve(t, row.config), header, query, nil)
			if status != row.status || !sameJSON(got, row.want) {
				t.Errorf("%d %s\nwant %d %s", status, got, row.status, row.want)
			}
		})
	}
}

func TestATokenHasNoBackendOnlyPermissions(t *testing.T) {
	s := serve(t, Config{Database: open(t, ""), AdminSecret: secret, JWT: &jwt.Config{Type: "HS256", Key: jwtKey}})
	header := http.Header{}
	header.Set("Authorization", token(t, `{"x-hasura-allowed-roles":["cognito_sync"],"x-hasura-default-role":"cognito_sync","x-hasura-user-id":"`+ada+`"}`))
	header.Set(backendOnlyHeader, "true")
	_, got := post(t, s, header, upsert, json.RawMessage(variables(user(ada, ""), `["email"]`, noon)))
	if want := refusal(validationFailed, "", "no mutations exist"); !sameJSON(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func TestJWTModeNeedsAnAdminSecret(t *testing.T) {
	_, err := New(Config{Project: projectFS, Database: open(t, ""), JWT: &jwt.Config{}})
	if err == nil {
		t.Error("New accepts a JWT config without an admin secret")
	}
}
