package jwt

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every hint must lead to a heading of the page.
func TestHintAnchors(t *testing.T) {
	page, err := os.ReadFile("../../../docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(string(page), -1) {
		kept := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(heading[1]), "")
		anchors = append(anchors, strings.ReplaceAll(kept, " ", "-"))
	}
	if fallback := hintFor(&Error{}); !slices.Contains(anchors, fallback.Anchor) {
		t.Errorf("docs/troubleshooting.md has no heading for #%s", fallback.Anchor)
	}
	for _, hint := range hints {
		if !slices.Contains(anchors, hint.Anchor) {
			t.Errorf("docs/troubleshooting.md has no heading for #%s", hint.Anchor)
		}
	}
}
