package parking

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const sub = "69f23de6-af9e-43cc-b208-8b269334667d"

func parked(t testing.TB) Message {
	t.Helper()
	row, _, err := users.RowOf(users.Sync{
		User: cognito.User{ID: sub, Username: "jane", Attributes: map[string]string{
			"sub": sub, "email": "canary@example.com", "email_verified": "false", "address": "not kept", "custom:org_id": "7"}},
		At:       time.Date(2026, 11, 23, 12, 0, 0, 1001, time.UTC),
		SignedIn: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return Message{Row: row, Trigger: "PostAuthentication_Authentication", Class: hasura.Transient}
}

func TestMessageKeepsItsForm(t *testing.T) {
	const want = `{"version":1,"user":{"attributes":{"org_id":"7"},"email":"canary@example.com","email_verified":false,"id":"` + sub + `",` +
		`"last_sign_in_at":"2026-11-23T12:00:00.000001Z","synced_at":"2026-11-23T12:00:00.000001Z","username":"jane"},` +
		`"trigger":"PostAuthentication_Authentication","class":"transient"}`
	m := parked(t)
	data, err := json.Marshal(m)
	if err != nil || string(data) != want {
		t.Fatalf("%v\n got %s\nwant %s", err, data, want)
	}
	var back Message
	if err := json.Unmarshal([]byte(want), &back); err != nil || !reflect.DeepEqual(back, m) {
		t.Errorf("came back as %+v (%v), want %+v", back, err, m)
	}
}

// SQS refuses a message that has one of these characters. Hasura does not, so a row with
// them must be able to pass through the queue.
func TestMessageHasOnlyCharactersThatSQSAccepts(t *testing.T) {
	m := parked(t)
	m.Row["name"] = "a\ufffeb\uffffc\x7f\x01\u2028"
	m.Row["attributes"] = json.RawMessage(`{"motto":"` + "\uffff" + `"}`)
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	// The list is in "SendMessage", Amazon SQS API Reference.
	refused := func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
	}
	if i := strings.IndexFunc(string(data), refused); i >= 0 {
		t.Errorf("character %d of %q is refused by SQS", i, data)
	}
	var back Message
	if err := json.Unmarshal(data, &back); err != nil || back.Row["name"] != m.Row["name"] {
		t.Errorf("name came back as %q (%v), want %q", back.Row["name"], err, m.Row["name"])
	}
	var attributes map[string]string
	if err := json.Unmarshal(back.Row["attributes"].(json.RawMessage), &attributes); err != nil || attributes["motto"] != "\uffff" {
		t.Errorf("attributes came back as %q (%v), want the motto U+FFFF", attributes, err)
	}
}

// Messages that older versions wrote are read for as long as one can live.
func TestMessageOfAnOlderVersion(t *testing.T) {
	const old = `{"version":1,"user":{"id":"` + sub + `","created_at":null,"plan":"x","synced_at":"2026-11-23T12:00:00.000001Z"},"trigger":"T","class":"later"}`
	var m Message
	if err := json.Unmarshal([]byte(old), &m); err != nil || m.Row.Key() != sub || len(m.Row) != 2 || m.Class != "later" {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestMessageIsRefused(t *testing.T) {
	rows := map[string]string{
		`canary`:               "the message is not a parked sync",
		`{"version":"canary"}`: "the message is not a parked sync",
		`{}`:                   "the message has version 0, not 1",
		`{"version":2,"user":{"id":"canary","synced_at":"2026-11-23T12:00:00Z"}}`:                         "the message has version 2, not 1",
		`{"version":1,"user":{"id":"canary","synced_at":"2026-11-23T12:00:00Z"}}`:                         "the user's id is not a UUID",
		`{"version":1,"user":{"id":"` + sub + `"}}`:                                                       "the message lacks the user's synced_at",
		`{"version":1,"user":{"id":"` + sub + `","email":["canary"],"synced_at":"2026-11-23T12:00:00Z"}}`: "the message is not a parked sync",
		`{"version":1,"user":{"synced_at":"2026-11-23T12:00:00Z"}}`:                                       "the user's id is not a UUID",
	}
	for data, want := range rows {
		var m Message
		err := m.UnmarshalJSON([]byte(data))
		if err == nil || err.Error() != want || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %s", data, err, want)
		}
	}
}
