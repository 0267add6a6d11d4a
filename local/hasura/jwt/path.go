package jwt

import (
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// A path leads to a value. Its elements are names (string) and indexes (int).
type path []any

var errPath = errors.New("accept letters, digits, underscore (_) or hyphen (-) only. " +
	`Use quotes enclosed in bracket (["..."]) if there is any special character`)

// parsePath reads a path in Hasura's own grammar: Data/Parser/JSONPath.hs of graphql-engine. The $ may be missing, and so may the
// dot before a name. A dot may also stand before a bracket.
func parsePath(text string) (p path, err error) {
	if text == "$" {
		return path{}, nil
	}
	for rest := strings.TrimPrefix(text, "$"); rest != "" || p == nil; {
		var element any
		rest = strings.TrimPrefix(rest, ".")
		if inner, ok := strings.CutPrefix(rest, "["); ok {
			element, rest, err = bracket(inner)
		} else {
			element, rest, err = name(rest)
		}
		if err != nil {
			return nil, err
		}
		p = append(p, element)
	}
	return p, nil
}

func name(text string) (name, rest string, err error) {
	end := len(text)
	for i, r := range text {
		if !unicode.IsLetter(r) && r != '_' && (i == 0 || !unicode.IsDigit(r) && r != '-') {
			end = i
			break
		}
	}
	if end == 0 {
		return "", "", errPath
	}
	return text[:end], text[end:], nil
}

// escapes are the parts of a name in single quotes that JSON writes otherwise, and other escapes.
var escapes = regexp.MustCompile(`\\(?s:.)|"`)

// bracket reads [42], ["name"] or ['name'] after the opening bracket.
func bracket(text string) (element any, rest string, err error) {
	if text == "" {
		return nil, "", errPath
	}
	quote, end := text[0], 0
	if quote != '"' && quote != '\'' {
		digits, rest, ok := strings.Cut(text, "]")
		index, err := strconv.ParseUint(digits, 10, 31)
		if !ok || err != nil {
			return nil, "", errPath
		}
		return int(index), rest, nil
	}
	for end = 1; end < len(text) && text[end] != quote; end++ {
		if text[end] == '\\' {
			end++
		}
	}
	if end >= len(text) || !strings.HasPrefix(text[end+1:], "]") {
		return nil, "", errPath
	}
	inner := text[1:end]
	if quote == '\'' {
		inner = escapes.ReplaceAllStringFunc(inner, func(part string) string {
			return cmp.Or(map[string]string{`\'`: "'", `"`: `\"`}[part], part)
		})
	}
	name, err := decode([]byte(`"` + inner + `"`))
	if err != nil {
		return nil, "", errPath
	}
	return name, text[end+2:], nil
}

// String writes the path as Hasura's messages do.
func (p path) String() string {
	var text strings.Builder
	text.WriteByte('$')
	for _, element := range p {
		switch element := element.(type) {
		case int:
			text.WriteString("[" + strconv.Itoa(element) + "]")
		case string:
			if _, rest, err := name(element); err == nil && rest == "" && !slices.ContainsFunc([]rune(element), func(r rune) bool { return r > unicode.MaxASCII }) {
				text.WriteString("." + element)
			} else {
				quoted, _ := json.Marshal(element) // a string
				text.WriteString("[" + string(quoted) + "]")
			}
		}
	}
	return text.String()
}

// in returns the value that the path leads to.
func (p path) in(value any) (any, bool) {
	for _, element := range p {
		var ok bool
		switch element := element.(type) {
		case string:
			object, _ := value.(map[string]any)
			value, ok = object[element]
		case int:
			list, _ := value.([]any)
			if ok = element < len(list); ok {
				value = list[element]
			}
		}
		if !ok {
			return nil, false
		}
	}
	return value, true
}
