package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

// anOutage is the heading of what has no recorded event of its own.
const anOutage = "outage"

// newcomer is the sign-in of a person who has no row yet, made of a recorded one.
func newcomer() (recorded, error) {
	e, err := open("events/post-authentication.json")
	if err != nil {
		return e, err
	}
	f := e.facts()
	for old, new := range map[string]string{
		f.attribute("sub"):         "0117a6e5-3f2c-4c1b-9d55-6b1f0c7e2a90",
		f.attribute("email"):       "olga@example.com",
		f.attribute("family_name"): "Ortiz",
		f.attribute("given_name"):  "Olga",
	} {
		e.json = bytes.ReplaceAll(e.json, []byte(old), []byte(new))
	}
	e.trigger, e.variant = anOutage, "somebody new"
	return e, nil
}

// outage sends an event while Hasura is down, then lets it come back and the queue be
// replayed.
func (v *visit) outage(ctx context.Context, e recorded) seen {
	v.stack.Down.Store(true)
	s := v.send(ctx, e)
	v.stack.Down.Store(false)
	if len(s.faults) > 0 {
		return s
	}
	patience, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := v.stack.Replay(patience); err != nil {
		s.fault("replay: %v", err)
		return s
	}
	s.note = fmt.Sprintf("in after %.1f s, row later", s.call.Duration.Seconds())
	v.checkRow(ctx, e.facts(), &s)
	return s
}
