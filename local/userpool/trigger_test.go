package userpool

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"
)

// odd are recorded events with members that Cognito sends only to some pools, or that others than Cognito sent.
var odd = regexp.MustCompile(`-test-|cognito-local|ministack|iam-roles|escalation|no-group-configuration|unknown-fields|booleans|client-credentials-nulls`)

// Each recorded event is made again from what it says about the user.
func TestEventsAreAsRecorded(t *testing.T) {
	paths, err := filepath.Glob("../../events/*.json")
	if err != nil {
		t.Fatal(err)
	}
	made := make(map[string]bool)
	for _, path := range paths {
		if odd.MatchString(path) {
			continue
		}
		recorded, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var e struct {
			Version, TriggerSource, UserPoolID, UserName string
			CallerContext                                struct{ ClientID string }
			Request                                      struct {
				UserAttributes, ClientMetadata map[string]string
				Scopes                         []string
				GroupConfiguration             struct{ GroupsToOverride []string }
				NewDeviceUsed                  bool
			}
		}
		if err := json.Unmarshal(recorded, &e); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		got := Trigger{Source: e.TriggerSource, Version: e.Version, PoolID: e.UserPoolID, ClientID: e.CallerContext.ClientID, Username: e.UserName,
			Attributes: e.Request.UserAttributes, Groups: e.Request.GroupConfiguration.GroupsToOverride, Scopes: e.Request.Scopes,
			Metadata: e.Request.ClientMetadata, NewDevice: e.Request.NewDeviceUsed}.Event()
		if !reflect.DeepEqual(decoded(t, got), decoded(t, recorded)) {
			t.Errorf("%s: got\n%s", path, got)
		}
		made[e.Version+" "+e.TriggerSource] = true
	}
	for _, source := range []string{"Authentication", "HostedAuth", "RefreshTokens", "NewPasswordChallenge", "AuthenticateDevice"} {
		for _, version := range []string{"1", "2", "3"} {
			if event := version + " TokenGeneration_" + source; !made[event] {
				t.Errorf("no event of %s was made", event)
			}
		}
	}
	for _, event := range []string{"1 PostConfirmation_ConfirmSignUp", "1 PostConfirmation_ConfirmForgotPassword", "1 PostAuthentication_Authentication", "3 " + ClientCredentials} {
		if !made[event] {
			t.Errorf("no event of %s was made", event)
		}
	}
}

func decoded(t *testing.T, data []byte) (value any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%v: %s", err, data)
	}
	return value
}
