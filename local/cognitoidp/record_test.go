package cognitoidp

import (
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// shape replaces the values of a record, but not its names and the values that have a meaning.
func shape(value any) any {
	switch v := value.(type) {
	case Object:
		members := Object{}
		for name, value := range v {
			switch name {
			case "source", "eventSource", "detail-type", "eventType", "eventCategory", "eventVersion", "type", "principalId", "eventName", "errorCode", "version":
				members[name] = value
			default:
				members[name] = shape(value)
			}
		}
		if v["type"] == "IAMUser" {
			members["principalId"] = "text"
		}
		return members
	case []any:
		list := []any{}
		for _, value := range v {
			list = append(list, shape(value))
		}
		return list
	case string:
		if v == hidden {
			return v
		}
		return "text"
	}
	return value
}

// The records have the form of the examples: those that the follow function is tested with.
func TestRecordsAreAsCaptured(t *testing.T) {
	w := newWorld(t, "V2_0")
	golden := func(name string) (record Object) {
		t.Helper()
		data, err := os.ReadFile("../../functions/hasura-cognito-follow-users/testdata/" + name + ".json")
		if err == nil {
			err = json.Unmarshal(data, &record)
		}
		if err != nil {
			t.Fatal(err)
		}
		return record
	}
	check := func(name string) {
		t.Helper()
		got, want := shape(w.records[len(w.records)-1]), shape(golden(name))
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got\n%v\nwant\n%v", name, got, want)
		}
	}
	email := Attributes(map[string]string{"email": "jane@example.com"})
	w.do("", "SignUp", Object{"Username": "jane", "Password": password, "UserAttributes": email})
	check("sign-up")
	w.do("", "AdminConfirmSignUp", Object{"Username": "jane"})
	tokens, err := w.SignIn(t.Context(), web, "jane", password)
	if err != nil {
		t.Fatal(err)
	}
	w.do("", "UpdateUserAttributes", Object{"AccessToken": tokens.Access, "UserAttributes": email})
	check("update-user-attributes")
	w.do("NotAuthorizedException", "UpdateUserAttributes", Object{"AccessToken": tokens.Access, "UserAttributes": Attributes(map[string]string{"email_verified": "true"})})
	check("failed-update")
	w.do("", "AdminDeleteUser", Object{"Username": "jane"})
	check("admin-delete-user")

	// A token of managed login has what the example of managed login has, but no sub.
	if _, err := w.SignInFederated(t.Context(), web, Identity{Provider: "Google", Type: "Google", UserID: "17"}); err != nil {
		t.Fatal(err)
	}
	record, want := w.records[len(w.records)-1], golden("managed-login-confirm")
	for _, r := range []Object{record, want} {
		detail := r["detail"].(Object)
		delete(detail, "eventName")
		parameters := detail["additionalEventData"].(Object)["requestParameters"].(Object)
		for name := range parameters {
			if name != "client_id" && name != "code" {
				delete(parameters, name)
			}
		}
	}
	want["detail"].(Object)["additionalEventData"].(Object)["responseParameters"] = record["detail"].(Object)["additionalEventData"].(Object)["responseParameters"]
	if !reflect.DeepEqual(shape(record), shape(want)) {
		t.Errorf("managed login: got\n%v\nwant\n%v", record, want)
	}
}

