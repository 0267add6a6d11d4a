package secrets

// A Secret is text that never prints: not by fmt, not by slog, not by encoders,
// and not from within an unexported field or as a map's key either, where fmt and
// encoding/json do not ask for methods. The zero value is no secret.
type Secret struct{ text *string }

const hidden = "[secret]"

// New makes a secret of a text.
func New(text string) Secret { return Secret{&text} }

// Reveal returns the text itself, for the one place that sends it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// Equal reports whether both secrets are the same text.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// IsZero reports whether there is no secret.
func (s Secret) IsZero() bool { return s.text == nil }

// String hides the secret from fmt.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// MarshalText hides the secret from encoders, slog's handlers among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
