package secrets

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Keys are the keys of the admin secret in a secret's JSON object, by preference: the
// variable of Hasura's own server, two shorter names, and the variable that lists several
// admin secrets, of which the first is used.
var Keys = []string{"HASURA_GRAPHQL_ADMIN_SECRET", "HASURA_ADMIN_SECRET", "ADMIN_SECRET", listKey}

const listKey = "HASURA_GRAPHQL_ADMIN_SECRETS"

const expected = "expected a JSON object with the key %s, or the admin secret alone as plain text"

// parse finds the admin secret in a secret's text: a JSON object, or the admin secret
// alone. key is the key in the object; "" means [Keys], and allows plain text. Errors name
// keys and never a value.
func parse(text, key string) (Secret, error) {
	text = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(text), "\ufeff")) // a byte order mark
	keys := Keys
	if key != "" {
		keys = []string{key}
	}
	var object map[string]json.RawMessage
	isObject := json.Unmarshal([]byte(text), &object) == nil && object != nil
	switch {
	case text == "":
		return Secret{}, errors.New("it is empty")
	case isObject:
		return fromObject(object, keys)
	case key != "":
		return Secret{}, fmt.Errorf("it is not a JSON object, which SECRETS_KEY requires; expected one with the key %s", key)
	case !isPlain(text, keys):
		return Secret{}, fmt.Errorf(expected, strings.Join(keys, " or "))
	}
	return sendable("it", text)
}

func fromObject(object map[string]json.RawMessage, keys []string) (Secret, error) {
	i := slices.IndexFunc(keys, func(key string) bool { _, ok := object[key]; return ok })
	if i < 0 {
		return Secret{}, fmt.Errorf("its JSON object has no key %s", strings.Join(keys, " or "))
	}
	key := keys[i]
	var value string
	isString := json.Unmarshal(object[key], &value) == nil
	if key == listKey {
		// A list, or a string that holds one, as the variable does.
		list := []byte(object[key])
		if isString {
			list = []byte(value)
		}
		var secrets []string
		if json.Unmarshal(list, &secrets) != nil || len(secrets) == 0 {
			return Secret{}, fmt.Errorf("key %s is not a JSON list of admin secrets", key)
		}
		return sendable("key "+key, secrets[0])
	}
	if !isString {
		return Secret{}, fmt.Errorf("key %s is not a string", key)
	}
	return sendable("key "+key, value)
}

// isPlain reports whether a text that is not a JSON object can be the admin secret itself.
// Anything that looks like a file of several values must not be sent to Hasura as a whole.
func isPlain(text string, keys []string) bool {
	if strings.ContainsFunc(text, unicode.IsSpace) || strings.Contains(text, "://") {
		return false
	}
	if strings.ContainsAny(text[:1], "{[") {
		return false
	}
	if json.Valid([]byte(text)) && text[0] == '"' { // a JSON string
		return false
	}
	if inner := strings.TrimLeft(text, "\"'`"); inner != text && inner != "" && strings.ContainsAny(inner[:1], "{[") {
		return false
	}
	// NAME=value and name:value are lines of a file. Base64 can end in equals signs.
	name := strings.TrimLeft(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
	if name != text && name != "" && strings.ContainsAny(name[:1], "=:") && strings.Trim(name, "=") != "" {
		return false
	}
	return !slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(text, key) })
}

// sendable returns the secret if a header can carry it. Blanks around it, such as the line
// break of a file, do not belong to it.
func sendable(what, value string) (Secret, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return Secret{}, fmt.Errorf("%s is empty", what)
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return Secret{}, fmt.Errorf("%s has a control character", what)
	}
	return New(value), nil
}
