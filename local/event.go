package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// An event is a recorded event of Cognito.
type event struct {
	path    string
	trigger string // the section of the output: one of triggers, or outageSection
	variant string // the rest of the file name
	json    []byte

	// What the expectations depend on. The members of a test event can have other types; those stay empty.
	Version       string
	TriggerSource string
	UserPoolID    string `json:"userPoolId"`
	UserName      string
	CallerContext struct{ ClientID string }
	Request       struct {
		UserAttributes     map[string]any
		ClientMetadata     map[string]any
		Scopes             []string
		GroupConfiguration struct {
			GroupsToOverride   []string
			IAMRolesToOverride []string
		}
	}
}

// triggers are in the order in which their events are sent: a row is written before a token reads it. Each has the
// beginning of its trigger sources.
var triggers = []struct{ name, source string }{
	{"post-confirmation", "PostConfirmation_"},
	{"post-authentication", "PostAuthentication_"},
	{"pre-token-generation", "TokenGeneration_"},
}

// load reads the event in a file, or the events in a folder.
func load(path string) ([]event, error) {
	paths := []string{path}
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("no event: %w. The folder events has them, such as events/pre-token-generation-v2-authentication.json", err)
	} else if info.IsDir() {
		if paths, err = filepath.Glob(filepath.Join(path, "*.json")); err != nil || len(paths) == 0 {
			return nil, errors.Join(fmt.Errorf("the folder %s has no events: no *.json", path), err)
		}
	}
	var events []event
	for _, path := range paths {
		e, err := read(path)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b event) int { return a.order() - b.order() })
	return events, nil
}

func (e event) order() int {
	for i, t := range triggers {
		if e.trigger == t.name {
			return i
		}
	}
	return len(triggers)
}

func read(path string) (event, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return event{}, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return event{}, fmt.Errorf("%s is not an event: %w", path, err)
	}
	e := event{path: path, json: data}
	_ = json.Unmarshal(data, &e)
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	for _, t := range triggers {
		rest, named := strings.CutPrefix(name, t.name)
		if named || e.trigger == "" && strings.HasPrefix(e.TriggerSource, t.source) {
			e.trigger, e.variant = t.name, strings.TrimPrefix(rest, "-")
		}
	}
	if e.variant == "" {
		e.variant = e.trigger // the file has no more name than that
	}
	if e.trigger == "" {
		return event{}, fmt.Errorf("%s: the trigger is unknown. Without a triggerSource the file name must begin with it, such as %s-mine.json",
			path, triggers[0].name)
	}
	return e, nil
}

// test reports whether Cognito never sends such an event: the AWS console and the developer guide offer it for trying a
// function out. No token is made for it.
func (e event) test() bool { return strings.HasPrefix(e.variant, "test-") }

func (e event) function() string { return stack.FunctionFor(e.trigger+"-", e.json) }

// attribute is a user attribute as text. An attribute of another type is empty.
func (e event) attribute(name string) string {
	text, _ := e.Request.UserAttributes[name].(string)
	return text
}

// outageSection has the event that is sent while Hasura is down.
const outageSection = "outage"

// outage is the sign-in of a user who has no row yet, made from a recorded sign-in.
func outage() (event, error) {
	e, err := read("events/post-authentication.json")
	if err != nil {
		return e, err
	}
	for old, new := range map[string]string{
		e.attribute("sub"):         "0117a6e5-3f2c-4c1b-9d55-6b1f0c7e2a90",
		e.attribute("email"):       "olga@example.com",
		e.attribute("family_name"): "Ortiz",
		e.attribute("given_name"):  "Olga",
	} {
		e.json = bytes.ReplaceAll(e.json, []byte(old), []byte(new))
	}
	_ = json.Unmarshal(e.json, &e)
	e.trigger, e.variant = outageSection, "new user"
	return e, nil
}
