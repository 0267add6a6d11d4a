package secrets

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretNeverPrints(t *testing.T) {
	const canary = "canary-5f0c"
	s := New(canary)
	type holder struct {
		S Secret
		s Secret
	}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%s", "%q", "%+v", "%#v"} {
		fmt.Fprintf(&out, verb+verb+verb+"\n", s, holder{s, s}, &s)
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("x", "secret", s, "holder", holder{s, s}, "list", []Secret{s}, "map", map[Secret]Secret{s: s})
	}
	data, err := json.Marshal(holder{s, s})
	out.Write(data)
	if err != nil || strings.Contains(out.String(), canary) {
		t.Errorf("the secret got out (%v): %s", err, &out)
	}
	if s.Reveal() != canary || s.IsZero() || !s.Equal(New(canary)) || s.Equal(Secret{}) {
		t.Errorf("%q is not itself", s.Reveal())
	}
	if zero := (Secret{}); !zero.IsZero() || zero.Reveal() != "" {
		t.Errorf("the zero Secret is %q", zero.Reveal())
	}
}
