package users

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

func TestKindParse(t *testing.T) {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	rows := []struct {
		kind Kind
		text string
		want any // nil means that the text does not fit
	}{
		{Text, "a", "a"},
		{Text, "a\x00", nil},
		{Boolean, "true", true},
		{Boolean, "false", false},
		{Boolean, "True", nil},
		{UUID, sub, sub},
		{UUID, "7", nil},
		{Timestamp, "2026-11-23T13:00:00+01:00", at},
		{Timestamp, "1795435200", time.Unix(1795435200, 0).UTC()},
		{Timestamp, "1795435200123", time.UnixMilli(1795435200123).UTC()}, // as Cognito sends updated_at
		{Timestamp, "34359738368000", nil},
		{Timestamp, "-5", nil},
		{Timestamp, "yesterday", nil},
		{Timestamp, "9999-12-31T23:59:59-01:00", nil}, // the year 10000 in UTC, which encoding/json refuses
		{Timestamp, "0000-06-01T00:00:00Z", nil},      // PostgreSQL has no year 0
		{JSON, `{"a":[1]}`, json.RawMessage(`{"a":[1]}`)},
		{JSON, `{"a":"\\u0000"}`, json.RawMessage(`{"a":"\\u0000"}`)}, // a backslash before the text u0000
		{JSON, `{"a":"\u0000"}`, nil},
		{JSON, `{"a":"\\u0000 \u0000"}`, nil},
		{JSON, "a", nil},
		{JSON, `{"\ud83d\ude00":"\ud83d\ude00"}`, json.RawMessage(`{"\ud83d\ude00":"\ud83d\ude00"}`)},
		{JSON, `"\ud83d"`, nil}, // half of a surrogate pair
		{JSON, `"\ude00\ud83d"`, nil},
		{JSON, `"\ud83d\u0041"`, nil},
		{JSON, `["1e400000",true,1.5e3,-2E-3]`, json.RawMessage(`["1e400000",true,1.5e3,-2E-3]`)},
		{JSON, `[1e400000]`, nil},
		{JSON, `1E-99999999999999999999`, nil},
		{Integer, "-7", int32(-7)},
		{Integer, "2147483648", nil},
		{Integer, "7.5", nil},
		{Date, "1990-12-31", "1990-12-31"},
		{Date, "31.12.1990", nil},
		{Date, "0000-06-01", nil},
		{"money", "7", nil},
	}
	for _, row := range rows {
		got, err := row.kind.parse(row.text)
		if err != nil {
			got = nil
		}
		if !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s %q: %#v, %v; want %#v", row.kind, row.text, got, err, row.want)
		}
		if row.want == nil {
			continue
		}
		data, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := row.kind.decode(data); err != nil || !reflect.DeepEqual(back, row.want) || !row.kind.fits(back) {
			t.Errorf("%s %s decodes as %#v, %v", row.kind, data, back, err)
		}
	}
}

// shipped is the table that the suite ships with. The tests do not follow changes of Description.
var shipped = Table{
	Key:        "id",
	Sub:        "id",
	SyncedAt:   "synced_at",
	SignedInAt: "last_sign_in_at",
	Enabled:    "enabled",
	DeletedAt:  "deleted_at",
	Columns: []Column{
		{Name: "id", Kind: UUID, Source: Sub},
		{Name: "username", Kind: Text, Source: Username},
		{Name: "email", Kind: Text, Source: Attribute("email")},
		{Name: "email_verified", Kind: Boolean, Source: Verified("email", "email_verified")},
		{Name: "phone_number", Kind: Text, Source: Attribute("phone_number")},
		{Name: "phone_number_verified", Kind: Boolean, Source: Verified("phone_number", "phone_number_verified")},
		{Name: "name", Kind: Text, Source: Attribute("name")},
		{Name: "given_name", Kind: Text, Source: Attribute("given_name")},
		{Name: "family_name", Kind: Text, Source: Attribute("family_name")},
		{Name: "picture", Kind: Text, Source: Attribute("picture")},
		{Name: "locale", Kind: Text, Source: Attribute("locale")},
		{Name: "identity_provider", Kind: Text, Source: IdentityProvider},
		{Name: "status", Kind: Text, Source: Attribute("cognito:user_status")},
		{Name: "attributes", Kind: JSON, Source: CustomAttributes},
		{Name: "last_sign_in_at", Kind: Timestamp, Source: SignInTime},
		{Name: "synced_at", Kind: Timestamp, Source: SyncTime},
	},
}

