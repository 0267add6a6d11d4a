// Package parking keeps the syncs that did not succeed: they wait in a queue of
// Amazon SQS until Hasura takes them.
//
// A message holds personal data, which the queue must encrypt at rest, but no
// secret. It carries the time at which the event came in, so that however late it
// is written it never overwrites what a newer event has.
package parking

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
)

// A Message is a sync that waits.
type Message struct {
	Row     hasura.Row
	Trigger string // the trigger source of the event, such as PostAuthentication_Authentication
	Class   hasura.Class
}

// version is that of the message's form. A reader refuses those that it does not
// know, so that they stay in the queue for one that does.
const version = 1

type form struct {
	Version int          `json:"version"`
	User    hasura.Row   `json:"user"` // synced_at is when the event came in
	Trigger string       `json:"trigger"`
	Class   hasura.Class `json:"class"`
}

// sendable escapes the two characters that JSON may hold as they are and that SQS
// takes in no message ("SendMessage"). A person can have them in an attribute.
var sendable = strings.NewReplacer("\ufffe", `\ufffe`, "\uffff", `\uffff`)

// MarshalJSON gives the message the form in which it is sent.
func (m Message) MarshalJSON() ([]byte, error) {
	data, err := json.Marshal(form{version, m.Row, m.Trigger, m.Class})
	return []byte(sendable.Replace(string(data))), err
}

// UnmarshalJSON reads what MarshalJSON gave. Its errors quote nothing of the input.
func (m *Message) UnmarshalJSON(data []byte) error {
	var f form
	if json.Unmarshal(data, &f) != nil {
		return errors.New("the message is not a parked sync")
	}
	if f.Version != version {
		return fmt.Errorf("the message has version %d, not %d", f.Version, version)
	}
	if f.User.Id == "" || f.User.Synced_at == nil {
		return errors.New("the message lacks the user's id or synced_at")
	}
	*m = Message{f.User, f.Trigger, f.Class}
	return nil
}
