package secrets

// A Secret is text that is never printed: not by fmt, slog or encoders, and not as a map's
// key or in an unexported field, where fmt and encoding/json call no methods. The zero
// value holds no secret.
type Secret struct{ text *string }

const hidden = "[secret]"

// New returns a secret that holds a text.
func New(text string) Secret { return Secret{&text} }

// Reveal returns the text, for the one place that sends it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Equal reports whether both secrets are the same text.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// IsZero reports whether s holds no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// String hides the secret from fmt.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// MarshalText hides the secret from encoders, slog's handlers among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
