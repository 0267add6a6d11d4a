package main

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// facts is what the rules below read of an event. They share no code with the functions,
// so that a mistake has to be made twice to go unnoticed.
type facts struct {
	Version       string
	TriggerSource string
	UserPoolID    string `json:"userPoolId"`
	UserName      string
	Request       struct {
		UserAttributes     map[string]any
		Scopes             []string
		GroupConfiguration struct {
			GroupsToOverride   []string
			IAMRolesToOverride []string
		}
	}
}

func (e recorded) facts() facts {
	var f facts
	// The test events have other types in places; what cannot be read stays empty.
	_ = json.Unmarshal(e.json, &f)
	return f
}

// attribute is the text of a string attribute.
func (f facts) attribute(name string) string {
	text, _ := f.Request.UserAttributes[name].(string)
	return text
}

var (
	anUUID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)
	aName  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)
)

// outcome is the log phrase that the event has to end in.
func (f facts) outcome() string {
	switch {
	case strings.HasPrefix(f.TriggerSource, "TokenGeneration_"):
		if f.attribute("sub") == "" {
			return "passed through" // a machine's token
		}
		return "shaped"
	case f.TriggerSource == "PostConfirmation_ConfirmSignUp",
		f.TriggerSource == "PostConfirmation_ConfirmForgotPassword",
		f.TriggerSource == "PostAuthentication_Authentication":
		if !anUUID.MatchString(f.attribute("sub")) {
			return "permanent failure"
		}
		return "synced"
	}
	return ""
}

// outcome is that of the event's facts, but in an outage and of a test event that no
// trigger source belongs to.
func (e recorded) outcome() string {
	if e.trigger == anOutage {
		return "parked"
	}
	if o := e.facts().outcome(); o != "" {
		return o
	}
	if e.trigger == "pre-token-generation" {
		return "passed through"
	}
	return "ignored"
}

// hasuraClaims is what stands under Hasura's namespace.
type hasuraClaims struct {
	UserID  string   `json:"x-hasura-user-id"`
	Allowed []string `json:"x-hasura-allowed-roles"`
	Default string   `json:"x-hasura-default-role"`
}

// claims is what a person's tokens have to say. Without settings every group is a role
// if its name can be one, but for Hasura's superuser in any spelling and for the group
// that Cognito makes for an identity provider.
func (f facts) claims() hasuraClaims {
	roles := []string{"user"}
	for _, group := range f.Request.GroupConfiguration.GroupsToOverride {
		if aName.MatchString(group) && strings.ToLower(group) != "admin" &&
			!strings.HasPrefix(group, f.UserPoolID+"_") && !slices.Contains(roles, group) {
			roles = append(roles, group)
		}
	}
	return hasuraClaims{UserID: f.attribute("sub"), Allowed: roles, Default: "user"}
}

// access reports whether the trigger's version lets it put claims into the access token.
func (f facts) access() bool {
	return f.Version == "2" || f.Version == "3" || f.Request.Scopes != nil
}

// columns are the attributes that are copied into the row as they are.
var columns = []string{"email", "phone_number", "name", "given_name", "family_name", "picture", "locale"}

// row is the columns that a sync of this event has to leave behind. PostgreSQL can store
// U+0000 in no text; an attribute that has it is left out.
func (f facts) row() map[string]string {
	want := map[string]string{"id": strings.ToLower(f.attribute("sub")), "username": f.UserName}
	if status := f.attribute("cognito:user_status"); status != "" {
		want["status"] = status
	}
	for _, column := range columns {
		if value := f.attribute(column); value != "" && !strings.ContainsRune(value, 0) {
			want[column] = value
		}
	}
	return want
}
