package main

import "strings"

var tokensPage = section{"tokens", []row{
	{"without tokens the page says what to do", func(b *browser) {
		b.open("/tokens")
		b.sees("Nobody has tokens yet.")
		b.look("tokens-empty")
	}},
	{"raw to copy, decoded, Hasura's claims set apart, verdict", func(b *browser) {
		b.click("Sign a user in")
		b.click("Create the user")
		b.click("See the whole tokens, and query Hasura with them")
		b.sees("ID token", "Access token", "Hasura accepts it", "x-hasura-allowed-roles")
		if raw := eval[string](b, `document.getElementById("raw-access").value`); strings.Count(raw, ".") != 2 || !strings.HasPrefix(raw, "eyJ") {
			fail("the raw access token is %q", raw)
		}
		b.click("All claims, decoded")
		b.sees(`"token_use": "id"`)
		b.look("tokens")
		b.click("Copy the ID token")
		b.sees("Copied")
	}},
	{"the rule that failed", func(b *browser) {
		b.open("/users")
		b.click("ada@example.com")
		b.fill("Trigger version", "V1_0")
		b.click("Sign in")
		b.click("See the whole tokens, and query Hasura with them")
		b.sees("Hasura refuses it: jwt-invalid-claims", "The rule that failed: The token must hold Hasura's claims")
		b.look("tokens-refused")
	}},
	{"a query as that user and role, with the user's own token", func(b *browser) {
		b.fill("Role", "editor")
		b.click("Send the query")
		b.sees("Hasura's answer", "field 'users' not found in type: 'query_root'")
		b.fill("Role", "user")
		b.click("Send the query")
		b.sees(`"email": "ada@example.com"`)
		b.look("tokens-query")
	}},
	{"a role that the token does not have", func(b *browser) {
		b.fill("Role", "admin, which Hasura must refuse")
		b.click("Send the query")
		b.sees("Your requested role is not in allowed roles")
	}},
}}
