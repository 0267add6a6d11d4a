package main

import (
	"strings"

	"github.com/chromedp/chromedp/kb"
)

var usersPage = section{"users", []row{
	{"an empty pool says what to do first", func(b *browser) {
		b.open("/")
		b.sees("Start here: your first user")
		b.look("users-empty")
	}},
	{"a new user: my groups in the token, token accepted, row there", func(b *browser) {
		b.fill("E-mail address", "ada@example.com")
		b.fill("Groups", "editor team-a")
		b.click("Create the user")
		b.sees("The user is in.", `["user","editor","team-a"]`, "Hasura accepts it", "The row is new.")
		b.sees("PostConfirmation_ConfirmSignUp", "PostAuthentication_Authentication", "TokenGeneration_Authentication")
		b.look("user-signed-in")
		b.picturePart("#action", 900)
	}},
	{"a timeline: event, function, response, log line, time", func(b *browser) {
		b.sees("claims function", "What the function added to the event:", `"message":"shaped"`, " ms")
		b.click("Event, to save or copy")
		b.sees("post-confirmation-sign-up-ada.json")
	}},
	{"save: the event as a file, and the text to copy", func(b *browser) {
		file := eval[string](b, `(async () => { const a = document.querySelector("main a[download]");
			const r = await fetch(a.href); return r.headers.get("Content-Disposition") + "\n" + await r.text(); })()`)
		if !strings.Contains(file, `filename="post-confirmation-sign-up-ada.json"`) || !strings.Contains(file, `"triggerSource": "PostConfirmation_ConfirmSignUp"`) {
			fail("the file is %s", file)
		}
		b.click("Copy the event")
		b.sees("Copied")
	}},
	{"the list shows the user", func(b *browser) {
		b.click("All users")
		b.sees("ada@example.com", "editor, team-a", "there")
		b.look("users")
	}},
	{"edit: attributes, groups, tenant, status", func(b *browser) {
		b.click("ada@example.com")
		b.click("Edit the user in the pool")
		b.fill("Name", "Ada Lovelace")
		b.fill("Groups", "owner")
		b.fill("Tenant attribute", "acme")
		b.click("Save the user")
		b.sees("Saved.")
		b.look("user-edited")
	}},
	{"refresh: the new groups are in the token, the row is as it was", func(b *browser) {
		b.click("Refresh")
		b.sees("ada@example.com refreshes the tokens", "TokenGeneration_RefreshTokens", `"owner"`, "The row is as it was.")
	}},
	{"sign in: the changed columns are marked", func(b *browser) {
		b.click("Sign in")
		b.sees("ada@example.com signs in", "name changed", "Ada Lovelace", "attributes changed", "columns changed.")
	}},
	{"clientMetadata reaches the event", func(b *browser) {
		b.fill("clientMetadata", "tenant_id=acme")
		b.click("Refresh")
		b.sees("ada@example.com refreshes the tokens")
		b.until("clientMetadata in an event", `[...document.querySelectorAll("textarea[readonly]")].some((e) => e.value.includes('"tenant_id": "acme"'))`)
	}},
	{"trigger versions V1_0 and V3_0", func(b *browser) {
		b.fill("Trigger version", "V1_0")
		b.click("Sign in")
		b.sees("trigger version V1_0", "Hasura refuses it: jwt-invalid-claims", "With trigger version V1_0, Cognito puts claims only into the ID token")
		b.look("user-v1")
		b.fill("Trigger version", "V3_0")
		b.click("Sign in")
		b.sees("trigger version V3_0", "Hasura accepts it")
		b.lacks("Hasura refuses it")
	}},
	{"forgot password", func(b *browser) {
		b.click("Forgot password")
		b.sees("Cognito has set the new password.", "PostConfirmation_ConfirmForgotPassword")
	}},
	{"a disabled user: Cognito's error", func(b *browser) {
		b.click("Edit the user in the pool")
		b.fill("The user is enabled", "")
		b.click("Save the user")
		b.sees("Saved.", "disabled")
		b.click("Sign in")
		b.sees("Cognito refuses.", "NotAuthorizedException: User is disabled.")
		b.look("user-refused")
	}},
	{"sign up, then confirm", func(b *browser) {
		create(b, "bea@example.com", "signs up, no more")
		b.sees("Cognito has sent a confirmation code.", "UNCONFIRMED", "There is no row yet.")
		b.click("Sign in")
		b.sees("UserNotConfirmedException: User is not confirmed.")
		b.click("Confirm")
		b.sees("Cognito has confirmed the user.", "The row is new.")
	}},
	{"created by an administrator: the first sign-in writes the row", func(b *browser) {
		create(b, "cy@example.com", "is created by an administrator")
		b.sees("Cognito has sent an invitation", "FORCE_CHANGE_PASSWORD")
		b.click("Sign in")
		b.sees("TokenGeneration_NewPasswordChallenge", "The row is new.")
	}},
	{"federated first sign-in, and the next one", func(b *browser) {
		create(b, "gina@example.com", "signs in with Google")
		b.sees("PostConfirmation_ConfirmSignUp", "TokenGeneration_HostedAuth", "EXTERNAL_PROVIDER")
		b.lacks("PostAuthentication_Authentication")
		b.click("Sign in")
		b.sees("PostAuthentication_Authentication", "TokenGeneration_HostedAuth")
	}},
	{"machine token", func(b *browser) {
		b.open("/users")
		b.click("Get a machine token")
		b.sees("A machine gets a token", "TokenGeneration_ClientCredentials", "A machine has no row.")
		b.look("machine")
	}},
	{"delete", func(b *browser) {
		b.open("/users")
		b.click("bea@example.com")
		b.click("Edit the user in the pool")
		b.click("Delete the user")
		b.sees("such as those of deleted users: 1.")
		b.lacks("bea@example.com")
		b.look("users-many")
	}},
	{"an address that does not exist", func(b *browser) {
		b.allow("404")
		b.open("/nowhere")
		b.sees("That did not work", "There is no page at this address.")
		b.look("error")
	}},
	{"by keyboard alone: skip link, form, button", func(b *browser) {
		b.open("/users")
		b.press(kb.Tab)
		if text := eval[string](b, "document.activeElement.innerText"); text != "Skip to content" {
			fail("the first tab stop is %q", text)
		}
		b.press(kb.Enter)
		for range 30 {
			if eval[string](b, "document.activeElement.id") == "email" {
				break
			}
			b.press(kb.Tab)
		}
		if outline := eval[string](b, "getComputedStyle(document.activeElement).outlineStyle"); outline != "solid" {
			fail("the focus is not visible: outline-style is %s", outline)
		}
		b.press("kim@example.com" + kb.Enter)
		b.sees("kim@example.com signs up and signs in", "The user is in.")
	}},
	{"without JavaScript", func(b *browser) {
		b.scripts(false)
		defer b.scripts(true)
		create(b, "lou@example.com", "signs up and signs in")
		b.sees("lou@example.com signs up and signs in", "The user is in.")
		b.lacks("Copy the event")
	}},
}}

// create fills the form of a new user.
func create(b *browser, email, how string) {
	b.open("/users")
	b.fill("E-mail address", email)
	b.fill("The user", how)
	b.click("Create the user")
}
