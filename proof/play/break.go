package main

var breakPage = section{"break", []row{
	{"without users the page says what to do", func(b *browser) {
		b.open("/break")
		b.sees("No user has a password yet.", "nothing is broken")
		b.click("Create a user")
		b.click("Create the user")
		b.sees("The user is in.")
		b.open("/break")
		b.look("break")
	}},
	{"Hasura is down: the user is in, the sync is parked", func(b *browser) {
		b.fill("Hasura is down", "on")
		b.click("Break this")
		b.click("Sign in")
		b.sees("The user is in.", `"message":"parked"`, "ParkedAlarm")
		b.click("Sign in")
		b.sees("open: for ten seconds after a failure")
		b.look("break-hasura-down")
		b.open("/users")
		b.sees("Broken by you: Hasura is down.")
		b.look("broken-elsewhere")
		b.click("Repair it")
		b.sees("Break this")
	}},
	{"repair and replay: the queue drains", func(b *browser) {
		b.click("Repair everything")
		b.sees("nothing is broken")
		b.click("Replay the parked syncs")
		b.sees("2 of 2 parked syncs left the queue", "columns changed.")
		b.look("break-replayed")
	}},
	{"the secret was rotated: the sync goes through", func(b *browser) {
		b.fill("The admin secret was rotated", "on")
		b.click("Break this")
		b.click("Sign in")
		b.sees("The user is in.", `"message":"secret refreshed"`, `"message":"synced"`)
	}},
	{"every other breakage: the user is in", func(b *browser) {
		for _, name := range []string{"Hasura is slow", "The admin secret is wrong", "Hasura redirects", "A column is missing", "Secrets Manager is down", "Hasura and SQS are down"} {
			b.fill(name, "on")
			b.click("Break this")
			b.click("Sign in")
			b.sees("The user is in.")
		}
		b.sees("UnsyncedAlarm")
		b.click("Repair everything")
		b.sees("nothing is broken")
	}},
}}
