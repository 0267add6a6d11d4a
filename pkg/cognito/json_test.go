package cognito

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestText(t *testing.T) {
	rows := []struct {
		raw, want string
		ok        bool
	}{
		{`"plain"`, "plain", true},
		{`""`, "", true},
		{`"\u0041 \"B\""`, `A "B"`, true},
		{"\"\xff\"", "\ufffd", true},
		{`true`, "true", true},
		{`-1.5e3`, "-1.5e3", true},
		{`null`, "", false},
		{`{}`, "", false},
		{`[]`, "", false},
		{``, "", false},
	}
	for _, row := range rows {
		if got, ok := text(json.RawMessage(row.raw)); got != row.want || ok != row.ok {
			t.Errorf("text(%s) = %q, %t, want %q, %t", row.raw, got, ok, row.want, row.ok)
		}
	}
}

// Valid JSON has the members and elements that encoding/json finds in it.
func FuzzMembers(f *testing.F) {
	for _, data := range recorded(f) {
		f.Add(data)
	}
	f.Add([]byte(` { "a" : [ 1 , "]" , {} , [ ] ] , "\u0061" : -1e9 , "b\\":"\"}" , "" : { "c" : null } } `))
	f.Fuzz(func(t *testing.T, data []byte) {
		if !json.Valid(data) {
			return
		}
		if !isObject(data) {
			data = bytes.TrimSpace(data) // as a value within an object is
		}
		same(t, data)
	})
}

func same(t *testing.T, raw json.RawMessage) {
	t.Helper()
	var object map[string]json.RawMessage
	var array []json.RawMessage
	if isObject(raw) && json.Unmarshal(raw, &object) != nil || !isObject(raw) && json.Unmarshal(raw, &array) != nil {
		object, array = nil, nil
	}
	got := make(map[string]json.RawMessage)
	for m := range members(raw) {
		got[m.name] = m.value
		if string(raw[m.end-len(m.value):m.end]) != string(m.value) {
			t.Fatalf("%s: the value of %q does not end at %d", raw, m.name, m.end)
		}
	}
	if len(got) != len(object) {
		t.Fatalf("%s has the members %s, want %s", raw, got, object)
	}
	for name, want := range object {
		if string(got[name]) != string(want) || string(get(raw, name)) != string(want) {
			t.Fatalf("%s: %q is %s, want %s", raw, name, got[name], want)
		}
		same(t, want)
	}
	i := 0
	for element := range elements(raw) {
		if i >= len(array) || string(element) != string(array[i]) {
			t.Fatalf("%s: element %d is %s", raw, i, element)
		}
		same(t, element)
		i++
	}
	if i != len(array) {
		t.Fatalf("%s has %d elements, want %d", raw, i, len(array))
	}
}
