package jwt

import (
	"encoding/json"
	"errors"
	"regexp"
	"strconv"
)

// A step is one part of a JSON path: .name, ['name'] or [0].
var step = regexp.MustCompile(`^(?:\.([A-Za-z_][\w-]*)|\['([^']*)'\]|\["([^"]*)"\]|\[(\d+)\])`)

// parsePath splits a JSON path such as $.hasura['claims'][0] into names (string)
// and indices (int).
func parsePath(path string) ([]any, error) {
	if path == "" || path[0] != '$' {
		return nil, errors.New("a JSON path starts with $")
	}
	var steps []any
	for rest := path[1:]; rest != ""; {
		m := step.FindStringSubmatch(rest)
		if m == nil {
			return nil, errors.New("not a JSON path: " + strconv.Quote(path))
		}
		if m[4] != "" {
			index, err := strconv.Atoi(m[4])
			if err != nil {
				return nil, errors.New("index too large in " + strconv.Quote(path))
			}
			steps = append(steps, index)
		} else {
			steps = append(steps, m[1]+m[2]+m[3])
		}
		rest = rest[len(m[0]):]
	}
	return steps, nil
}

// lookup follows a path into a JSON value.
func lookup(value json.RawMessage, path string) (json.RawMessage, bool) {
	steps, err := parsePath(path)
	if err != nil {
		return nil, false
	}
	for _, step := range steps {
		switch step := step.(type) {
		case string:
			var object map[string]json.RawMessage
			if json.Unmarshal(value, &object) != nil {
				return nil, false
			}
			found, ok := object[step]
			if !ok {
				return nil, false
			}
			value = found
		case int:
			var list []json.RawMessage
			if json.Unmarshal(value, &list) != nil || step >= len(list) {
				return nil, false
			}
			value = list[step]
		}
	}
	return value, true
}
