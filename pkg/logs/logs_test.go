package logs

import (
	"bytes"
	"encoding/json"
	stdlog "log"
	"testing"
)

func TestAdopt(t *testing.T) {
	flags, writer := stdlog.Flags(), stdlog.Writer()
	defer func() {
		stdlog.SetFlags(flags)
		stdlog.SetOutput(writer)
	}()
	rows := map[string]string{
		"it ends\n": "it ends",
		"Unsolicited response received on idle HTTP channel starting with \"canary\"; err=<nil>": "Unsolicited response received on idle HTTP channel starting with",
		"": "",
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
}
