package main

var doctorPage = section{"doctor", []row{
	{"the page says that nothing leaves the machine", func(b *browser) {
		b.open("/doctor")
		b.sees("Nothing leaves this machine", "Nothing is stored or logged")
		b.look("doctor-empty")
	}},
	{"a good token: every check passes", func(b *browser) {
		b.click("A good token")
		b.sees("Hasura accepts the token in the role user", "x-hasura-user-id", "Header", "RS256", "Payload", `"token_use": "id"`)
		b.look("doctor-accepted")
	}},
	{"the rule that failed, and the hint", func(b *browser) {
		b.click("The wrong claims format")
		b.sees("Hasura refuses the token: jwt-invalid-claims", "What to do: Set claims_format to stringified_json", "docs/troubleshooting.md#expecting-a-json-object-when-claims_format-is-json")
		b.look("doctor-refused")
	}},
	{"without the key set, the signature is not checked", func(b *browser) {
		b.click("Without the key set")
		b.sees("not checked The signature is of a configured key.", "if its signature is right")
	}},
	{"a pasted token and configuration", func(b *browser) {
		b.fill("Token", "a.b.c.d.e")
		b.fill("HASURA_GRAPHQL_JWT_SECRET", `{"type":"HS256","key":"00000000000000000000000000000000"}`)
		b.click("Judge the token")
		b.sees("Expected 3 parts; got 5", "A refresh token has five parts.")
		b.sees("not reached The signature is of a configured key.")
	}},
}}
