package cognito

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// recorded returns the recorded events, by file name.
func recorded(t testing.TB) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob("../../events/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no events: %v", err)
	}
	events := make(map[string][]byte)
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		events[filepath.Base(path)] = data
	}
	return events
}

func TestRecordedEventsComeBackAsTheyArrived(t *testing.T) {
	for name, data := range recorded(t) {
		e, err := Parse(data)
		if err != nil {
			t.Errorf("Parse(%s): %v", name, err)
			continue
		}
		if got := e.Bytes(); !bytes.Equal(got, data) {
			t.Errorf("%s came back as\n%s\nwant\n%s", name, got, data)
		}
	}
}

func TestParse(t *testing.T) {
	full := `{"version":"2","triggerSource":"TokenGeneration_Authentication","userPoolId":"eu-west-1_a","userName":"jane",` +
		`"callerContext":{"clientId":"app"},"request":{"userAttributes":{"sub":"s","email":"jane@example.com","email_verified":"true"},` +
		`"groupConfiguration":{"groupsToOverride":["a","b"]}},"response":{}}`
	jane := User{ID: "s", Username: "jane", Attributes: map[string]string{"sub": "s", "email": "jane@example.com", "email_verified": "true"}}
	e, err := Parse([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	if e.Version != "2" || e.Trigger != "TokenGeneration_Authentication" || e.PoolID != "eu-west-1_a" || e.ClientID != "app" {
		t.Errorf("Parse(%s) = %+v", full, e)
	}
	if !reflect.DeepEqual(e.User, jane) {
		t.Errorf("User = %#v, want %#v", e.User.Attributes, jane.Attributes)
	}
	if got, want := e.Groups(), []string{"a", "b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Groups() = %q, want %q", got, want)
	}
}

func TestParseIsTolerant(t *testing.T) {
	rows := []struct {
		name, event string
		attributes  map[string]string
		groups      []string
	}{
		{"an empty object", `{}`, nil, nil},
		{"null for everything", `{"version":null,"userName":null,"callerContext":null,"request":null,"response":null}`, nil, nil},
		{"arrays for objects", `{"callerContext":[],"request":{"userAttributes":[],"groupConfiguration":[]}}`, nil, nil},
		{"a boolean attribute", `{"request":{"userAttributes":{"email_verified":true}}}`, map[string]string{"email_verified": "true"}, nil},
		{"a number for an attribute keeps its digits", `{"request":{"userAttributes":{"n":9223372036854775807}}}`, map[string]string{"n": "9223372036854775807"}, nil},
		{"null, an empty string, an array and an object are not values", `{"request":{"userAttributes":{"a":null,"b":"","c":[1],"d":{}}}}`, nil, nil},
		{"groups that are not strings are left out", `{"request":{"groupConfiguration":{"groupsToOverride":["a",null,["b"],"",{}]}}}`, nil, []string{"a"}},
		{"groups that are not a list", `{"request":{"groupConfiguration":{"groupsToOverride":"a"}}}`, nil, nil},
		{"the last of two members with one name counts", `{"request":{"userAttributes":{"sub":"s"},"groupConfiguration":{"groupsToOverride":["a"]}},"request":{"userAttributes":{"n":"1","n":"2"}}}`, map[string]string{"n": "2"}, nil},
		{"keys in another case are other keys", `{"Request":{"userAttributes":{"sub":"s"}},"request":{"UserAttributes":{"sub":"s"}}}`, nil, nil},
	}
	for _, row := range rows {
		e, err := Parse([]byte(row.event))
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		if len(e.User.Attributes) != len(row.attributes) || len(row.attributes) > 0 && !reflect.DeepEqual(e.User.Attributes, row.attributes) {
			t.Errorf("%s: attributes %v, want %v", row.name, e.User.Attributes, row.attributes)
		}
		if got := e.Groups(); len(got) != len(row.groups) || len(got) > 0 && !reflect.DeepEqual(got, row.groups) {
			t.Errorf("%s: groups %q, want %q", row.name, got, row.groups)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, data := range []string{``, ` `, `null`, `true`, `"canary@example.com"`, `[{"canary":1}]`, `{"canary"`, `{"canary":1`, `{"canary":}`, `{"a":1}{"canary":2}`, `{"a":1} x`, `{"a":1,}`, `{a:1}`, `{"a":1]`} {
		_, err := Parse([]byte(data))
		if err == nil {
			t.Errorf("Parse(%s) succeeded", data)
		} else if got, want := err.Error(), "The event is not a JSON object."; got != want {
			t.Errorf("Parse(%s): %q, want %q", data, got, want)
		}
	}
}

func TestBytesAlwaysHasAResponse(t *testing.T) {
	rows := []struct{ event, want string }{
		{`{}`, `{"response":{}}`},
		{` { } `, ` { "response":{}} `},
		{`{"a":1}`, `{"a":1,"response":{}}`},
		{"{\n \"a\": 1\n}\n", "{\n \"a\": 1\n,\"response\":{}}\n"},
		{`{"response":null,"a":1}`, `{"response":{},"a":1}`},
		{`{"response":[],"a":1}`, `{"response":{},"a":1}`},
		{`{"response": "x" ,"a":1}`, `{"response": {} ,"a":1}`},
		{`{"a":1e400,"response":{"claimsOverrideDetails":null}}`, `{"a":1e400,"response":{"claimsOverrideDetails":null}}`},
		{`{"a":{"response":1}}`, `{"a":{"response":1},"response":{}}`},
	}
	for _, row := range rows {
		e, err := Parse([]byte(row.event))
		if err != nil {
			t.Errorf("Parse(%s): %v", row.event, err)
		} else if got := string(e.Bytes()); got != row.want {
			t.Errorf("%s came back as %s, want %s", row.event, got, row.want)
		}
	}
}

// An event goes back as it arrived, except for the response, whatever that is.
func FuzzEvent(f *testing.F) {
	for _, data := range recorded(f) {
		f.Add(data)
	}
	f.Add([]byte(`{"response":1,"a":"\u0000\ud800","response":{},"n":1e999}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := Parse(data)
		if err != nil {
			if json.Valid(data) && strings.HasPrefix(strings.TrimSpace(string(data)), "{") {
				t.Fatalf("Parse(%q): %v", data, err)
			}
			return
		}
		for range 2 {
			sent, back := decoded(t, data), decoded(t, e.Bytes())
			if !isObject(back["response"]) {
				t.Fatalf("%q came back with the response %q", data, back["response"])
			}
			delete(sent, "response")
			delete(back, "response")
			if !reflect.DeepEqual(sent, back) {
				t.Fatalf("%q came back as %q", data, e.Bytes())
			}
			e.SetClaims(json.RawMessage(`{"a":"b"}`), json.RawMessage(`{}`))
		}
		if !bytes.Contains(e.Bytes(), e.GroupConfiguration) {
			t.Fatalf("%q lost its groups: %q", data, e.Bytes())
		}
	})
}

func decoded(t *testing.T, data []byte) map[string]json.RawMessage {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%q: %v", data, err)
	}
	return m
}
