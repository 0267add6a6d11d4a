package jwt_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
)

// TestTokens sends the tokens of both tables to a Hasura over HTTP. A Hasura has one JWT
// configuration; testdata/secrets.jsonl has each that the rows need. HASURA_URL can name
// another Hasura, such as the real one that make e2e-hasura starts. HASURA_JWT_SECRET is
// its line.
func TestTokens(t *testing.T) {
	if url := os.Getenv("HASURA_URL"); url != "" {
		t.Run("the Hasura at HASURA_URL", func(t *testing.T) { sendAll(t, url, os.Getenv("HASURA_JWT_SECRET")) })
		return
	}
	sent := 0
	for _, secret := range secrets(t) {
		sent += sendAll(t, serve(t, secret), secret)
	}
	if want := len(tokenRows) + len(claimsRows); sent != want {
		t.Errorf("testdata/secrets.jsonl has lines for %d rows, want one for each of %d", sent, want)
	}
}

func secrets(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("testdata/secrets.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// serve starts the local Hasura with a HASURA_GRAPHQL_JWT_SECRET.
func serve(t *testing.T, secret string) (url string) {
	t.Helper()
	project := os.DirFS("../testdata/project")
	db, err := hasura.Open(t.Context(), project, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	config := parse(t, secret)
	server, err := hasura.New(hasura.Config{Project: project, Database: db, AdminSecret: "the admin secret", JWT: &config})
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(server)
	t.Cleanup(s.Close)
	return s.URL
}

func parse(t *testing.T, secret string) (c jwt.Config) {
	t.Helper()
	if err := json.Unmarshal([]byte(secret), &c); err != nil {
		t.Fatalf("HASURA_GRAPHQL_JWT_SECRET %s: %v", secret, err)
	}
	return c
}

// sendAll sends the rows for a configuration and counts them.
func sendAll(t *testing.T, url, secret string) (sent int) {
	t.Helper()
	config := parse(t, secret)
	hmac := func(key string) jose.SigningKey { return jose.SigningKey{Algorithm: jose.HS256, Key: []byte(key)} }
	s := signer{t, hmac(config.Key), hmac(strings.Repeat("another ", 4))}
	for _, row := range tokenRows {
		if same(t, row.config, config) {
			sent++
			t.Run(row.name, func(t *testing.T) {
				checkError(t, send(t, url, row.request(s)), row.code, row.message)
			})
		}
	}
	for _, row := range claimsRows {
		if same(t, jwt.Config{Format: row.format}, config) {
			sent++
			t.Run(row.name, func(t *testing.T) {
				header := bearer(s.sign(s.key, claims{jwt.DefaultNamespace: json.RawMessage(row.claims)}))
				if row.role != "" {
					header.Set("X-Hasura-Role", row.role)
				}
				checkError(t, send(t, url, header), row.code, row.message)
			})
		}
	}
	return sent
}

// same compares configurations without keys.
func same(t *testing.T, row, config jwt.Config) bool {
	t.Helper()
	config.Type, config.Key = "", ""
	a, err := json.Marshal(row)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return string(a) == string(b)
}

// send asks for what every role may read. It returns Hasura's error.
func send(t *testing.T, url string, header http.Header) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/v1/graphql", strings.NewReader(`{"query":"{ __typename }"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Data   map[string]string
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatalf("the response is not JSON: %v", err)
	}
	if len(answer.Errors) > 0 {
		return &jwt.Error{Code: answer.Errors[0].Extensions.Code, Message: answer.Errors[0].Message}
	}
	if answer.Data["__typename"] != "query_root" {
		t.Errorf("response %v, want query_root", answer.Data)
	}
	return nil
}
