package secrets

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
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
	if inner := strings.TrimSpace(value); inner != "" && strings.ContainsAny(inner[:1], "{[") && json.Valid([]byte(inner)) {
		return Secret{}, fmt.Errorf("key %s holds JSON; expected the admin secret alone", key)
	}
	return sendable("key "+key, value)
}

// isPlain reports whether a text that is not a JSON object can be the admin secret itself:
// one word of visible characters that does not look like a file of several values, which
// must not be sent to Hasura as a whole.
func isPlain(text string, keys []string) bool {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }) {
		return false
	}
	return !isFile(text, keys) && !isFile(decode(text), keys)
}

// isFile reports whether a text begins like JSON, XML, a URL, or a line NAME=value or
// name:value, or has one of the keys.
func isFile(text string, keys []string) bool {
	if text == "" {
		return false
	}
	inner := strings.TrimLeft(text, "\"'`")
	quote := text[:min(1, len(text)-len(inner))]
	switch {
	case strings.Contains(text, "://"), inner != "" && strings.ContainsAny(inner[:1], "{["):
		return true
	case quote == `"` && json.Valid([]byte(text)): // a JSON string
		return true
	case text[0] == '<' && strings.HasSuffix(text, ">") && (strings.Contains(text, "</") || strings.HasSuffix(text, "/>")):
		return true
	}
	line := text[len(quote):]
	rest := strings.TrimLeft(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-")
	if value, ok := strings.CutPrefix(rest, quote); ok && rest != line && value != "" && strings.ContainsAny(value[:1], "=:") &&
		strings.Trim(value, "=") != "" { // base64 can end in equals signs
		return true
	}
	return slices.ContainsFunc(keys, func(key string) bool { return strings.Contains(text, key) })
}

// decode returns the printable text that base64 encodes, or "".
func decode(text string) string {
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || !utf8.Valid(data) || bytes.ContainsFunc(data, func(r rune) bool { return !unicode.IsPrint(r) && !unicode.IsSpace(r) }) {
		return ""
	}
	return string(data)
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
