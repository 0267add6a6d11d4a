package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// namespace is where the claims stand that Hasura reads.
const namespace = "https://hasura.io/jwt/claims"

// tokens are what an app gets.
type tokens struct{ id, access, refresh string }

// A person is whom tokens are for, and what they are to say.
type person struct {
	sub, email string
	roles      []string // allowed by the claims, the default first
	groups     []string // of Cognito
	row        bool     // there is a row already
}

// judge decodes both tokens and gives them to Hasura. complex says that the trigger's
// version lets it put claims into the access token.
func judge(ctx context.Context, g *graphQL, t tokens, p person, complex bool) error {
	if err := judgeToken(ctx, g, t.id, p, true); err != nil {
		return fmt.Errorf("id token: %w", err)
	}
	if err := judgeToken(ctx, g, t.access, p, complex); err != nil {
		return fmt.Errorf("access token: %w", err)
	}
	return nil
}

func judgeToken(ctx context.Context, g *graphQL, token string, p person, claims bool) error {
	payload, err := decode(token)
	if err != nil {
		return err
	}
	if payload.Sub != p.sub {
		return fmt.Errorf("it is for %s, want %s", payload.Sub, p.sub)
	}
	if !slices.Equal(payload.Groups, p.groups) {
		return fmt.Errorf("cognito:groups = %q, want %q", payload.Groups, p.groups)
	}
	rows, err := stack.Own(ctx, g.url, token)
	refusal, refused := errors.AsType[*stack.Refusal](err)
	switch {
	case err != nil && !refused:
		return err
	case !claims && (!refused || refusal.Code != "jwt-invalid-claims" || payload.Hasura != nil):
		return fmt.Errorf("it has claims of Hasura's, which this version of the trigger cannot give it; Hasura answered %v", err)
	case !claims:
		return nil
	case refused:
		return fmt.Errorf("refused by Hasura: %w", refusal)
	}
	want := 0
	if p.row {
		want = 1
	}
	if len(rows) != want || want == 1 && rows[0].Text("id") != p.sub {
		return fmt.Errorf("rows that Hasura showed: %d, want %d, the person's own", len(rows), want)
	}
	return payload.roles(p)
}

// A payload is what is read of a token. Its signature is for Hasura to check.
type payload struct {
	Sub    string          `json:"sub"`
	Groups []string        `json:"cognito:groups"`
	Hasura json.RawMessage `json:"https://hasura.io/jwt/claims"`
}

func decode(token string) (payload, error) {
	var p payload
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return p, errors.New("it is no JWT")
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return p, errors.New("its payload is not base64url")
	}
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("its payload is not as expected: %w", err)
	}
	return p, nil
}

// roles compares what the claims say with what they are to say.
func (p payload) roles(want person) error {
	var text string
	if err := json.Unmarshal(p.Hasura, &text); err != nil {
		return errors.New("the claims are no string, as stringified_json wants")
	}
	var claims struct {
		User    string   `json:"x-hasura-user-id"`
		Allowed []string `json:"x-hasura-allowed-roles"`
		Default string   `json:"x-hasura-default-role"`
	}
	if err := json.Unmarshal([]byte(text), &claims); err != nil {
		return fmt.Errorf("the claims are not JSON: %w", err)
	}
	if claims.User != want.sub || claims.Default != want.roles[0] || !slices.Equal(claims.Allowed, want.roles) {
		return fmt.Errorf("the claims are %s, want user %s, roles %q, the first by default", text, want.sub, want.roles)
	}
	return nil
}
