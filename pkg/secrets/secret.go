package secrets

// A Secret is text that never prints: not by fmt, not by slog, not by encoding.
type Secret string

const hidden = "[secret]"

// Reveal returns the text itself, for the one place that sends it.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret from fmt.
func (Secret) String() string { return hidden }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return hidden }

// MarshalText hides the secret from encoders, slog's JSON handler among them.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
