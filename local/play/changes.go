package main

import (
	"encoding/json"
	"maps"
	"slices"
)

// An applied is what a change of settings led to.
type applied struct {
	Settings []column // the settings that changed
	Action   *action  // of who got new tokens; nil if nobody has any
	Tokens   []changedToken
}

// A changedToken has the claims of a new token that differ from the old one.
type changedToken struct {
	Name   string
	Claims []column
}

// changes are values before and after, in a table. What is the heading of their names.
type changes struct {
	Label, What string
	List        []column
}

// different returns the values that differ, in the order of their names.
func different(before, after map[string]string) (list []column) {
	all := maps.Clone(before)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if c := (column{name, before[name], after[name]}); c.Changed() {
			list = append(list, c)
		}
	}
	return list
}

func changedTokens(before, after *signed) (list []changedToken) {
	if after == nil {
		return nil
	}
	for _, t := range after.List {
		var old map[string]string
		if i := slices.IndexFunc(before.List, func(o token) bool { return o.Use == t.Use }); i >= 0 {
			old = before.List[i].flat()
		}
		list = append(list, changedToken{t.Name(), different(old, t.flat())})
	}
	return list
}

// perToken are the claims that are other ones in each token.
var perToken = []string{"auth_time", "event_id", "exp", "iat", "jti", "origin_jti"}

// flat has each claim with its value, and Hasura's one by one.
func (t token) flat() map[string]string {
	values, namespace := make(map[string]string), t.Namespace()
	for name, value := range t.claims {
		if name != namespace && !slices.Contains(perToken, name) {
			text, err := json.Marshal(value)
			if err != nil {
				text = []byte(err.Error())
			}
			values[name] = string(text)
		}
	}
	if namespace == "" {
		return values
	}
	values["claims namespace"], values["claims format"] = namespace, "json"
	if t.Stringified() {
		values["claims format"] = "stringified_json"
	}
	for _, c := range t.Hasura() {
		values[c.Name] = c.Value
	}
	return values
}
