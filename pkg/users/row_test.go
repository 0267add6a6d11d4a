package users

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

const sub = "69f23de6-af9e-43cc-b208-8b269334667d"

var noon = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.FixedZone("", 3600))

func TestRowOf(t *testing.T) {
	const at = "2026-11-23T11:00:00.123456Z"
	jane := func(pairs ...string) cognito.User {
		u := cognito.User{ID: sub, Username: "jane", Attributes: map[string]string{"sub": sub}}
		for _, pair := range pairs {
			name, value, _ := strings.Cut(pair, "=")
			u.Attributes[name] = value
		}
		return u
	}
	rows := []struct {
		name    string
		sync    Sync
		row     string // without id, username and synced_at
		dropped []string
	}{
		{"the sub alone", Sync{User: jane()}, `{}`, nil},
		{"every attribute that has a column", Sync{User: jane(
			"email=jane@example.com", "email_verified=true", "phone_number=+12065550100", "phone_number_verified=false",
			"name=Jane Doe", "given_name=Jane", "family_name=Doe", "picture=https://example.com/j.png", "locale=en-GB",
			"cognito:user_status=CONFIRMED", "cognito:email_alias=j@example.com", "nickname=J", "custom:org_id=7", "custom:plan=pro"), SignedIn: true},
			`{"email":"jane@example.com","email_verified":true,"phone_number":"+12065550100","phone_number_verified":false,
			"name":"Jane Doe","given_name":"Jane","family_name":"Doe","picture":"https://example.com/j.png","locale":"en-GB",
			"status":"CONFIRMED","attributes":{"org_id":"7","plan":"pro"},"last_sign_in_at":"` + at + `"}`, nil},
		{"the primary provider", Sync{User: jane(`identities=[{"providerName":"Linked","primary":false},{"providerName":"Google","primary":true}]`)}, `{"identity_provider":"Google"}`, nil},
		{"the primary provider, as ID tokens write it", Sync{User: jane(`identities=[{"providerName":"Google","primary":"true"}]`)}, `{"identity_provider":"Google"}`, nil},
		{"only linked providers", Sync{User: jane(`identities=[{"providerName":"Linked","primary":false}]`)}, `{}`, nil},
		{"identities that are not JSON", Sync{User: jane(`identities=[{`)}, `{}`, []string{"identity_provider"}},
		{"identities that are not a list", Sync{User: jane(`identities={"providerName":"Google"}`)}, `{}`, []string{"identity_provider"}},
		{"a provider that cannot be stored", Sync{User: jane(`identities=[{"providerName":"G\u0000","primary":true}]`)}, `{}`, []string{"identity_provider"}},
		{"unreadable flags are false", Sync{User: jane("email=j@example.com", "phone_number=+1", "email_verified=True", "phone_number_verified=1")},
			`{"email":"j@example.com","email_verified":false,"phone_number":"+1","phone_number_verified":false}`, []string{"email_verified", "phone_number_verified"}},
		{"absent flags are false", Sync{User: jane("email=j@example.com", "phone_number=+1")},
			`{"email":"j@example.com","email_verified":false,"phone_number":"+1","phone_number_verified":false}`, nil},
		{"a flag is not written without its value", Sync{User: jane("email_verified=true", "phone_number=\x00", "phone_number_verified=true")}, `{}`, []string{"phone_number"}},
		{"U+0000 in any text", Sync{User: jane("email=a\x00b", "name=Jane", "custom:a=x\x00", "custom:b=y", "custom:\x00=z")}, `{"name":"Jane","attributes":{"b":"y"}}`, []string{"attributes.\x00", "attributes.a", "email"}},
		{"U+0000 in all custom attributes", Sync{User: jane("custom:a=\x00")}, `{}`, []string{"attributes.a"}},
	}
	for _, row := range rows {
		row.sync.At = noon
		got, dropped, err := shipped.Row(row.sync)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(dropped, row.dropped) {
			t.Errorf("%s: dropped %q, want %q", row.name, dropped, row.dropped)
		}
		want := members(t, []byte(row.row))
		want["id"], want["username"], want["synced_at"] = sub, "jane", at
		data, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if sent := members(t, data); !reflect.DeepEqual(sent, want) {
			t.Errorf("%s:\n got %s\nwant %v", row.name, data, want)
		}

		delete(want, "id")
		if columns := slices.Sorted(slices.Values(got.Columns())); !slices.Equal(columns, slices.Sorted(maps.Keys(want))) {
			t.Errorf("%s: updates %q, want the columns of %v", row.name, columns, want)
		}
	}
}

func members(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(data, &m); err != nil {
		t.Fatalf("%s: %v", data, err)
	}
	return m
}

func TestUsernameThatCannotBeStored(t *testing.T) {
	r, dropped, err := shipped.Row(Sync{User: cognito.User{ID: sub, Username: "a\x00"}, At: noon})
	if _, ok := r.Values["username"]; err != nil || ok || !slices.Equal(dropped, []string{"username"}) {
		t.Errorf("row %v, dropped %q, error %v", r.Values, dropped, err)
	}
}

func TestCap(t *testing.T) {
	r, _, err := shipped.Row(Sync{User: cognito.User{ID: sub}, At: noon, SignedIn: true})
	if err != nil {
		t.Fatal(err)
	}
	r.Cap(noon.Add(time.Hour))
	if want := noon.Truncate(time.Microsecond); !r.SyncedAt.Equal(want) || !r.SignedInAt.Equal(want) {
		t.Errorf("a later limit changes the row: %v, %v", r.SyncedAt, r.SignedInAt)
	}
	limit := noon.Add(-time.Hour).Truncate(time.Microsecond)
	r.Cap(limit)
	if !r.SyncedAt.Equal(limit) || !r.SignedInAt.Equal(limit) {
		t.Errorf("%v, %v; want %v", r.SyncedAt, r.SignedInAt, limit)
	}
}

func TestRowTellsItsSubAlone(t *testing.T) {
	r := Row{Table: &shipped, Sub: sub, Key: "canary", Values: map[string]any{"email": "canary@example.com"}}
	var out strings.Builder
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "row", r)
	fmt.Fprintf(&out, "%v %+v %#v %s", r, r, r, r)
	if strings.Contains(out.String(), "canary") || !strings.Contains(out.String(), sub) {
		t.Errorf("a row is printed as %s", &out)
	}
}

func TestKeyIsAUUID(t *testing.T) {
	rows := map[string]bool{
		sub:                                    true,
		strings.ToUpper(sub):                   true,
		"e6429214-e051-7098-998d-414acc8730a1": true, // a newer pool's
		"":                                     false,
		"google_109511962726719500000":         false,
		"69f23de6af9e43ccb2088b269334667d":     false,
		"69f23de6-af9e-43cc-b208-8b269334667g": false,
		"69f23de6-af9e-43cc-b2088-b269334667d": false,
		"{" + sub[1:35] + "}":                  false,
	}
	for text, want := range rows {
		if _, _, err := shipped.Row(Sync{User: cognito.User{ID: text}}); (err == nil) != want || err != nil && err != ErrKey {
			t.Errorf("the sub %q: %v, want a row: %t", text, err, want)
		}
	}
}
