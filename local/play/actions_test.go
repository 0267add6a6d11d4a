package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

func TestDiff(t *testing.T) {
	rows := []struct{ name, a, b, want string }{
		{"equal", "a b", "a b", " a| b"},
		{"a line more", "a c", "a b c", " a|+b| c"},
		{"a line less", "a b c", "a c", " a|-b| c"},
		{"another line", "a b c", "a x c", " a|-b|+x| c"},
		{"nothing in common", "a", "b", "-a|+b"},
	}
	for _, row := range rows {
		var lines []string
		for _, l := range diff(strings.Fields(row.a), strings.Fields(row.b)) {
			lines = append(lines, map[string]string{"add": "+", "del": "-", "": " "}[l.Kind]+l.Text)
		}
		if got := strings.Join(lines, "|"); got != row.want {
			t.Errorf("%s: diff = %q, want %q", row.name, got, row.want)
		}
	}
}

// Far from what changed, lines are left out.
func TestStepDiff(t *testing.T) {
	var s step
	s.Event = []byte(`{"a":1,"b":2,"c":3,"d":4,"e":5,"response":{}}`)
	s.Call.Payload = []byte(`{"a":1,"b":2,"c":3,"d":4,"e":5,"response":{"x":1}}`)
	var got []string
	for _, l := range s.Diff() {
		got = append(got, l.Kind+":"+strings.TrimSpace(l.Text))
	}
	if want := `gap:… :"d": 4, :"e": 5, del:"response": {} add:"response": { add:"x": 1 add:} :}`; strings.Join(got, " ") != want {
		t.Errorf("diff = %s\nwant %s", strings.Join(got, " "), want)
	}
	if s.Call.Payload = s.Event; s.Diff() != nil {
		t.Errorf("diff of equal events = %v, want none", s.Diff())
	}
}

func TestFile(t *testing.T) {
	jane := cognitoidp.User{Attributes: map[string]string{"email": "jane.doe@example.com"}}
	gina := cognitoidp.User{Attributes: map[string]string{"email": "gina@example.com"}, Provider: "Google"}
	rows := []struct {
		source, version string
		who             cognitoidp.User
		want            string
	}{
		{"PostConfirmation_ConfirmSignUp", "1", jane, "post-confirmation-sign-up-jane-doe.json"},
		{"PostConfirmation_ConfirmForgotPassword", "1", jane, "post-confirmation-forgot-password-jane-doe.json"},
		{"PostConfirmation_ConfirmSignUp", "1", gina, "post-confirmation-federated-google-gina.json"},
		{"PostAuthentication_Authentication", "1", jane, "post-authentication-jane-doe.json"},
		{"PostAuthentication_Authentication", "1", gina, "post-authentication-federated-google-gina.json"},
		{"TokenGeneration_NewPasswordChallenge", "2", jane, "pre-token-generation-v2-new-password-challenge-jane-doe.json"},
		{"TokenGeneration_ClientCredentials", "3", cognitoidp.User{}, "pre-token-generation-v3-client-credentials-machine.json"},
	}
	for _, row := range rows {
		s := step{Source: row.source, Event: []byte(`{"version":"` + row.version + `"}`)}
		if got := s.File(row.who); got != row.want {
			t.Errorf("%s: file = %s, want %s", row.source, got, row.want)
		}
	}
}

// A saved event has the form of the files in events/.
func TestEventText(t *testing.T) {
	s := step{Event: []byte("{\"a\":\"\u00a0é\u202e\U000e0001\"}")}
	if got, want := s.EventText(), "{\n  \"a\": \"\\u00a0é\\u202e\\udb40\\udc01\"\n}\n"; got != want {
		t.Errorf("text = %q, want %q", got, want)
	}
}

func TestParsePairs(t *testing.T) {
	rows := []struct{ text, want, err string }{
		{"", "map[]", ""},
		{"a=1\r\n\r\n custom:b = 2=3\n", "map[a:1 custom:b: 2=3]", ""},
		{"a=", "map[a:]", ""},
		{"a", "map[]", `"a": not of the form name=value`},
		{"=a", "map[]", `"=a": not of the form name=value`},
	}
	for _, row := range rows {
		got, err := parsePairs(row.text)
		if fmt.Sprint(got) != row.want || (err == nil) != (row.err == "") || err != nil && err.Error() != row.err {
			t.Errorf("%q: %v, %v; want %s, %s", row.text, got, err, row.want, row.err)
		}
	}
}
