package main

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// An action is what a user of the page asked the pool for: one operation, or some in a row.
type action struct {
	ID      int
	Title   string
	User    cognitoidp.User // as it is afterwards; empty for a machine
	Version string
	Steps   []step
	Refused error  // Cognito's error, which ends the action
	Done    string // what Cognito did
	Tokens  *signed

	before, after stack.Row
}

// keep is how many actions the page remembers.
const keep = 200

// act does the operations one after the other, until Cognito refuses one. The title goes on after the user's name.
func (a *app) act(ctx context.Context, title string, operations []string, r request) (*action, error) {
	a.acting.Lock()
	defer a.acting.Unlock()
	if err := a.setVersion(ctx, r.version); err != nil {
		return nil, err
	}
	before, err := a.rows(ctx)
	if err != nil {
		return nil, err
	}
	this := &action{Version: "V" + a.version() + "_0"}
	for _, operation := range operations {
		res, err := a.do(ctx, operation, r)
		if err != nil {
			return nil, err
		}
		r.sub = res.sub
		this.Steps, this.Refused, this.Done = append(this.Steps, res.steps...), res.refused, done[operation]
		if res.tokens.Access != "" {
			this.Tokens = newSigned(cmp.Or(r.sub, clientID), res.tokens, r.refresh)
		}
		if this.Refused != nil {
			break
		}
	}
	after, err := a.rows(ctx)
	if err != nil {
		return nil, err
	}
	this.before, this.after = rowOf(r.sub, before, after)
	this.User, _ = a.pool.Users.Get(r.sub)
	this.Title = strings.TrimSpace(cmp.Or(label(this.User), r.who.attributes["email"]) + " " + title)
	a.remember(this)
	return this, nil
}

func (a *app) remember(this *action) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lastID++
	this.ID = a.lastID
	a.actions = append(a.actions, this)
	a.actions = a.actions[max(0, len(a.actions)-keep):]
	if this.Tokens != nil {
		a.tokens[this.Tokens.Subject] = this.Tokens
	}
}

func (a *app) findAction(id string) (*action, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, this := range a.actions {
		if strconv.Itoa(this.ID) == id {
			return this, nil
		}
	}
	return nil, problemf(http.StatusNotFound, "The page remembers the last %d actions, and this is not one of them.", keep)
}

// lastAction returns the last action of a user; nil if there is none.
func (a *app) lastAction(sub string) *action {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, this := range slices.Backward(a.actions) {
		if this.User.Sub() == sub {
			return this
		}
	}
	return nil
}
