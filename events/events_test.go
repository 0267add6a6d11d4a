// Package events_test checks the recorded events and their README. Other tests use the
// events: they read every file of the folder.
package events_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func read(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("*.json")
	parked, _ := filepath.Glob("sqs/*.json")
	names = append(names, parked...)
	if err != nil || len(names) == 0 {
		t.Fatalf("found %d events, error %v", len(names), err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// A file is indented as json.Indent does, and characters that do not print are escaped. So
// a reader sees every character.
func TestEventsAreReadable(t *testing.T) {
	for name, file := range read(t) {
		var indented bytes.Buffer
		if err := json.Indent(&indented, bytes.TrimSpace(file), "", "  "); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		indented.WriteByte('\n')
		if !bytes.Equal(file, indented.Bytes()) {
			t.Errorf("%s is not indented by two spaces with a newline at its end", name)
		}
		for _, r := range string(file) {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Errorf("%s: %U is not escaped", name, r)
			}
		}
	}
}

// The folder is public. An event that is added must not have a real user's data.
func TestEventsHaveNoRealData(t *testing.T) {
	for _, rule := range []struct{ what, find, allow string }{
		{"address", `[^\s"]+@[\w.-]+`, `@example\.com$`},
		{"phone number", `"\+\d+"`, `^"\+120655501\d\d"$`},
		{"account", `arn:aws:[^"]+`, `:123456789012:`},
		{"host", `https?://[\w.-]+`, `[/.]example\.com$`},
		{"pool", `_[A-Za-z0-9]{9}\b"`, `^_ExaMPle01"$`},
	} {
		find, allow := regexp.MustCompile(rule.find), regexp.MustCompile(rule.allow)
		for name, file := range read(t) {
			for _, found := range find.FindAllString(string(file), -1) {
				if !allow.MatchString(found) {
					t.Errorf("%s: %s %s is not one of the example values", name, rule.what, found)
				}
			}
		}
	}
}

func TestReadmeNamesEveryEvent(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files := read(t)
	var named []string
	for _, match := range regexp.MustCompile("`([\\w/-]+\\.json)`").FindAllStringSubmatch(string(readme), -1) {
		named = append(named, match[1])
	}
	for name := range files {
		if !slices.Contains(named, name) {
			t.Errorf("README.md does not list %s", name)
		}
	}
	for _, name := range named {
		if files[name] == nil {
			t.Errorf("README.md lists %s, which does not exist", name)
		}
	}
}

// There is an event of every trigger source, in every version in which Cognito sends it.
// The name of a file begins with its trigger.
func TestEventsCoverEverySource(t *testing.T) {
	seen := map[string]bool{}
	prefixes := map[string]string{
		"TokenGeneration":    "pre-token-generation-",
		"PostConfirmation":   "post-confirmation-",
		"PostAuthentication": "post-authentication",
	}
	for name, file := range read(t) {
		var event struct{ Version, TriggerSource string }
		if err := json.Unmarshal(file, &event); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		seen[event.Version+" "+event.TriggerSource] = true
		trigger, _, _ := strings.Cut(event.TriggerSource, "_")
		if prefix, ok := prefixes[trigger]; ok && !strings.HasPrefix(name, prefix) {
			t.Errorf("%s holds a %s event", name, event.TriggerSource)
		}
	}
	want := []string{
		"1 PostConfirmation_ConfirmSignUp",
		"1 PostConfirmation_ConfirmForgotPassword",
		"1 PostAuthentication_Authentication",
		"3 TokenGeneration_ClientCredentials",
	}
	for _, version := range []string{"1", "2", "3"} {
		for _, source := range []string{"Authentication", "HostedAuth", "RefreshTokens", "NewPasswordChallenge", "AuthenticateDevice"} {
			want = append(want, version+" TokenGeneration_"+source)
		}
	}
	for _, event := range want {
		if !seen[event] {
			t.Errorf("no event of version and source %s", event)
		}
	}
}
