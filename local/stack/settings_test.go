package stack

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/functions"
)

func TestReadSettings(t *testing.T) {
	rows := []struct {
		name string
		env  map[string]string
		want string // the settings, or a part of the error
	}{
		{"none", map[string]string{"HOME": "/"}, ""},
		{"two", map[string]string{"ROLES": "staff=editor", "USER_ID": "custom:id"}, "ROLES=staff=editor USER_ID=custom:id"},
		{"a stand-in's", map[string]string{"SECRETS_ARN": "x"}, "SECRETS_ARN: the local environment sets it"},
		{"an invalid one of the sync function", map[string]string{"SYNC_BUDGET": "x"}, "SYNC_BUDGET: "},
		{"an invalid one of the claims function", map[string]string{"CLAIMS_FORMAT": "x"}, "CLAIMS_FORMAT: "},
		{"one that needs another", map[string]string{"TENANT_ATTRIBUTE": "custom:tenant_id"}, "TENANT_ATTRIBUTE: "},
	}
	for _, row := range rows {
		got, err := ReadSettings(func(name string) string { return row.env[name] })
		text := got.String()
		if err != nil {
			text = err.Error()
		}
		if err == nil && text != row.want || err != nil && (!strings.Contains(text, row.want) || row.want == "") {
			t.Errorf("%s: %s, want %s", row.name, text, row.want)
		}
	}
}

func TestSettingsSet(t *testing.T) {
	var c Config
	Settings{"USER_ID": "custom:id", "ROLES": "*", "CLAIMS_FORMAT": "json", "SECRETS_KEY": "key"}.Set(&c)
	want := map[string][]string{
		functions.Claims: {"CLAIMS_FORMAT", "ROLES", "USER_ID"}, functions.Sync: {"SECRETS_KEY", "USER_ID"}, functions.Replay: {"SECRETS_KEY"},
		functions.Reconcile: {"SECRETS_KEY", "USER_ID"}, functions.Follow: {"SECRETS_KEY", "USER_ID"},
	}
	for function, names := range want {
		if got := slices.Sorted(maps.Keys(c.Env[function])); !slices.Equal(got, names) {
			t.Errorf("%s: settings = %q, want %q", function, got, names)
		}
	}
	if c.SecretKey != "key" || c.JWT.Format != "json" {
		t.Errorf("config = %+v, want the key of the secret and the format of the claims", c)
	}
}
