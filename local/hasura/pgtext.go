package hasura

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// asPostgres reads text as PostgreSQL reads it for a type, and gives the one
// form in which SQLite keeps such values, or the failure that PostgreSQL has.
func asPostgres(typ, text string) (any, error) {
	if strings.ContainsRune(text, 0) {
		return nil, &failure{state: "22021", message: `invalid byte sequence for encoding "UTF8": 0x00`}
	}
	switch typ {
	case "uuid":
		return uuidText(text)
	case "timestamptz":
		return timestamptzText(text)
	case "jsonb":
		return jsonbText(text)
	case "Boolean":
		switch text {
		case "true":
			return 1, nil
		case "false":
			return 0, nil
		}
		return nil, invalidSyntax("boolean", text)
	}
	return text, nil
}

func invalidSyntax(typ, text string) error {
	return &failure{state: "22P02", message: fmt.Sprintf(`invalid input syntax for type %s: "%s"`, typ, text)}
}

var uuidForm = regexp.MustCompile(`(?i)^([0-9a-f]{4}-?){7}[0-9a-f]{4}$`)

// uuidText takes capital letters, braces, and hyphens left away or after any
// four digits.
func uuidText(text string) (any, error) {
	digits := text
	if inner, ok := strings.CutPrefix(text, "{"); ok {
		if digits, ok = strings.CutSuffix(inner, "}"); !ok {
			return nil, invalidSyntax("uuid", text)
		}
	}
	if !uuidForm.MatchString(digits) {
		return nil, invalidSyntax("uuid", text)
	}
	d := strings.ToLower(strings.ReplaceAll(digits, "-", ""))
	return strings.Join([]string{d[:8], d[8:12], d[12:16], d[16:20], d[20:]}, "-"), nil
}

// timestampForms are the forms that programs send. PostgreSQL knows more, such
// as "yesterday"; they are refused here.
var timestampForms = func() (forms []string) {
	for _, separator := range []string{"T", " "} {
		for _, zone := range []string{"Z07:00", "-0700", "-07", " MST", ""} {
			forms = append(forms, "2006-01-02"+separator+"15:04:05.999999999"+zone)
		}
	}
	return append(forms, "2006-01-02")
}()

var likeTimestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)?)?$`)

func timestamptzText(text string) (any, error) {
	for _, form := range timestampForms {
		if t, err := time.Parse(form, strings.TrimSpace(text)); err == nil {
			return t.UTC().Round(time.Microsecond).Format("2006-01-02T15:04:05.000000+00:00"), nil
		}
	}
	if likeTimestamp.MatchString(text) {
		return nil, &failure{state: "22008", message: fmt.Sprintf(`date/time field value out of range: "%s"`, text)}
	}
	return nil, &failure{state: "22007", message: fmt.Sprintf(`invalid input syntax for type timestamp with time zone: "%s"`, text)}
}

// jsonbText gives the form in which jsonb is equal when it is equal: without
// spaces, members by length of name and then by name.
func jsonbText(text string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return nil, invalidSyntax("json", text)
	}
	var b bytes.Buffer
	if err := writeJSONB(&b, value); err != nil {
		return nil, err
	}
	return b.String(), nil
}

func writeJSONB(b *bytes.Buffer, value any) error {
	separator := func(i int) {
		if i > 0 {
			b.WriteByte(',')
		}
	}
	switch value := value.(type) {
	case []any:
		b.WriteByte('[')
		for i, item := range value {
			separator(i)
			if err := writeJSONB(b, item); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case map[string]any:
		names := slices.SortedFunc(maps.Keys(value), func(a, b string) int {
			return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
		})
		b.WriteByte('{')
		for i, name := range names {
			separator(i)
			if err := writeJSONB(b, name); err != nil {
				return err
			}
			b.WriteByte(':')
			if err := writeJSONB(b, value[name]); err != nil {
				return err
			}
		}
		b.WriteByte('}')
	case string:
		if strings.ContainsRune(value, 0) {
			return &failure{state: "22P05", message: "unsupported Unicode escape sequence"}
		}
		return appendJSON(b, value)
	default:
		return appendJSON(b, value)
	}
	return nil
}

func appendJSON(b *bytes.Buffer, value any) error {
	text, err := marshal(value)
	b.Write(text)
	return err
}
