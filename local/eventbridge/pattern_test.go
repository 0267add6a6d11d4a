package eventbridge

import "testing"

func TestMatches(t *testing.T) {
	const rule = `{"source":["aws.a","aws.b"],"detail":{"name":[{"anything-but":["x","y"]}],"done":[true]}}`
	rows := []struct {
		name, pattern, event string
		want                 bool
	}{
		{"every member", rule, `{"source":"aws.b","detail":{"name":"z","done":true,"more":1}}`, true},
		{"another source", rule, `{"source":"aws.c","detail":{"name":"z","done":true}}`, false},
		{"an unwanted name", rule, `{"source":"aws.a","detail":{"name":"y","done":true}}`, false},
		{"no name", rule, `{"source":"aws.a","detail":{"done":true}}`, false},
		{"a text in place of a boolean", rule, `{"source":"aws.a","detail":{"name":"z","done":"true"}}`, false},
		{"detail is a text", rule, `{"source":"aws.a","detail":"{}"}`, false},
		{"not an object", rule, `[]`, false},
		{"not JSON", rule, `x`, false},
		{"null", rule, `null`, false},
		{"one of a list", `{"resources":["a"]}`, `{"resources":["b","a"]}`, true},
		{"none of a list", `{"resources":["a"]}`, `{"resources":["b"]}`, false},
		{"anything but one value", `{"a":[{"anything-but":"x"}]}`, `{"a":"x"}`, false},
		{"a number", `{"a":[1]}`, `{"a":1}`, true},
	}
	for _, row := range rows {
		pattern, err := Parse(row.pattern)
		if err != nil {
			t.Fatalf("%s: %v", row.name, err)
		}
		if got := pattern.Matches([]byte(row.event)); got != row.want {
			t.Errorf("%s: got %t", row.name, got)
		}
	}
	for _, text := range []string{`x`, `{"a":"b"}`, `{"a":[{"prefix":"b"}]}`, `{"a":{"b":[{"exists":true,"anything-but":1}]}}`} {
		if pattern, err := Parse(text); err == nil {
			t.Errorf("%s: got %v, want an error", text, pattern)
		}
	}
}