// accounts is a table with another key, kinds, defaults and a required column.
var accounts = Table{
	Key:      "uid",
	SyncedAt: "syncedAt",
	Columns: []Column{
		{Name: "uid", Kind: Text, Source: UserID},
		{Name: "email", Kind: Text, Source: Attribute("email"), Required: true},
		{Name: "displayName", Kind: Text, Source: Attribute("name"), Default: ""},
		{Name: "tenantId", Kind: UUID, Source: Attribute("custom:tenant_id")},
		{Name: "name", Kind: JSON, Source: Object(map[string]string{"given": "given_name", "family": "family_name"})},
		{Name: "syncedAt", Kind: Timestamp, Source: SyncTime},
	},
}

func TestAnotherTable(t *testing.T) {
	const at = `"syncedAt":"2026-11-23T11:00:00.123456Z"`
	rows := []struct {
		name       string
		attributes map[string]string
		want       string
		columns    string
		dropped    []string
		err        error
	}{
		{"every column", map[string]string{"email": "j@example.com", "name": "Jane", "custom:tenant_id": sub, "given_name": "Jane", "family_name": "Doe", "custom:id": "7"},
			`{"uid":"7","email":"j@example.com","displayName":"Jane","tenantId":"` + sub + `","name":{"family":"Doe","given":"Jane"},` + at + `}`, "email displayName tenantId name syncedAt", nil, nil},
		{"the sub instead of USER_ID, and a default", map[string]string{"email": "j@example.com"},
			`{"uid":"` + sub + `","email":"j@example.com","displayName":"",` + at + `}`, "email syncedAt", nil, nil},
		{"a value that does not fit its kind", map[string]string{"email": "j@example.com", "custom:tenant_id": "acme", "given_name": "\x00"},
			`{"uid":"` + sub + `","email":"j@example.com","displayName":"",` + at + `}`, "email syncedAt", []string{"name.given", "tenantId"}, nil},
		{"an id that a header cannot carry", map[string]string{"email": "j@example.com", "custom:id": "7\n8"}, "", "", nil, ErrKey},
		{"a required column without a value", map[string]string{"name": "Jane"}, "", "", nil, ErrRequired},
	}
	for _, row := range rows {
		row.attributes["sub"] = sub
		r, dropped, err := accounts.Row(Sync{User: cognito.User{ID: sub, Attributes: row.attributes}, At: noon, SignedIn: true, UserID: "custom:id"})
		if !errors.Is(err, row.err) || err != nil {
			if !errors.Is(err, row.err) {
				t.Errorf("%s: %v, want %v", row.name, err, row.err)
			}
			continue
		}
		data, err := json.Marshal(r)
		if err != nil || string(data) != row.want {
			t.Errorf("%s: %v\n got %s\nwant %s", row.name, err, data, row.want)
		}
		if got := strings.Join(r.Columns(), " "); got != row.columns || !slices.Equal(dropped, row.dropped) {
			t.Errorf("%s: updates %s, want %s; dropped %q, want %q", row.name, got, row.columns, dropped, row.dropped)
		}
	}
	if accounts.KeyIsSub() || !shipped.KeyIsSub() || accounts.IsKey("") || accounts.IsKey("7\x7f") || !accounts.IsKey("7") || shipped.IsKey("7") {
		t.Error("the key of a table is not recognized")
	}
}

// Whatever a table looks like, a column without a value is never sent, and the key is never
// overwritten.
func TestColumnsWithoutAValueAreNeverSent(t *testing.T) {
	kinds := []Kind{Text, Boolean, UUID, Timestamp, JSON, Integer, Date}
	texts := []string{"", "a", "true", sub, "2026-11-23T12:00:00Z", `{"a":1}`, "7", "1990-12-31", "\x00"}
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1))
		table := Table{Key: "key", SyncedAt: "at", SignedInAt: []string{"", "in"}[random.IntN(2)], Columns: []Column{
			{Name: "key", Kind: Text, Source: Sub}, {Name: "at", Kind: Timestamp, Source: SyncTime}, {Name: "in", Kind: Timestamp, Source: SignInTime}}}
		user := cognito.User{ID: sub, Attributes: map[string]string{"sub": sub}}
		for i := range random.IntN(8) {
			c := Column{Name: fmt.Sprintf("c%d", i), Kind: kinds[random.IntN(len(kinds))], Source: Attribute(fmt.Sprintf("a%d", i))}
			if random.IntN(4) == 0 && c.Kind == Text {
				c.Default = "default"
			}
			table.Columns = append(table.Columns, c)
			if text := texts[random.IntN(len(texts))]; text != "" {
				user.Attributes[fmt.Sprintf("a%d", i)] = text
			}
		}
		r, dropped, err := table.Row(Sync{User: user, At: noon, SignedIn: random.IntN(2) == 0})
		if err != nil {
			t.Fatal(err)
		}
		sent := make(map[string]any)
		data, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(data, &sent)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range r.Columns() {
			if value, ok := sent[name]; !ok || value == nil || name == "key" {
				t.Fatalf("seed %d: updates %s, and sends %v", seed, name, sent)
			}
		}
		for _, c := range table.Columns[3:] {
			text := user.Attributes[strings.Replace(c.Name, "c", "a", 1)]
			_, err := c.Kind.parse(text)
			_, isSent := sent[c.Name]
			if want := text != "" && err == nil || c.Default != nil; isSent != want {
				t.Fatalf("seed %d: the %s %s of %q is sent: %t", seed, c.Kind, c.Name, text, isSent)
			}
			if want := text != "" && err != nil; slices.Contains(dropped, c.Name) != want {
				t.Fatalf("seed %d: dropped %q, want %s in it: %t", seed, dropped, c.Name, want)
			}
		}
	}
}

