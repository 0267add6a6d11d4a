package main

import (
	"encoding/json"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A message asks for one more look-up of a user. The function sends it to its own queue.
type message struct {
	Version   int            `json:"version"` // a number; in an event of EventBridge it is a text
	Look      reconcile.Look `json:"look"`
	ChangedAt time.Time      `json:"changed_at,omitzero"` // of the earliest call
}

const version = 1

// readMessage returns false if body is something else.
func readMessage(body []byte) (m message, ok bool) {
	ok = json.Unmarshal(body, &m) == nil && m.Version == version && m.Look.Earlier > 0 && users.IsUUID(m.Look.Sub)
	return m, ok
}
