// Package parking keeps failed syncs in an Amazon SQS queue until Hasura accepts them.
//
// A message holds personal data, so the queue must encrypt it at rest. It holds no secret.
// It carries the time at which the event came in, so that a late write never overwrites
// what a newer event wrote.
package parking

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A Message is a parked sync.
type Message struct {
	Row     users.Row
	Trigger string       // the trigger source of the event, such as PostAuthentication_Authentication
	Class   hasura.Class // of the failure for which the sync was parked
	// Dropped names the columns of a message that was read which the table no longer has.
	Dropped []string
}

// The body of a message. It names its columns, so that it can be read after the
// description of the table has changed.
type body struct {
	Version    int                        `json:"version"`
	Sub        string                     `json:"sub"`
	Key        map[string]string          `json:"key"` // the key's value by its column
	SyncedAt   time.Time                  `json:"synced_at"`
	SignedInAt *time.Time                 `json:"signed_in_at,omitempty"`
	Columns    map[string]json.RawMessage `json:"columns"`
	Defaults   map[string]json.RawMessage `json:"defaults,omitempty"`
	Trigger    string                     `json:"trigger"`
	Class      hasura.Class               `json:"class"`
}

// version is what MarshalJSON writes. UnmarshalJSON also reads version 1, of which messages
// can live for 28 days. A reader refuses other versions, so that they stay in the queue for
// a reader that knows them.
const version = 2

// bodyV1 is the body of version 1: the row of the table that was the only one then.
type bodyV1 struct {
	User    map[string]json.RawMessage `json:"user"`
	Trigger string                     `json:"trigger"`
	Class   hasura.Class               `json:"class"`
}

// sendable escapes two characters that JSON may hold as they are and that SQS accepts in no
// message ("SendMessage"). A user can have them in an attribute.
var sendable = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

// MarshalJSON returns the body of the SQS message.
func (m Message) MarshalJSON() ([]byte, error) {
	r := m.Row
	b := body{Version: version, Sub: r.Sub, Key: map[string]string{r.Table.Key: r.Key}, SyncedAt: r.SyncedAt, Trigger: m.Trigger, Class: m.Class}
	if !r.SignedInAt.IsZero() {
		b.SignedInAt = &r.SignedInAt
	}
	var err error
	if b.Columns, err = encode(r.Values); err != nil {
		return nil, err
	}
	if b.Defaults, err = encode(r.Defaults); err != nil {
		return nil, err
	}
	data, err := json.Marshal(b)
	return []byte(sendable.Replace(string(data))), err
}

func encode(values map[string]any) (map[string]json.RawMessage, error) {
	encoded := make(map[string]json.RawMessage, len(values))
	for name, value := range values {
		data, err := json.Marshal(value)
		if err != nil {
			return nil, fmt.Errorf("encode the column %s: %w", name, err)
		}
		encoded[name] = data
	}
	return encoded, nil
}

// Read reads the body of a message for a table. Its errors quote nothing of the body.
func Read(data []byte, t *users.Table) (Message, error) {
	var b body
	if json.Unmarshal(data, &b) != nil {
		return Message{}, errors.New("the message is not a parked sync")
	}
	switch b.Version {
	case 1:
		var err error
		if b, err = upgrade(data, t); err != nil {
			return Message{}, err
		}
	case version:
	default:
		return Message{}, fmt.Errorf("the message has version %d, not %d", b.Version, version)
	}
	key, ok := b.Key[t.Key]
	switch {
	case !ok:
		return Message{}, fmt.Errorf("the message does not have the key %s", t.Key)
	case !t.IsKey(key):
		return Message{}, errors.New("the user's id does not fit the key")
	case b.SyncedAt.IsZero():
		return Message{}, errors.New("the message lacks the time of its event")
	}
	m := Message{Row: users.Row{Table: t, Sub: b.Sub, Key: key, SyncedAt: b.SyncedAt}, Trigger: b.Trigger, Class: b.Class}
	if b.SignedInAt != nil {
		m.Row.SignedInAt = *b.SignedInAt
	}
	var dropped []string
	m.Row.Values, m.Dropped = t.Decode(b.Columns)
	if len(b.Defaults) > 0 {
		m.Row.Defaults, dropped = t.Decode(b.Defaults)
		m.Dropped = append(m.Dropped, dropped...)
	}
	return m, nil
}

// upgrade makes a body of the current version of one of version 1. In version 1 the key was
// always the column id, and its value the sub.
func upgrade(data []byte, t *users.Table) (body, error) {
	var old bodyV1
	if json.Unmarshal(data, &old) != nil {
		return body{}, errors.New("the message is not a parked sync")
	}
	b := body{Columns: maps.Clone(old.User), Trigger: old.Trigger, Class: old.Class}
	if json.Unmarshal(old.User["id"], &b.Sub) != nil || json.Unmarshal(old.User["synced_at"], &b.SyncedAt) != nil {
		return body{}, errors.New("the message lacks the user's id or synced_at")
	}
	if at := old.User["last_sign_in_at"]; at != nil && json.Unmarshal(at, &b.SignedInAt) != nil {
		return body{}, errors.New("the message is not a parked sync")
	}
	for _, name := range []string{"id", "synced_at", "last_sign_in_at"} {
		delete(b.Columns, name)
	}
	if t.KeyIsSub() {
		b.Key = map[string]string{t.Key: b.Sub}
	}
	return b, nil
}
