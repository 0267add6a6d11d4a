package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// A token is what the app gets, and Hasura's verdict on it.
type token struct {
	use     string // id or access
	claims  userpool.Claims
	hasura  map[string]any // Hasura's claims; nil if there are none
	verdict string

	documents string // which tenants' documents the owner sees in each role; empty for a token without tenants
}

// tokens signs the tokens, gives them to Hasura, and adds what they contain.
func (r runner) tokens(ctx context.Context, t userpool.Tokens, got facts) ([]token, error) {
	id, access, err := r.stack.Pool.Sign(t)
	if err != nil {
		return nil, err
	}
	var tokens []token
	if t.ID != nil { // a machine gets no ID token
		tokens = append(tokens, r.token(ctx, token{use: "id", claims: t.ID}, id, got))
	}
	return append(tokens, r.token(ctx, token{use: "access", claims: t.Access}, access, got)), nil
}

func (r runner) token(ctx context.Context, t token, signed string, got facts) token {
	use, claims := t.use, t.claims
	put := func(name, value string) { got[use+" token, "+name] = value }
	for _, name := range []string{"cognito:groups", "cognito:roles", "aud"} {
		if value, ok := claims[name]; ok && (name != "aud" || use == "access") {
			put(name, jsonText(value))
		}
	}
	if value := claims[r.chosen.namespace()]; value != nil {
		text, isText := value.(string)
		if !isText {
			text = jsonText(value)
		}
		put("claims_format", jsonText(map[bool]string{true: "stringified_json", false: "json"}[isText]))
		put("claims", text)
		if json.Unmarshal([]byte(text), &t.hasura) == nil {
			put("claims", jsonText(t.hasura)) // with its members in order
		}
	}
	rows, err := r.stack.Own(ctx, signed)
	if refused, ok := errors.AsType[*stack.Refusal](err); ok {
		t.verdict = "refused: " + refused.Code
	} else if err != nil {
		t.verdict = err.Error()
	} else {
		var seen []string
		for _, row := range rows {
			seen = append(seen, row.ID())
		}
		t.verdict = verdict(fmt.Sprint(t.hasura["x-hasura-user-id"]), seen)
	}
	put("Hasura", t.verdict)
	isRead := t.verdict != "refused: jwt-invalid-claims"
	if isRead && (t.hasura["x-hasura-tenant-ids"] != nil || t.hasura["x-hasura-client-id"] != nil) {
		t.documents = r.documents(ctx, t, signed)
		put("documents", t.documents)
	}
	return t
}

// documents queries the documents in each role of the token that has permissions on them.
func (r runner) documents(ctx context.Context, t token, signed string) string {
	var texts []string
	allowed, _ := t.hasura["x-hasura-allowed-roles"].([]any)
	for _, role := range allowed {
		if !slices.Contains(documentRoles, fmt.Sprint(role)) {
			continue
		}
		rows, err := r.stack.Documents(ctx, signed, fmt.Sprint(role))
		var seen []string
		for _, row := range rows {
			if tenant := row.Text("tenant_id"); !slices.Contains(seen, tenant) {
				seen = append(seen, tenant)
			}
		}
		slices.Sort(seen)
		text := strings.Join(seen, " ")
		if refused, ok := errors.AsType[*stack.Refusal](err); ok {
			text = "refused: " + refused.Code
		} else if err != nil {
			text = err.Error()
		}
		texts = append(texts, fmt.Sprintf("%v: %s", role, cmp.Or(text, "nothing")))
	}
	return strings.Join(texts, "; ")
}

func (c choice) namespace() string {
	if name := c["CLAIMS_NAMESPACE"]; name != "" {
		return name
	}
	return "https://hasura.io/jwt/claims"
}

// owner is the token's user, or a machine's app client, and the roles, the default role first.
func (t token) owner() (user, roles string) {
	if t.hasura == nil {
		return "", "no claims for Hasura"
	}
	first := fmt.Sprint(t.hasura["x-hasura-default-role"])
	roles = first
	allowed, _ := t.hasura["x-hasura-allowed-roles"].([]any)
	for _, role := range allowed {
		if role != first {
			roles += fmt.Sprintf(", %v", role)
		}
	}
	if len(allowed) > 3 {
		roles = fmt.Sprintf("%s and %d more", first, len(allowed)-1)
	}
	return cut(fmt.Sprint(cmp.Or(t.hasura["x-hasura-user-id"], t.hasura["x-hasura-client-id"])), 8), roles
}
