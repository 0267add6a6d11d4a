package main

import (
	"encoding/json"
	"errors"
	"slices"
	"strconv"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile/queue"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A message is one in the function's queue. That of the schedule has only a version.
type message struct {
	Version int     `json:"version"`
	Run     string  `json:"run,omitempty"`    // names the messages of one run
	Prefix  *string `json:"prefix,omitempty"` // of the subs of a part; "" is the whole pool
	// Missing are users of the part to look up again. The part itself is done then.
	Missing *reconcile.Missing `json:"missing,omitempty"`
}

const version = 1

var errMessage = errors.New("not a message of version " + strconv.Itoa(version))

func readMessage(body string) (m message, err error) {
	if json.Unmarshal([]byte(body), &m) != nil || m.Version != version {
		return message{}, errMessage
	}
	if m.Missing != nil && (m.Prefix == nil || m.Missing.Listed.IsZero() || !all(m.Missing.Subs, users.IsUUID)) {
		return message{}, errMessage
	}
	return m, nil
}

func all(values []string, is func(string) bool) bool {
	return !slices.ContainsFunc(values, func(value string) bool { return !is(value) })
}

// parts returns a message for each part.
func parts(run string, prefixes []string) []queue.Message {
	messages := make([]queue.Message, len(prefixes))
	for i := range prefixes {
		messages[i].Body = message{Version: version, Run: run, Prefix: &prefixes[i]}
	}
	return messages
}

// perMessage is how many users one message has at most: a minute of look-ups, and 8 KB.
const perMessage = 200

// again returns messages for the users of a part who must be looked up again.
func again(part message, missing reconcile.Missing) (messages []queue.Message) {
	for subs := range slices.Chunk(missing.Subs, perMessage) {
		part.Missing = &reconcile.Missing{Subs: subs, Listed: missing.Listed}
		messages = append(messages, queue.Message{Body: part, Delay: reconcile.BetweenLooks})
	}
	return messages
}
