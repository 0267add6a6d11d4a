package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// signed has the tokens that an app got.
type signed struct {
	Subject string // the user's sub, or the machine's client id
	List    []token
	refresh string
}

// A token is an ID token or an access token.
type token struct {
	Use string // id or access
	Raw string

	claims map[string]any
}

// newSigned decodes the tokens. A refresh gives no new refresh token, so the old one stays.
func newSigned(subject string, t cognitoidp.Tokens, refresh string) *signed {
	s := &signed{Subject: subject, refresh: cmp.Or(t.Refresh, refresh)}
	for use, raw := range map[string]string{"id": t.ID, "access": t.Access} {
		if raw != "" { // a machine gets no ID token
			s.List = append(s.List, token{use, raw, payload(raw)})
		}
	}
	slices.SortFunc(s.List, func(a, b token) int { return strings.Compare(b.Use, a.Use) })
	return s
}

// payload decodes a token of the pool.
func payload(token string) (claims map[string]any) {
	if parts := strings.Split(token, "."); len(parts) == 3 {
		text, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err == nil {
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			_ = decoder.Decode(&claims) // the pool signs objects
		}
	}
	return claims
}

// Name is the token's in sentences.
func (t token) Name() string {
	return map[string]string{"id": "ID token", "access": "Access token"}[t.Use]
}

// Payload is the decoded token.
func (t token) Payload() string {
	text, err := json.Marshal(t.claims)
	if err != nil {
		return err.Error()
	}
	return indent(text)
}

// Namespace is the claim with Hasura's claims: the one that holds x-hasura-allowed-roles. It is empty if there is none.
func (t token) Namespace() string {
	for name := range t.claims {
		if t.hasura(name)["x-hasura-allowed-roles"] != nil {
			return name
		}
	}
	return ""
}

// hasura returns the members of a claim, which can be an object or a text that holds one.
func (t token) hasura(name string) (claims map[string]any) {
	text, isText := t.claims[name].(string)
	if !isText {
		encoded, err := json.Marshal(t.claims[name])
		if err != nil {
			return nil
		}
		text = string(encoded)
	}
	_ = json.Unmarshal([]byte(text), &claims) // another claim is not an object
	return claims
}

// A claim is one of Hasura's, with its value as JSON.
type claim struct{ Name, Value string }

// Hasura has what Hasura reads from the token, in the order of the names.
func (t token) Hasura() (list []claim) {
	claims := t.hasura(t.Namespace())
	for _, name := range slices.Sorted(maps.Keys(claims)) {
		value, err := json.Marshal(claims[name])
		if err != nil {
			value = []byte(err.Error())
		}
		list = append(list, claim{name, string(value)})
	}
	return list
}

// Stringified reports whether the claims are JSON in a text: claims_format is stringified_json.
func (t token) Stringified() bool {
	_, isText := t.claims[t.Namespace()].(string)
	return isText
}

// Roles are the allowed roles, the default role first.
func (t token) Roles() (roles []string) {
	claims := t.hasura(t.Namespace())
	list, _ := claims["x-hasura-allowed-roles"].([]any)
	for _, role := range list {
		if role == claims["x-hasura-default-role"] {
			roles = slices.Insert(roles, 0, fmt.Sprint(role))
		} else {
			roles = append(roles, fmt.Sprint(role))
		}
	}
	return roles
}

// A verdict is what Hasura says about a token.
type verdict struct {
	Accepted bool
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
		return verdict{Code: "no answer", Message: err.Error(), Rule: "Hasura must be reachable."}
	}
	var refusal struct {
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(answer, &refusal); err != nil {
		return verdict{Code: "no GraphQL", Message: "Hasura's answer is not JSON.", Rule: "Hasura must answer."}
	}
	if len(refusal.Errors) == 0 {
		return verdict{Accepted: true}
	}
	e := refusal.Errors[0]
	v := verdict{Code: e.Extensions.Code, Message: e.Message, Rule: rules[e.Extensions.Code]}
	if t.Use == "access" && t.Namespace() == "" {
		v.Rule = cmp.Or(v.Rule, "") + " With trigger version V1_0, Cognito puts claims into the ID token alone: send that one to Hasura."
	}
	return v
}

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
	response, err := http.DefaultClient.Do(post)
	if err != nil {
		return nil, errors.New("Hasura does not answer")
	}
	defer response.Body.Close()
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

// A subject is someone who has tokens.
type subject struct{ ID, Name string }

func (a *app) subjects() (list []subject) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, u := range slices.Backward(a.pool.Users.All()) {
		if a.tokens[u.Sub()] != nil {
			list = append(list, subject{u.Sub(), label(u)})
		}
	}
	if a.tokens[clientID] != nil {
		list = append(list, subject{clientID, "machine " + clientID})
	}
	return list
}

// tokensView is what templates/tokens.html shows.
type tokensView struct {
	Subjects []subject
	Subject  string // the chosen one
	Tokens   []judged
	Use      string // the token of the query
	Roles    []string
	Role     string
	Query    string
	Answer   string
}

func (a *app) tokensOf(ctx context.Context, id string) tokensView {
	v := tokensView{Subjects: a.subjects(), Use: "id"}
	if !slices.ContainsFunc(v.Subjects, func(s subject) bool { return s.ID == id }) {
		id = ""
		if len(v.Subjects) > 0 {
			id = v.Subjects[0].ID
		}
	}
	v.Subject = id
	a.mu.Lock()
	s := a.tokens[id]
	a.mu.Unlock()
	v.Tokens = a.judgeAll(ctx, s)
	for _, t := range v.Tokens {
		for _, role := range t.Roles() {
			if !slices.Contains(v.Roles, role) {
				v.Roles = append(v.Roles, role)
			}
		}
	}
	if len(v.Tokens) == 1 {
		v.Use = v.Tokens[0].Use
	}
	var columns []string
	for _, c := range users.Description.Columns[:min(5, len(users.Description.Columns))] {
		columns = append(columns, c.Name)
	}
	v.Query = fmt.Sprintf("query {\n  %s {\n    %s\n  }\n}", graphql.Users.Select, strings.Join(columns, "\n    "))
	return v
}

func (a *app) showTokens(w http.ResponseWriter, r *http.Request) error {
	return render(w, r, "tokens.html", "Tokens", a.tokensOf(r.Context(), r.FormValue("subject")))
}

// queryHasura sends the query of the form and shows the answer on the same page. A query changes nothing here that a reload
// could repeat without being asked for, so it needs no redirect.
func (a *app) queryHasura(w http.ResponseWriter, r *http.Request) error {
	v := a.tokensOf(r.Context(), r.FormValue("subject"))
	v.Use, v.Role, v.Query = r.FormValue("token"), r.FormValue("role"), r.FormValue("query")
	i := slices.IndexFunc(v.Tokens, func(t judged) bool { return t.Use == v.Use })
	if i < 0 {
		return problemf(http.StatusBadRequest, "This user has no such token. Sign the user in first.")
	}
	answer, err := a.ask(r.Context(), v.Tokens[i].Raw, v.Role, v.Query)
	if v.Answer = indent(answer); err != nil {
		v.Answer = err.Error()
	}
	return render(w, r, "tokens.html", "Tokens", v)
}
