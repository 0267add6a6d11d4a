package users

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

func TestMirror(t *testing.T) {
	rows := []struct {
		name       string
		table      *Table
		attributes map[string]string
		want       string
	}{
		{"a user with two attributes", &shipped, map[string]string{"email": "j@example.com", "custom:plan": "pro"},
			`{"id":"` + sub + `","username":null,"email":"j@example.com","email_verified":false,"phone_number":null,"phone_number_verified":null,"name":null,` +
				`"given_name":null,"family_name":null,"picture":null,"locale":null,"identity_provider":null,"status":null,"attributes":{"plan":"pro"},` +
				`"synced_at":"2026-11-23T11:00:00.123456Z","enabled":true,"deleted_at":null}`},
		{"a user without attributes", &shipped, nil,
			`{"id":"` + sub + `","username":null,"email":null,"email_verified":null,"phone_number":null,"phone_number_verified":null,"name":null,` +
				`"given_name":null,"family_name":null,"picture":null,"locale":null,"identity_provider":null,"status":null,"attributes":{},` +
				`"synced_at":"2026-11-23T11:00:00.123456Z","enabled":true,"deleted_at":null}`},
		{"another table, with a default", &accounts, map[string]string{"email": "j@example.com", "custom:id": "7"},
			`{"uid":"7","email":"j@example.com","displayName":"","tenantId":null,"name":{},"syncedAt":"2026-11-23T11:00:00.123456Z"}`},
	}
	for _, row := range rows {
		r, _, err := row.table.Mirror(Sync{User: cognito.User{ID: sub, Attributes: row.attributes}, At: noon, SignedIn: true, UserID: "custom:id"}, true)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(r)
		if err != nil || string(data) != row.want {
			t.Errorf("%s: %v\n got %s\nwant %s", row.name, err, data, row.want)
		}
		var sent map[string]any
		if err := json.Unmarshal(data, &sent); err != nil {
			t.Fatal(err)
		}
		if columns := r.Columns(); len(columns) != len(sent)-1 || slices.Contains(columns, row.table.Key) {
			t.Errorf("%s: updates %q, want all that is sent but the key: %s", row.name, columns, data)
		}
	}
}

func TestEqual(t *testing.T) {
	noon := noon.Truncate(time.Microsecond)
	rows := []struct {
		kind   Kind
		value  any
		stored string
		want   bool
	}{
		{Text, nil, "", true}, {Text, nil, "null", true}, {Text, nil, `""`, false}, {Text, "a", "null", false},
		{Text, "a", `"a"`, true}, {Text, "a", `"A"`, false}, {Text, "é\"\\", `"\u00e9\"\\"`, true}, {Text, "1", "1", false},
		{UUID, strings.ToUpper(sub), `"` + sub + `"`, true}, {UUID, sub, `"7"`, false},
		{Boolean, true, "true", true}, {Boolean, false, "true", false}, {Boolean, false, "null", false},
		{Integer, int32(-7), "-7", true}, {Integer, int32(7), "8", false}, {Date, "1990-12-31", `"1990-12-31"`, true},
		{Timestamp, noon.UTC(), `"2026-11-23T11:00:00.123456+00:00"`, true}, {Timestamp, noon, `"2026-11-23T12:00:00.123456+00:00"`, false},
		{Timestamp, noon, `"yesterday"`, false},
		{JSON, json.RawMessage(`{"a":"1","bb":2}`), `{"bb": 2, "a": "1"}`, true}, {JSON, json.RawMessage(`{}`), `{"a": "1"}`, false},
		{JSON, json.RawMessage(`{"a":"1"}`), `{"a": "1", "b": null}`, false}, {JSON, json.RawMessage(`[1,2]`), `[2, 1]`, false},
		{JSON, json.RawMessage(`[1e2,1.50,{"x":true}]`), `[100, 1.50, {"x": true}]`, true}, {JSON, json.RawMessage(`1e2`), `101`, false},
		{JSON, json.RawMessage(`1e999999999`), `1`, false}, {JSON, json.RawMessage(`"1"`), `1`, false}, {JSON, json.RawMessage(`1`), `x`, false},
	}
	for _, row := range rows {
		if got := row.kind.equal(row.value, json.RawMessage(row.stored)); got != row.want {
			t.Errorf("%s: %v equals %s: %t, want %t", row.kind, row.value, row.stored, got, row.want)
		}
	}
}

