package userpool_test

import (
	"encoding/json"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

func TestSign(t *testing.T) {
	p := pool(t)
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", "/us-east-1_ExaMPle01/.well-known/jwks.json", nil))
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(w.Body.Bytes(), &keys); err != nil || len(keys.Keys) != 2 {
		t.Fatalf("keys = %s, %v, want two", w.Body, err)
	}
	for _, key := range keys.Keys {
		if !key.IsPublic() || key.Algorithm != "RS256" || key.Use != "sig" {
			t.Errorf("key %s is public = %v, alg %q, use %q", key.KeyID, key.IsPublic(), key.Algorithm, key.Use)
		}
	}
	tokens, err := p.Tokens([]byte(v2), answered(t, v2, `{}`), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	id, access, err := p.Sign(tokens)
	if err != nil {
		t.Fatal(err)
	}
	used := make(map[string]bool)
	for text, claims := range map[string]userpool.Claims{id: tokens.ID, access: tokens.Access} {
		signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.RS256})
		if err != nil {
			t.Fatal(err)
		}
		kid := signed.Signatures[0].Header.KeyID
		used[kid] = true
		found := keys.Key(kid)
		if len(found) != 1 {
			t.Fatalf("no key %q is published", kid)
		}
		payload, err := signed.Verify(found[0])
		if err != nil {
			t.Fatalf("verify: %v", err)
		}
		want, _ := json.Marshal(claims)
		if diff := cmp.Diff(string(want), string(payload)); diff != "" {
			t.Errorf("payload (-want +got):\n%s", diff)
		}
	}
	if len(used) != 2 {
		t.Errorf("both tokens are signed with the same key")
	}
}

func TestSignForAMachine(t *testing.T) {
	p := pool(t)
	tokens, err := p.Tokens([]byte(machine), answered(t, machine, `{}`), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if id, access, err := p.Sign(tokens); id != "" || access == "" || err != nil {
		t.Errorf("Sign = %q, %q, %v, want only an access token", id, access, err)
	}
}

func TestServeHTTP(t *testing.T) {
	p := pool(t)
	rows := []struct {
		method, path string
		status       int
	}{
		{"GET", "/us-east-1_ExaMPle01/.well-known/jwks.json", 200},
		{"GET", "/us-east-1_Another09/.well-known/jwks.json", 404},
		{"GET", "/", 404},
		{"POST", "/us-east-1_ExaMPle01/.well-known/jwks.json", 404},
	}
	for _, row := range rows {
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest(row.method, row.path, nil))
		if w.Code != row.status {
			t.Errorf("%s %s = %d, want %d", row.method, row.path, w.Code, row.status)
		}
	}
	if _, err := userpool.New("nowhere"); err == nil {
		t.Error(`New("nowhere") succeeded`)
	}
}
