package main

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// short is the beginning of an id, enough to know who it is.
func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

// fit pads or cuts text to a number of characters.
func fit(text string, width int) string {
	text = plain(text)
	n := utf8.RuneCountInString(text)
	if n > width {
		return string([]rune(text)[:width-1]) + "…"
	}
	return text + strings.Repeat(" ", width-n)
}

// plain replaces what could move the cursor or turn the writing round.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '·'
	}, text)
}
