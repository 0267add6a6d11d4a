package main

var usersPage = page{"users", []row{
	{"an empty pool says what to do first", func(b *browser) {
		b.open("/")
		b.sees("Start here: your first user")
		b.look("users-empty")
	}},
	{"a user signs up, confirms and signs in: token accepted, row there", func(b *browser) {
		b.fill("Groups", "editor")
		b.click("Create the user")
		b.sees("The user is in.", "Hasura accepts it", "The row is new.", "PostConfirmation_ConfirmSignUp", "TokenGeneration_Authentication")
		b.look("user-signed-in")
	}},
	{"the list shows the user", func(b *browser) {
		b.click("All users")
		b.sees("ada@example.com", "there")
		b.look("users")
	}},
}}

var tokensPage = page{"tokens", []row{
	{"without tokens the page says what to do", func(b *browser) {
		b.open("/tokens")
		b.sees("Nobody has tokens yet.")
		b.look("tokens-empty")
	}},
	{"raw, decoded, Hasura's claims and the verdict", func(b *browser) {
		b.click("Sign a user in")
		b.click("Create the user")
		b.click("Whole tokens, and queries with them")
		b.sees("Access token", "Hasura accepts it")
		b.look("tokens")
	}},
	{"a query with the token", func(b *browser) {
		b.click("Send the query")
		b.sees("Hasura's answer", "\"email\": \"ada@example.com\"")
		b.look("tokens-query")
	}},
}}
