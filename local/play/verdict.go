package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

// A verdict is what Hasura says about a token.
type verdict struct {
	Accepted bool
	NoAnswer bool   // Hasura could not be asked: nothing is known about the token
	Code     string // Hasura's, such as invalid-jwt
	Message  string
	Rule     string // what Hasura checks there
}

// rules say what Hasura checks, by the code of the refusal.
var rules = map[string]string{
	jwt.InvalidJWT:        "The token must be signed with a key of the pool, come from its issuer, be valid now, and be for an audience of Hasura.",
	jwt.InvalidClaims:     "The token must hold Hasura's claims in the claims namespace, in the claims format of Hasura's configuration.",
	jwt.MissingRoleClaims: "The claims must have x-hasura-allowed-roles and x-hasura-default-role.",
	jwt.AccessDenied:      "The requested role must be one of x-hasura-allowed-roles.",
	jwt.InvalidHeaders:    "The request needs the header Authorization: Bearer and the token.",
}

// judge asks Hasura for its verdict, in the token's default role.
func (a *app) judge(ctx context.Context, t token) verdict {
	answer, err := a.ask(ctx, t.Raw, "", "query verdict { __typename }")
	if err != nil {
		return verdict{NoAnswer: true, Message: err.Error(), Rule: "Hasura must be reachable."}
	}
	var refusal struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(answer, &refusal); err != nil {
		return verdict{NoAnswer: true, Message: "The answer is not JSON, so it is not Hasura's", Rule: "Hasura must answer."}
	}
	// Hasura looks at the query only after it has accepted the token.
	if len(refusal.Errors) == 0 || refusal.Errors[0].Extensions.Code == "validation-failed" {
		return verdict{Accepted: true}
	}
	e := refusal.Errors[0]
	v := verdict{Code: e.Extensions.Code, Message: e.Message, Rule: rules[e.Extensions.Code]}
	switch {
	case t.Namespace() != "":
	case t.claims["sub"] == t.claims["client_id"]:
		v.Rule += " A machine gets claims only with trigger version V3_0 and the setting MACHINE_ROLES."
	case t.Use == "access":
		v.Rule += " With trigger version V1_0, Cognito puts claims only into the ID token: send that one to Hasura."
	}
	return v
}

// direct follows no redirect: the token stays on this machine.
var direct = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// ask sends a query to Hasura with a token, in a role. An empty role is the token's default role.
func (a *app) ask(ctx context.Context, token, role, query string) ([]byte, error) {
	body, err := json.Marshal(map[string]string{"query": query})
	if err != nil {
		return nil, err
	}
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, a.stack.Hasura.URL+"/v1/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	post.Header.Set("Content-Type", "application/json")
	post.Header.Set("Authorization", "Bearer "+token)
	if role != "" {
		post.Header.Set("X-Hasura-Role", role)
	}
	response, err := direct.Do(post)
	if err != nil {
		return nil, errors.New("Hasura does not answer")
	}
	defer response.Body.Close()
	if response.StatusCode/100 == 3 {
		return nil, errors.New("Hasura does not answer: its address redirects")
	}
	return io.ReadAll(io.LimitReader(response.Body, 1<<20))
}

// A judged token is one with Hasura's verdict.
type judged struct {
	token
	Verdict verdict
}

func (a *app) judgeAll(ctx context.Context, s *signed) (list []judged) {
	if s == nil {
		return nil
	}
	for _, t := range s.List {
		list = append(list, judged{t, a.judge(ctx, t)})
	}
	return list
}
