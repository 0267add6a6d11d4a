package logs

import (
	"bytes"
	"encoding/json"
	stdlog "log"
	"strings"
	"testing"
)

func TestCode(t *testing.T) {
	const secret = "Canary-77e1+word"
	rows := []struct{ name, code, want string }{
		{"a code", "validation-failed", "validation-failed"},
		{"an empty code", "", Unrecognized},
		{"a space", "a code", Unrecognized},
		{"65 characters", strings.Repeat("x", 65), Unrecognized},
		{"the secret in another case", "X-canary-77E1+WORD", Unrecognized},
		{"a part of the secret", "anary-77e1", Unrecognized},
		{"a short text that the secret happens to have", "word", "word"},
	}
	for _, row := range rows {
		if got := Code(row.code, secret); got != row.want {
			t.Errorf("%s: Code(%q) = %q, want %q", row.name, row.code, got, row.want)
		}
	}
	if got := Code("X.canary-1", "canary-1"); got != Unrecognized {
		t.Errorf("the secret beside other text: %q", got)
	}
}

func TestAdopt(t *testing.T) {
	flags, writer := stdlog.Flags(), stdlog.Writer()
	defer func() {
		stdlog.SetFlags(flags)
		stdlog.SetOutput(writer)
	}()
	rows := map[string]string{
		"it ends\n": "it ends",
		"Unsolicited response received on idle HTTP channel starting with \"canary\"; err=<nil>": "Unsolicited response received on idle HTTP channel starting with",
	}
	for text, want := range rows {
		var out bytes.Buffer
		Adopt(New(&out, func(string) string { return "" }))
		stdlog.Print(text)
		var record struct{ Level, Message, Text string }
		if err := json.Unmarshal(out.Bytes(), &record); err != nil {
			t.Fatalf("%q became %q: %v", text, &out, err)
		}
		if record.Level != "WARN" || record.Message != "library log" || record.Text != want {
			t.Errorf("%q became %+v, want the text %q", text, record, want)
		}
	}
	// The runtime prints the error of each call, which Cognito gets too.
	for _, text := range []string{"", "{\n  \"errorMessage\": \"canary\"\n}"} {
		var out bytes.Buffer
		Adopt(New(&out, func(string) string { return "" }))
		if stdlog.Print(text); out.Len() > 0 {
			t.Errorf("%q became %s, want nothing", text, &out)
		}
	}
}
