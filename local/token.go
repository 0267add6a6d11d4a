package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// namespace is where the claims stand that Hasura reads.
const namespace = "https://hasura.io/jwt/claims"

// A token is one that the app would get, and what Hasura says to it.
type token struct {
	use     string // id or access
	claims  userpool.Claims
	hasura  *hasuraClaims // nil when it has none
	own     []stack.Row
	refused *stack.Refusal
}

// who is whom a token is for, and as what.
func (t token) who() string {
	if t.hasura == nil {
		return "no claims of Hasura's"
	}
	roles := []string{t.hasura.Default}
	for _, role := range t.hasura.Allowed {
		if role != t.hasura.Default {
			roles = append(roles, role)
		}
	}
	shown := strings.Join(roles, ", ")
	if len(roles) > 3 {
		shown = fmt.Sprintf("%s and %d more", roles[0], len(roles)-1)
	}
	return short(t.hasura.UserID) + "  " + shown
}

// verdict is Hasura's word on a token.
func (t token) verdict() string {
	switch {
	case t.refused != nil:
		return "refused: " + t.refused.Code
	case len(t.own) == 0:
		return "accepted, no row yet"
	case len(t.own) > 1 || t.own[0].Text("id") != t.claims["sub"]:
		return "accepted, READS OTHERS' ROWS"
	}
	return "accepted, reads own row"
}

// checkTokens has the pool make tokens of the answer and gives them to Hasura.
func (v *visit) checkTokens(ctx context.Context, e recorded, s *seen) {
	f := e.facts()
	claims, err := v.stack.Pool.Tokens(e.json, s.call.Payload, time.Now())
	if err != nil {
		s.fault("Cognito would say: %v", err)
		return
	}
	id, access, err := v.stack.Pool.Sign(claims)
	if err != nil {
		s.fault("%v", err)
		return
	}
	person := f.outcome() == "shaped"
	if claims.ID != nil {
		s.tokens = append(s.tokens, v.read(ctx, "id", claims.ID, id, s))
		v.checkToken(f, s.tokens[0], person, s)
	}
	t := v.read(ctx, "access", claims.Access, access, s)
	s.tokens = append(s.tokens, t)
	v.checkToken(f, t, person && f.access(), s)
}

func (v *visit) read(ctx context.Context, use string, claims userpool.Claims, signed string, s *seen) token {
	t := token{use: use, claims: claims}
	if text, ok := claims[namespace].(string); ok {
		if err := json.Unmarshal([]byte(text), &t.hasura); err != nil {
			s.fault("%s token: Hasura's claims are not JSON: %v", use, err)
		}
	} else if claims[namespace] != nil {
		s.fault("%s token: Hasura's claims are no string, as stringified_json wants", use)
	}
	var err error
	if t.own, err = v.stack.Own(ctx, signed); err != nil {
		var ok bool
		if t.refused, ok = errors.AsType[*stack.Refusal](err); !ok {
			s.fault("%s token: %v", use, err)
		}
	}
	return t
}

// checkToken compares a token with what the event promises.
func (v *visit) checkToken(f facts, t token, claims bool, s *seen) {
	if groups := f.Request.GroupConfiguration.GroupsToOverride; len(groups) > 0 && !reflect.DeepEqual(t.claims["cognito:groups"], groups) {
		s.fault("%s token: cognito:groups = %v, want %v", t.use, t.claims["cognito:groups"], groups)
	}
	if roles := f.Request.GroupConfiguration.IAMRolesToOverride; t.use == "id" && len(roles) > 0 && !reflect.DeepEqual(t.claims["cognito:roles"], roles) {
		s.fault("id token: cognito:roles = %v, want %v", t.claims["cognito:roles"], roles)
	}
	if !claims {
		if t.hasura != nil {
			s.fault("%s token: has Hasura's claims, want none", t.use)
		}
		if t.refused == nil || t.refused.Code != "jwt-invalid-claims" {
			s.fault("%s token: Hasura answered %v, want jwt-invalid-claims", t.use, t.refused)
		}
		return
	}
	if want := f.claims(); t.hasura == nil || !reflect.DeepEqual(*t.hasura, want) {
		s.fault("%s token: Hasura's claims = %+v, want %+v", t.use, t.hasura, want)
	}
	if t.refused != nil {
		s.fault("%s token: Hasura refused it: %v", t.use, t.refused)
		return
	}
	want := 0
	if v.rows[f.attribute("sub")] {
		want = 1
	}
	if len(t.own) != want || want == 1 && t.own[0].Text("id") != f.attribute("sub") {
		s.fault("%s token: Hasura showed %d rows, want %d, the person's own", t.use, len(t.own), want)
	}
}