// A row equals what was stored of it, and differs in exactly the columns that were changed.
func TestDifferencesAreThoseThatWereMade(t *testing.T) {
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 2))
		user := cognito.User{ID: sub, Attributes: map[string]string{"sub": sub}}
		for _, name := range []string{"email", "phone_number", "name", "locale", "custom:a", "custom:b"} {
			if random.IntN(2) == 0 {
				user.Attributes[name] = fmt.Sprint("\u00e9\"\u2028<", random.IntN(9))
			}
		}
		r, _, err := shipped.Mirror(Sync{User: user, At: noon}, random.IntN(2) == 0)
		if err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var stored Stored
		if err := json.Unmarshal(data, &stored); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, name := range r.Columns() {
			if name != "synced_at" && random.IntN(6) == 0 {
				i := slices.IndexFunc(stored, func(v Value) bool { return v.Column == name })
				stored[i].JSON = json.RawMessage(`"changed"`)
				want = append(want, name)
			}
		}
		if got := shipped.Differences(r, stored); !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %q, want %q", seed, got, want)
		}
	}
}

func TestErased(t *testing.T) {
	erased := shipped.Erased()
	for _, name := range []string{"email", "username", "last_sign_in_at", "attributes"} {
		if _, ok := erased[name]; !ok {
			t.Errorf("%s is not emptied", name)
		}
	}
	for _, name := range []string{"id", "synced_at", "enabled", "deleted_at"} {
		if _, ok := erased[name]; ok {
			t.Errorf("%s is emptied", name)
		}
	}
	if got := accounts.Erased(); !reflect.DeepEqual(got, map[string]any{"email": nil, "displayName": "", "tenantId": nil, "name": json.RawMessage("{}")}) {
		t.Errorf("the other table is emptied with %v", got)
	}
	empty := Stored{{"id", json.RawMessage(`"` + sub + `"`)}, {"attributes", json.RawMessage("{}")}, {"enabled", json.RawMessage("false")}}
	if !shipped.IsErased(empty) {
		t.Error("an empty row does not count as one")
	}
	if shipped.IsErased(append(empty, Value{"name", json.RawMessage(`"Jane"`)})) {
		t.Error("a row with a name counts as empty")
	}
}

// A stored row is decoded as encoding/json decodes a map.
func FuzzStored(f *testing.F) {
	for _, text := range []string{`{}`, `null`, `{"id":"a","n":1,"b":true,"z":null}`, `{ "a" : {"b" : [1, "}", {}]} , "c":"\\\"" }`, `{"a":-1e5 ,"b":[]}`, `{"a":"\u0022:{","b":2}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var want map[string]json.RawMessage
		if json.Unmarshal(data, &want) != nil || bytes.ContainsRune(data, '\\') && !bytes.HasPrefix(data, []byte(`{"a":"`)) {
			return // not an object, or one with escaped names, which no column has
		}
		for name := range want {
			if !utf8.ValidString(name) || strings.ContainsAny(name, "\"\\\ufffd") || strings.ContainsFunc(name, unicode.IsControl) {
				return // not the name of a column
			}
		}
		var got Stored
		if err := json.Unmarshal(data, &got); err != nil {
			t.Fatal(err)
		}
		for _, v := range got {
			if _, ok := want[v.Column]; !ok {
				t.Errorf("%s: the column %s is not there", data, v.Column)
			}
		}
		for name, raw := range want {
			if string(got.Get(name)) != string(raw) {
				t.Errorf("%s: %s is %s, want %s", data, name, got.Get(name), raw)
			}
		}
	})
}