// Each record has pool id, client id and sub where the captures have them, and hides what they hide.
func TestRecords(t *testing.T) {
	w := newWorld(t, "V2_0")
	anonymous, byAdmin := "Unknown", "IAMUser"
	name := Object{"Username": "adam"}
	with := func(more Object) Object {
		request := Object{"Username": "adam"}
		for name, value := range more {
			request[name] = value
		}
		return request
	}
	rows := []struct {
		refused   string
		operation string
		request   Object
		caller    string
		sub       bool
		readOnly  bool
		shown     Object // beside pool and client
	}{
		{"", "AdminCreateUser", with(Object{"TemporaryPassword": password, "MessageAction": "SUPPRESS"}), byAdmin, true, false, Object{"messageAction": "SUPPRESS"}},
		{"UsernameExists", "AdminCreateUser", name, byAdmin, false, false, nil},
		{"", "AdminSetUserPassword", with(Object{"Password": password, "Permanent": true}), byAdmin, true, false, Object{"permanent": true}},
		{"InvalidPassword", "AdminSetUserPassword", with(Object{"Password": "x", "Permanent": false}), byAdmin, true, false, Object{"permanent": false}},
		{"", "AdminUpdateUserAttributes", with(Object{"UserAttributes": Attributes(map[string]string{"name": "Adam"})}), byAdmin, true, false, nil},
		{"InvalidParameter", "AdminUpdateUserAttributes", with(Object{"UserAttributes": Attributes(map[string]string{"sub": "x"})}), byAdmin, false, false, nil},
		{"", "AdminAddUserToGroup", with(Object{"GroupName": "editor"}), byAdmin, true, false, Object{"groupName": "editor"}},
		{"ResourceNotFound", "AdminAddUserToGroup", with(Object{"GroupName": "none"}), byAdmin, true, false, Object{"groupName": "none"}},
		{"UserNotFound", "AdminAddUserToGroup", Object{"Username": "nobody", "GroupName": "editor"}, byAdmin, false, false, Object{"groupName": "editor"}},
		{"", "AdminRemoveUserFromGroup", with(Object{"GroupName": "none"}), byAdmin, true, false, Object{"groupName": "none"}},
		{"", "AdminListGroupsForUser", name, byAdmin, true, true, nil},
		{"", "AdminGetUser", name, byAdmin, true, true, nil},
		{"UserNotFound", "AdminGetUser", Object{"Username": "nobody"}, byAdmin, false, true, nil},
		{"", "ListUsers", Object{"Filter": `email = "adam@example.com"`, "Limit": 5}, byAdmin, false, true, Object{"limit": 5.0}},
		{"", "InitiateAuth", passwordOf("adam", password), anonymous, true, false, Object{"authFlow": "USER_PASSWORD_AUTH"}},
		{"NotAuthorized", "InitiateAuth", passwordOf("adam", "wrong"), anonymous, true, false, Object{"authFlow": "USER_PASSWORD_AUTH"}},
		{"NotAuthorized", "InitiateAuth", passwordOf("nobody", "wrong"), anonymous, false, false, Object{"authFlow": "USER_PASSWORD_AUTH"}},
		{"UsernameExists", "SignUp", with(Object{"Password": password}), anonymous, false, false, nil},
		{"", "AdminDisableUser", name, byAdmin, true, false, nil},
		{"", "AdminEnableUser", name, byAdmin, true, false, nil},
		{"", "DeleteGroup", Object{"GroupName": "editor"}, byAdmin, false, false, Object{"groupName": "editor"}},
		{"", "AdminDeleteUser", name, byAdmin, true, false, nil},
	}
	for i, row := range rows {
		w.do(row.refused, row.operation, row.request)
		if len(w.records) != i+1 {
			t.Fatalf("row %d, %s: %d records", i, row.operation, len(w.records))
		}
		detail := w.records[i]["detail"].(Object)
		if detail["eventName"] != row.operation || detail["readOnly"] != row.readOnly || member(detail, "userIdentity")["type"] != row.caller {
			t.Errorf("row %d, %s: got %v", i, row.operation, detail)
		}
		if _, failed := detail["errorCode"]; failed != (row.refused != "") || failed && detail["responseElements"] != nil {
			t.Errorf("row %d, %s: failed is %t: %v", i, row.operation, failed, detail)
		}
		if sub, _ := member(detail, "additionalEventData")["sub"].(string); (sub != "") != row.sub || !row.sub && detail["additionalEventData"] != nil {
			t.Errorf("row %d, %s: got the sub %q", i, row.operation, sub)
		}
		shown := Object{"userPoolId": poolID}
		if row.caller == anonymous {
			shown = Object{"clientId": web}
		}
		for name, value := range row.shown {
			shown[name] = value
		}
		for name, value := range member(detail, "requestParameters") {
			if value != hidden && fmt.Sprint(value) != fmt.Sprint(shown[name]) || value == hidden && shown[name] != nil {
				t.Errorf("row %d, %s: %s is %v", i, row.operation, name, value)
			}
			delete(shown, name)
		}
		if len(shown) > 0 {
			t.Errorf("row %d, %s: the record lacks %v", i, row.operation, shown)
		}
		text, err := json.Marshal(detail)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{password, "adam", "Adam", "eyJ"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("row %d, %s: %q is in the record: %s", i, row.operation, secret, text)
			}
		}
	}
}
