package parking

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const sub = "69f23de6-af9e-43cc-b208-8b269334667d"

// table is a table for these tests. They do not follow changes of users.Description.
var table = users.Table{Key: "id", Sub: "id", SyncedAt: "synced_at", SignedInAt: "last_sign_in_at", Columns: []users.Column{
	{Name: "id", Kind: users.UUID, Source: users.Sub},
	{Name: "username", Kind: users.Text, Source: users.Username},
	{Name: "email", Kind: users.Text, Source: users.Attribute("email")},
	{Name: "email_verified", Kind: users.Boolean, Source: users.Verified("email", "email_verified")},
	{Name: "name", Kind: users.Text, Source: users.Attribute("name")},
	{Name: "attributes", Kind: users.JSON, Source: users.CustomAttributes},
	{Name: "last_sign_in_at", Kind: users.Timestamp, Source: users.SignInTime},
	{Name: "synced_at", Kind: users.Timestamp, Source: users.SyncTime},
}}

func parked(t testing.TB) Message {
	t.Helper()
	row, _, err := table.Row(users.Sync{
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

// Messages of every version are read for as long as one can live: 28 days.
func TestMessages(t *testing.T) {
	m := parked(t)
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"testdata/message-v1.json", "testdata/message-v2.json"} {
		golden, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := Read(golden, &table); err != nil || !reflect.DeepEqual(back, m) {
			t.Errorf("%s is read as %+v (%v), want %+v", file, back.Row.Values, err, m.Row.Values)
		}
		if file == fmt.Sprintf("testdata/message-v%d.json", version) && string(data) != strings.TrimSpace(string(golden)) {
			t.Errorf("%s: got %s, want %s", file, data, golden)
		}
	}
}

// A message outlives a change of the description.
func TestMessageOfAnotherDescription(t *testing.T) {
	data, err := json.Marshal(parked(t))
	if err != nil {
		t.Fatal(err)
	}
	later := users.Table{Key: "id", SyncedAt: "at", Columns: []users.Column{
		{Name: "id", Kind: users.UUID, Source: users.Sub}, {Name: "at", Kind: users.Timestamp, Source: users.SyncTime},
		{Name: "email", Kind: users.Text, Source: users.Attribute("email")}, {Name: "email_verified", Kind: users.Text, Source: users.Attribute("x")},
		{Name: "plan", Kind: users.Text, Source: users.Attribute("custom:plan"), Default: "free"}}}
	m, err := Read(data, &later)
	if err != nil {
		t.Fatal(err)
	}
	sent, err := json.Marshal(m.Row)
	if want := `{"id":"` + sub + `","at":"2026-11-23T12:00:00.000001Z","email":"canary@example.com"}`; err != nil || string(sent) != want {
		t.Errorf("%v\n got %s\nwant %s", err, sent, want)
	}
	if want := []string{"attributes", "email_verified", "username"}; !slices.Equal(m.Dropped, want) {
		t.Errorf("dropped %q, want %q", m.Dropped, want)
	}

	other := users.Table{Key: "uid", SyncedAt: "at", Columns: []users.Column{{Name: "uid", Kind: users.Text, Source: users.UserID}}}
	if _, err := Read(data, &other); err == nil || err.Error() != "the message does not have the key uid" {
		t.Errorf("a table with another key: %v", err)
	}
	if _, err := Read([]byte(`{"version":1,"user":{"id":"`+sub+`","synced_at":"2026-11-23T12:00:00Z"}}`), &other); err == nil || err.Error() != "the message does not have the key uid" {
		t.Errorf("version 1 and a table with another key: %v", err)
	}
}

// Defaults stay defaults: they never overwrite a value.
func TestMessageKeepsDefaults(t *testing.T) {
	m := parked(t)
	m.Row.Defaults = map[string]any{"name": ""}
	data, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	back, err := Read(data, &table)
	if err != nil || !reflect.DeepEqual(back.Row.Defaults, m.Row.Defaults) || slices.Contains(back.Row.Columns(), "name") {
		t.Errorf("%v, %v, updates %q", back.Row.Defaults, err, back.Row.Columns())
	}
}

// SQS refuses a message that has one of these characters. Hasura does not, so a row with
// them must be able to pass through the queue.
func TestMessageHasOnlyCharactersThatSQSAccepts(t *testing.T) {
	m := parked(t)
	m.Row.Values["name"] = "a\ufffeb\uffffc\x7f\x01\u2028"
	m.Row.Values["attributes"] = json.RawMessage(`{"motto":"` + "\uffff" + `"}`)
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
	back, err := Read(data, &table)
	if err != nil || back.Row.Values["name"] != m.Row.Values["name"] {
		t.Errorf("name came back as %q (%v), want %q", back.Row.Values["name"], err, m.Row.Values["name"])
	}
	var attributes map[string]string
	if err := json.Unmarshal(back.Row.Values["attributes"].(json.RawMessage), &attributes); err != nil || attributes["motto"] != "\uffff" {
		t.Errorf("attributes came back as %q (%v), want the motto U+FFFF", attributes, err)
	}
}

func TestMessageIsRefused(t *testing.T) {
	rows := map[string]string{
		`canary`:                       "the message is not a parked sync",
		`{"version":"canary"}`:         "the message is not a parked sync",
		`{}`:                           "the message has version 0, not 2",
		`{"version":3,"sub":"canary"}`: "the message has version 3, not 2",
		`{"version":2,"key":{"id":"canary"},"synced_at":"2026-11-23T12:00:00Z"}`:                                  "the user's id does not fit the key",
		`{"version":2,"key":{"id":"` + sub + `"}}`:                                                                "the message lacks the time of its event",
		`{"version":2,"key":{"canary":"x"}}`:                                                                      "the message does not have the key id",
		`{"version":1,"user":{"id":"canary","synced_at":"2026-11-23T12:00:00Z"}}`:                                 "the user's id does not fit the key",
		`{"version":1,"user":{"id":"` + sub + `"}}`:                                                               "the message lacks the user's id or synced_at",
		`{"version":1,"user":{"synced_at":"2026-11-23T12:00:00Z"}}`:                                               "the message lacks the user's id or synced_at",
		`{"version":1,"user":["canary"]}`:                                                                         "the message is not a parked sync",
		`{"version":1,"user":{"id":"` + sub + `","synced_at":"2026-11-23T12:00:00Z","last_sign_in_at":"canary"}}`: "the message is not a parked sync",
	}
	for data, want := range rows {
		_, err := Read([]byte(data), &table)
		if err == nil || err.Error() != want || strings.Contains(err.Error(), "canary") {
			t.Errorf("%s: %v, want %s", data, err, want)
		}
	}
}
