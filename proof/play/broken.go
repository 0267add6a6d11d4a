package main

// A check that cannot fail proves nothing. These rows break one thing each and expect the check to find it.
var brokenPage = section{"broken", []row{
	{"a field without a label", func(b *browser) {
		b.open("/users")
		b.expectFailure("axe-core finds:\nlabel", func() {
			eval[bool](b, `document.querySelector("main").append(document.createElement("input")) ?? true`)
			b.look("broken")
		})
	}},
	{"text that can hardly be read", func(b *browser) {
		b.open("/users")
		b.expectFailure("color-contrast", func() {
			eval[bool](b, `document.querySelector("h1").style.setProperty("color", "#888c") ?? true`)
			b.look("broken")
		})
	}},
	{"a page wider than a phone", func(b *browser) {
		b.open("/users")
		b.expectFailure("pixels wide, in a window of 360", func() {
			eval[bool](b, `document.querySelector("h1").style.setProperty("width", "400px") ?? true`)
			b.look("broken")
		})
	}},
	{"an error in the console", func(b *browser) {
		b.open("/users")
		if err := b.try(func(*browser) { eval[bool](b, `console.error("broken") ?? true`) }); err == nil {
			fail("an error in the console is not found")
		}
		b.errors = nil
	}},
}}
