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
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A Message is a parked sync.
type Message struct {
	Row     users.Row
	Trigger string       // the trigger source of the event, such as PostAuthentication_Authentication
	Class   hasura.Class // of the failure for which the sync was parked
}

// version is the version of a message's form. A reader refuses other versions, so that they
// stay in the queue for a reader that knows them.
const version = 1

type form struct {
	Version int          `json:"version"`
	User    users.Row    `json:"user"` // synced_at is when the event came in
	Trigger string       `json:"trigger"`
	Class   hasura.Class `json:"class"`
}

// sendable escapes two characters that JSON may hold as they are and that SQS accepts in no
// message ("SendMessage"). A user can have them in an attribute.
var sendable = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

// MarshalJSON returns the body of the SQS message.
func (m Message) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(form{version, m.Row, m.Trigger, m.Class})
	return []byte(sendable.Replace(string(data))), err
}

// UnmarshalJSON reads what MarshalJSON returned. Its errors quote nothing of the input.
func (m *Message) UnmarshalJSON(data []byte) error {
	var f form
	if json.Unmarshal(data, &f) != nil {
		return errors.New("the message is not a parked sync")
	}
	switch {
	case f.Version != version:
		return fmt.Errorf("the message has version %d, not %d", f.Version, version)
	case !users.IsUUID(f.User.Key()):
		return errors.New("the user's id is not a UUID")
	case f.User.SyncedAt().IsZero():
		return errors.New("the message lacks the user's synced_at")
	}
	*m = Message{f.User, f.Trigger, f.Class}
	return nil
}
