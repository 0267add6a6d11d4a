package cognito

import (
	"bytes"
	"encoding/json"
	"iter"
	"unicode/utf8"
)

// The functions of this file read JSON that json.Valid has accepted, without copying it.
// encoding/json would read and copy each value once for each level of nesting.

// A member is one member of a JSON object.
type member struct {
	name  string
	value json.RawMessage
	end   int // of the value, in the object's bytes
}

// members yields the members of an object in their written order. A name can be there
// twice; callers let the last one count. It yields nothing if raw is not an object.
func members(raw json.RawMessage) iter.Seq[member] {
	return func(yield func(member) bool) {
		if !isObject(raw) {
			return
		}
		for i := next(raw, bytes.IndexByte(raw, '{')+1); raw[i] != '}'; {
			colon := skip(raw, i)
			name, _ := text(raw[i:colon])
			start := next(raw, next(raw, colon)+1)
			end := skip(raw, start)
			if !yield(member{name, raw[start:end], end}) {
				return
			}
			if i = next(raw, end); raw[i] == ',' {
				i = next(raw, i+1)
			}
		}
	}
}

func hasMembers(raw json.RawMessage) bool {
	for range members(raw) {
		return true
	}
	return false
}

// elements yields the elements of an array. It yields nothing if raw is not an array.
func elements(raw json.RawMessage) iter.Seq[json.RawMessage] {
	return func(yield func(json.RawMessage) bool) {
		if len(raw) == 0 || raw[0] != '[' {
			return
		}
		for i := next(raw, 1); raw[i] != ']'; {
			end := skip(raw, i)
			if !yield(raw[i:end]) {
				return
			}
			if i = next(raw, end); raw[i] == ',' {
				i = next(raw, i+1)
			}
		}
	}
}

// get returns the value of the last member of that name, or nil.
func get(raw json.RawMessage, name string) json.RawMessage {
	var value json.RawMessage
	for m := range members(raw) {
		if m.name == name {
			value = m.value
		}
	}
	return value
}

// next returns the index of the first byte from i on that is not white space.
func next(raw []byte, i int) int {
	for raw[i] == ' ' || raw[i] == '\n' || raw[i] == '\t' || raw[i] == '\r' {
		i++
	}
	return i
}

// skip returns the index after the value that starts at i.
func skip(raw []byte, i int) int {
	for depth := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			for i++; raw[i] != '"'; i++ {
				if raw[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
			if depth < 0 { // the end of the array or object that a number or a word stands in
				return i
			}
		case ',', ' ', '\n', '\t', '\r':
			if depth == 0 {
				return i
			}
		}
	}
	return i
}

// isObject reports whether raw, which is valid JSON or empty, is an object.
func isObject(raw json.RawMessage) bool {
	return bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{"))
}

// text returns a JSON string's text, or a number or boolean as text: test events of the
// AWS console have true where Cognito sends "true". ok is false for all other values.
func text(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 {
		return "", false
	}
	switch raw[0] {
	case '"':
		if inside := raw[1 : len(raw)-1]; bytes.IndexByte(inside, '\\') < 0 && utf8.Valid(inside) {
			return string(inside), true
		}
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err == nil
	case 'n', '{', '[':
		return "", false
	}
	return string(raw), true
}
