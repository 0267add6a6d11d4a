package secrets

import (
	"strings"
	"testing"
)

const canary = "canary-77e1"

func TestParse(t *testing.T) {
	const noKey = "its JSON object has no key HASURA_GRAPHQL_ADMIN_SECRET or HASURA_ADMIN_SECRET or ADMIN_SECRET or HASURA_GRAPHQL_ADMIN_SECRETS"
	rows := []struct{ name, text, key, want, err string }{
		{"the name of Hasura's variable", `{"A":1,"HASURA_GRAPHQL_ADMIN_SECRET":"canary-77e1"}`, "", canary, ""},
		{"a shorter name", `{"HASURA_ADMIN_SECRET":"canary-77e1","DB":{"x":"y"}}`, "", canary, ""},
		{"the shortest name", `{"ADMIN_SECRET":"canary-77e1"}`, "", canary, ""},
		{"the names have an order", `{"ADMIN_SECRET":"other","HASURA_GRAPHQL_ADMIN_SECRET":"canary-77e1"}`, "", canary, ""},
		{"the last of two keys with one name counts", `{"ADMIN_SECRET":"other","ADMIN_SECRET":"canary-77e1"}`, "", canary, ""},
		{"SECRETS_KEY", `{"ADMIN_SECRET":"other","x":"canary-77e1"}`, "x", canary, ""},
		{"a byte order mark", "\ufeff" + `{"ADMIN_SECRET":"canary-77e1"}`, "", canary, ""},
		{"a byte order mark, with SECRETS_KEY", "\ufeff" + `{"x":"canary-77e1"}`, "x", canary, ""},
		{"a list of admin secrets", `{"HASURA_GRAPHQL_ADMIN_SECRETS":["canary-77e1","old"]}`, "", canary, ""},
		{"a list of admin secrets as text", `{"HASURA_GRAPHQL_ADMIN_SECRETS":"[\"canary-77e1\",\"old\"]"}`, "", canary, ""},

		{"plain text", canary, "", canary, ""},
		{"plain text with a byte order mark", "\ufeff" + canary, "", canary, ""},
		{"plain text with a line break at its end", canary + "\r\n", "", canary, ""},
		{"digits", "12345678", "", "12345678", ""},
		{"punctuation of Secrets Manager", `k3}"x=:Q'~z`, "", `k3}"x=:Q'~z`, ""},
		{"punctuation that begins like a JSON string", `"x=:Q'~z`, "", `"x=:Q'~z`, ""},
		{"base64 of text", "bXlhZG1pbnNlY3JldGtleQ==", "", "bXlhZG1pbnNlY3JldGtleQ==", ""},
		{"a passphrase in an object", `{"ADMIN_SECRET":"two words"}`, "", "two words", ""},
		{"punctuation that begins like XML", "<k3>x=:Q~z", "", "<k3>x=:Q~z", ""},
		{"base64", "c2VjcmV0c2VjcmV0c2U==", "", "c2VjcmV0c2VjcmV0c2U==", ""},

		{"no such key", `{"OTHER":"canary-77e1"}`, "", "", noKey},
		{"no such key, with SECRETS_KEY", `{"ADMIN_SECRET":"canary-77e1"}`, "x", "", "its JSON object has no key x"},
		{"an empty value", `{"ADMIN_SECRET":" "}`, "", "", "key ADMIN_SECRET is empty"},
		{"null", `{"ADMIN_SECRET":null}`, "", "", "key ADMIN_SECRET is empty"},
		{"a value that is not a string", `{"ADMIN_SECRET":{"x":"canary-77e1"}}`, "", "", "key ADMIN_SECRET is not a string"},
		{"a value that a header cannot carry", `{"ADMIN_SECRET":"canary-\n77e1"}`, "", "", "key ADMIN_SECRET has a control character"},
		{"a value that is JSON itself", `{"ADMIN_SECRET":"{\"x\":\"canary-77e1\"}"}`, "", "", "key ADMIN_SECRET holds JSON; expected the admin secret alone"},
		{"a value that is a JSON list", `{"x":" [\"canary-77e1\"]"}`, "x", "", "key x holds JSON; expected the admin secret alone"},
		{"an empty list", `{"HASURA_GRAPHQL_ADMIN_SECRETS":[]}`, "", "", "key HASURA_GRAPHQL_ADMIN_SECRETS is not a JSON list of admin secrets"},
		{"an empty secret", " ", "", "", "it is empty"},
		{"an empty secret with a byte order mark", " \ufeff ", "", "", "it is empty"},
		{"plain text with SECRETS_KEY", canary, "x", "", "it is not a JSON object, which SECRETS_KEY requires; expected one with the key x"},
		{"null with SECRETS_KEY", "null", "x", "", "it is not a JSON object, which SECRETS_KEY requires; expected one with the key x"},
	}
	for _, row := range rows {
		secret, err := parse(row.text, row.key)
		if secret.Reveal() != row.want {
			t.Errorf("%s: the wrong secret, of %d bytes", row.name, len(secret.Reveal()))
		}
		if (err == nil) != (row.err == "") || err != nil && err.Error() != row.err {
			t.Errorf("%s: error %v, want %q", row.name, err, row.err)
		}
	}
}