func TestDecode(t *testing.T) {
	values, dropped := accounts.Decode(map[string]json.RawMessage{
		"email": json.RawMessage(`"j@example.com"`), "gone": json.RawMessage(`1`), "tenantId": json.RawMessage(`"acme"`), "displayName": json.RawMessage("null")})
	if !reflect.DeepEqual(values, map[string]any{"email": "j@example.com"}) || !slices.Equal(dropped, []string{"gone", "tenantId"}) {
		t.Errorf("%v, dropped %q", values, dropped)
	}
}

// TestDescription finds mistakes in a description of your own.
func TestDescription(t *testing.T) {
	if err := Description.check(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(shipped.check(), accounts.check()); err != nil {
		t.Error(err)
	}
	rows := []struct {
		want   string
		change func(*Table)
	}{
		{"Key: no column uid", func(d *Table) { d.Key = "uid" }},
		{"Key: the source of the column email is email", func(d *Table) { d.Key = "email" }},
		{"id: a key of kind jsonb", func(d *Table) { d.Columns[0].Kind = JSON }},
		{"Sub: the source of the column email is email", func(d *Table) { d.Sub = "email" }},
		{"SyncedAt: missing", func(d *Table) { d.SyncedAt = "" }},
		{"SyncedAt: the source of the column last_sign_in_at is time of the sign-in", func(d *Table) { d.SyncedAt = "last_sign_in_at" }},
		{"email: more than one column has this name", func(d *Table) { d.Columns[1].Name = "email" }},
		{"username: the kind varchar does not exist", func(d *Table) { d.Columns[1].Kind = "varchar" }},
		{"username: the default 7 does not fit the kind text", func(d *Table) { d.Columns[1].Default = 7 }},
		{"username: the column is required and has a default", func(d *Table) { d.Columns[1].Default, d.Columns[1].Required = "", true }},
	}
	for _, row := range rows {
		d := shipped
		d.Columns = slices.Clone(shipped.Columns)
		row.change(&d)
		if err := d.check(); err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("got %v, want %s", err, row.want)
		}
	}
}

// check returns what is wrong with a table.
func (t *Table) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	role := func(role, name string, sources ...Source) {
		c := t.column(name)
		switch {
		case name == "":
		case c == nil:
			wrong("%s: no column %s", role, name)
		case !slices.ContainsFunc(sources, func(s Source) bool { return s.Name == c.Source.Name }):
			wrong("%s: the source of the column %s is %s", role, name, c.Source.Name)
		}
	}
	role("Key", t.Key, Sub, UserID)
	role("Sub", t.Sub, Sub)
	role("SyncedAt", t.SyncedAt, SyncTime)
	role("SignedInAt", t.SignedInAt, SignInTime)
	for role, name := range map[string]string{"Key": t.Key, "SyncedAt": t.SyncedAt} {
		if name == "" {
			wrong("%s: missing", role)
		}
	}
	names := make(map[string]bool)
	for _, c := range t.Columns {
		switch {
		case names[c.Name]:
			wrong("%s: more than one column has this name", c.Name)
		case !slices.Contains([]Kind{Text, Boolean, UUID, Timestamp, JSON, Integer, Date}, c.Kind):
			wrong("%s: the kind %s does not exist", c.Name, c.Kind)
		case c.Name == t.Key && c.Kind != UUID && c.Kind != Text:
			wrong("%s: a key of kind %s", c.Name, c.Kind)
		case c.Default != nil && c.Required:
			wrong("%s: the column is required and has a default", c.Name)
		case c.Default != nil && !c.Kind.fits(c.Default):
			wrong("%s: the default %v does not fit the kind %s", c.Name, c.Default, c.Kind)
		}
		names[c.Name] = true
	}
	return errors.Join(errs...)
}
