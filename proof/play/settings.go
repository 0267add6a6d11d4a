package main

var settingsPage = section{"settings", []row{
	{"every setting has a description, an example and its default", func(b *browser) {
		b.open("/settings")
		b.sees("ROLES", "Which group gives which role", "Example: admins=admin,staff=editor", "Default: each group gives the role of its name",
			"SYNC_BUDGET", "a time from 500ms to 4.5s", "RECONCILE_MAX_GONE", "GRAPHQL_CA")
		b.look("settings")
	}},
	{"while typing, the field has the message of the parser", func(b *browser) {
		b.fill("ROLES", "admins")
		b.sees(`"admins" has no equals sign. Write group=role.`, "One setting is wrong: ROLES.")
		b.fill("SYNC_BUDGET", "1m")
		b.sees(`"1m" is not a time from 500ms to 4.5s.`, "These settings are wrong: ROLES, SYNC_BUDGET.")
		b.until("mark the field", `document.getElementById("SYNC_BUDGET").getAttribute("aria-invalid") === "true"`)
		b.look("settings-wrong")
	}},
	{"a wrong setting is not applied", func(b *browser) {
		b.allow("422")
		b.click("Apply")
		b.sees(`"admins" has no equals sign. Write group=role.`, "These settings are wrong: ROLES, SYNC_BUDGET.")
		b.lacks("The functions run with these settings")
	}},
	{"the message goes when the value is right", func(b *browser) {
		b.fill("SYNC_BUDGET", "")
		b.fill("ROLES", "admins=boss")
		b.until("see no message", `document.getElementById("faults").textContent === ""`)
		b.until("not mark the field", `document.getElementById("SYNC_BUDGET").getAttribute("aria-invalid") === "false"`)
	}},
	{"without scripts, the form shows the messages too", func(b *browser) {
		b.scripts(false)
		b.allow("422")
		b.open("/settings")
		b.scripts(true) // the page is loaded without them
		b.fill("CLAIMS_FORMAT", "xml")
		b.click("Apply")
		b.sees(`"xml" is neither stringified_json nor json.`)
	}},
	{"what changed in the tokens and in the row of the last user", func(b *browser) {
		b.open("/users")
		b.fill("E-mail address", "ada@example.com")
		b.fill("Groups", "admins editor")
		b.click("Create the user")
		b.sees("The user is in.")
		b.open("/settings")
		b.fill("ROLES", "admins=boss")
		b.fill("CLAIMS_FORMAT", "json")
		b.fill("CLAIMS_NAMESPACE", "hasura")
		b.fill("SESSION_VARIABLES", "x-hasura-email=email")
		b.fill("GRAPHQL_DOMAIN", "hasura.acme.internal")
		b.click("Apply")
		b.sees("The functions run with these settings", "ada@example.com signs in with these settings.", "claims format stringified_json json",
			"claims namespace https://hasura.io/jwt/claims hasura", `x-hasura-allowed-roles ["user","admins","editor"] ["user","boss"]`,
			`x-hasura-email none "ada@example.com"`, "Hasura accepts it", "The row in Hasura", "synced_at changed")
		b.lacks("Hasura refuses it")
		b.look("settings-applied")
	}},
	{"the settings as files of the SAM CLI and of Terraform", func(b *browser) {
		b.click("samconfig.toml")
		b.click("hasura_cognito.tf")
		b.click("env.json")
		b.look("settings-files")
		for _, text := range []string{"'Roles=admins=boss'", "'GraphqlDomain=hasura.acme.internal'", `roles             = "admins=boss"`, `"ROLES": "admins=boss"`} {
			b.until("find "+text, "[...document.querySelectorAll('textarea[readonly]')].some(t => t.value.includes("+quote(text)+"))")
		}
	}},
	{"back to the defaults", func(b *browser) {
		b.click("Apply the defaults")
		b.sees("ROLES admins=boss none", `x-hasura-allowed-roles ["user","boss"] ["user","admins","editor"]`)
	}},
}}