// A text of several values must never go to Hasura as a whole.
func TestParseRefusesFilesOfSecrets(t *testing.T) {
	for _, text := range []string{
		`{"ADMIN_SECRET":"canary-77e1"`,
		`["canary-77e1"]`,
		`"canary-77e1"`,
		`'{"ADMIN_SECRET":"canary-77e1"}'`,
		`"{\"ADMIN_SECRET\":\"canary-77e1\"}`,
		"`{canary-77e1}`",
		"HASURA_GRAPHQL_ADMIN_SECRET=canary-77e1",
		"HASURA_GRAPHQL_ADMIN_SECRET=canary-77e1\nDB_PASSWORD=canary-77e1",
		"DB_PASSWORD=canary-77e1",
		"export X=canary-77e1",
		"hasura: canary-77e1",
		"hasura:canary-77e1",
		"---\nADMIN_SECRET: canary-77e1",
		"two words-canary-77e1",
		"tab\tcanary-77e1",
		"postgres://user:canary-77e1@db/app",
		"x;ADMIN_SECRET;canary-77e1",
		"\ufeffDB_PASSWORD=canary-77e1",
		`"hasura":"canary-77e1","db":"canary-77e1"`,
		`'hasura':'canary-77e1'`,
		`"hasura"="canary-77e1"`,
		"eyJoYXN1cmEiOiJjYW5hcnktNzdlMSIsImRiIjoieCJ9",   // {"hasura":"canary-77e1","db":"x"}
		"eyJoYXN1cmEiOiJjYW5hcnktNzdlMSIsImRiIjoieHgifQ", // the same without padding
		"REJfUEFTU1dPUkQ9Y2FuYXJ5LTc3ZTEKWD0x",           // DB_PASSWORD=canary-77e1, and another line
		"<secrets><hasura>canary-77e1</hasura></secrets>",
		`<hasura secret="canary-77e1"/>`,
		"\ufeff\ufeff{\"hasura\":\"canary-77e1\"}",
		"\u200b{\"hasura\":\"canary-77e1\"}",
		"\u00a0hasura:\u00a0canary-77e1",
	} {
		secret, err := parse(text, "")
		if err == nil || !secret.IsZero() {
			t.Errorf("%q is taken for the admin secret", text)
		} else if !strings.Contains(err.Error(), "expected a JSON object with the key HASURA_GRAPHQL_ADMIN_SECRET") || strings.Contains(err.Error(), canary) {
			t.Errorf("%q: the error is %q", text, err)
		}
	}
}

// Whatever the text is, an error never quotes it, and what is sent is one line.
func FuzzParse(f *testing.F) {
	f.Add(`{"ADMIN_SECRET":"x"}`, "")
	f.Add("\ufeffx", "K")
	f.Fuzz(func(t *testing.T, text, key string) {
		secret, err := parse(text, key)
		if (err == nil) == secret.IsZero() {
			t.Fatalf("error %v, and a secret: %t", err, !secret.IsZero())
		}
		if strings.ContainsAny(secret.Reveal(), "\r\n\x00") {
			t.Fatal("a header cannot carry the secret")
		}
	})
}
