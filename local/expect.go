package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// The expectations share no code with the functions. A mistake must be made twice to go unnoticed.

// facts are what is checked about an event, by name.
type facts map[string]string

var uuid = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// The Cognito error of a sign-in that SYNC_ON_FAILURE=refuse refuses.
const refusal = "UserLambdaValidationException: PostAuthentication failed with error Sign-in is not possible right now. Please try again.."

// outcome is the log message that the event must end with.
func (e event) outcome(c choice) string {
	switch {
	case e.trigger == outageSection && c["SYNC_ON_FAILURE"] == "refuse":
		return "sign-in refused"
	case e.trigger == outageSection:
		return "parked"
	case strings.HasPrefix(e.TriggerSource, "TokenGeneration_") && e.claims(c) != nil:
		return "shaped"
	case strings.HasPrefix(e.TriggerSource, "TokenGeneration_"), e.trigger == "pre-token-generation": // a machine, or a test event
		return "passed through"
	case e.TriggerSource == "PostConfirmation_ConfirmSignUp",
		e.TriggerSource == "PostConfirmation_ConfirmForgotPassword",
		e.TriggerSource == "PostAuthentication_Authentication":
		for _, column := range users.Description.Columns {
			switch value := e.value(column, c); {
			case column.Name == users.Description.Key && (value == "" || e.attribute("sub") == ""):
				return "permanent failure"
			case column.Required && value == "":
				return "ignored"
			}
		}
		return "synced"
	}
	return "ignored"
}

// expect returns the facts that the event must lead to. known has the users who have a row.
func (e event) expect(c choice, known map[string]bool) facts {
	outcome := e.outcome(c)
	want := facts{"outcome": outcome, "event": "unchanged", "Cognito": "accepts the answer"}
	switch {
	case outcome == "sign-in refused":
		return facts{"outcome": outcome, "Cognito": refusal}
	case e.function() == functions.Sync:
		if outcome == "synced" || outcome == "parked" {
			e.expectRow(c, want)
		}
	case !e.test():
		claims := e.claims(c)
		if claims != nil && !e.machine() { // a machine has no ID token
			e.expectToken("id", claims, c, want)
			want["id token, Hasura"] = e.verdict(claims, c, known)
		}
		if !e.isV2() { // the trigger cannot change the access token
			claims = nil
		}
		e.expectToken("access", claims, c, want)
		want["access token, Hasura"] = e.verdict(claims, c, known)
	}
	return want
}

// isV2 reports whether the version of the trigger is V2_0 or V3_0.
func (e event) isV2() bool {
	return e.Version == "2" || e.Version == "3" || e.Request.Scopes != nil
}

// expectRow adds the columns that a sync of this event writes.
func (e event) expectRow(c choice, want facts) {
	for _, column := range users.Description.Columns {
		if value := e.value(column, c); value != "" {
			want["row, "+column.Name] = value
		}
	}
}

// value is the text of a column that a sync of this event writes; "" if it writes none. A value that does not fit the
// column's kind is left out, and so is U+0000, which PostgreSQL cannot store.
func (e event) value(column users.Column, c choice) string {
	value := ""
	switch source := column.Source.Name; {
	case source == users.Sub.Name:
		value = e.attribute("sub")
	case source == users.UserID.Name:
		value = e.userID(c)
	case source == users.Username.Name:
		value = e.UserName
	case source == users.SyncTime.Name, source == users.SignInTime.Name && strings.HasPrefix(e.TriggerSource, "PostAuthentication_"):
		return "set"
	case source == users.IdentityProvider.Name: // a part of an attribute; local/stack/testdata has it
	case source == users.CustomAttributes.Name:
		of := make(map[string]string)
		for name := range e.Request.UserAttributes {
			if member, custom := strings.CutPrefix(name, "custom:"); custom {
				of[member] = name
			}
		}
		return e.object(of)
	case source[0] == '{': // as in {family: family_name, given: given_name}
		of := make(map[string]string)
		for pair := range strings.SplitSeq(strings.Trim(source, "{}"), ", ") {
			member, attribute, _ := strings.Cut(pair, ": ")
			of[member] = attribute
		}
		return e.object(of)
	default:
		value = e.attribute(source)
		// A new address is verified only if the event says so.
		if address, flag := strings.CutSuffix(source, "_verified"); flag && column.Kind == users.Boolean {
			value = ""
			if text := e.attribute(address); text != "" && !strings.ContainsRune(text, 0) {
				value = fmt.Sprint(e.variable(source) == "true")
			}
		}
	}
	if form := forms[column.Kind]; strings.ContainsRune(value, 0) || form != nil && !form.MatchString(value) {
		return ""
	}
	switch column.Kind {
	case users.UUID:
		value = strings.ToLower(value)
	case users.Timestamp:
		value = "set"
	}
	return value
}

// forms are those of the kinds whose values have one.
var forms = map[users.Kind]*regexp.Regexp{
	users.UUID: uuid, users.Boolean: regexp.MustCompile(`^(true|false)$`), users.Integer: regexp.MustCompile(`^-?\d{1,9}$`),
	users.Date: regexp.MustCompile(`^\d{4}-\d\d-\d\d$`), users.Timestamp: regexp.MustCompile(`^(\d+|\d{4}-\d\d-\d\dT\S+)$`),
}

// object is a JSON object of attributes, by member.
func (e event) object(of map[string]string) string {
	members := make(map[string]string)
	for member, attribute := range of {
		switch value := e.Request.UserAttributes[attribute].(type) {
		case string, bool, float64: // some emulators send booleans and numbers
			if text := fmt.Sprint(value); text != "" && !strings.ContainsRune(member+text, 0) {
				members[member] = text
			}
		}
	}
	if len(members) == 0 {
		return ""
	}
	return jsonText(members)
}

// expectToken adds what a token must contain. claims are Hasura's; nil means none.
func (e event) expectToken(use string, claims map[string]any, c choice, want facts) {
	put := func(name string, value any) { want[use+" token, "+name] = jsonText(value) }
	if groups := e.Request.GroupConfiguration.GroupsToOverride; len(groups) > 0 {
		put("cognito:groups", groups)
	}
	if roles := e.Request.GroupConfiguration.IAMRolesToOverride; use == "id" && len(roles) > 0 {
		put("cognito:roles", roles)
	}
	if claims == nil {
		return
	}
	put("claims", claims)
	if e.isReadable(c) && (claims["x-hasura-tenant-ids"] != nil || claims["x-hasura-client-id"] != nil) {
		tenants, active := e.tenants(c)
		want[use+" token, documents"] = expectDocuments(claims, tenants, active)
	}
	put("claims_format", e.format(c))
	if use == "access" && c["ACCESS_TOKEN_AUDIENCE"] == "client_id" && e.CallerContext.ClientID != "" {
		put("aud", e.CallerContext.ClientID)
	}
}

// format is the form of the claims. A V1_0 trigger can give a string alone.
func (e event) format(c choice) string {
	if c["CLAIMS_FORMAT"] == "json" && e.isV2() {
		return "json"
	}
	return "stringified_json"
}

// isReadable reports whether the claims have the format that Hasura is configured for.
func (e event) isReadable(c choice) bool {
	return e.format(c) == cmp.Or(c["CLAIMS_FORMAT"], "stringified_json")
}

// verdict is Hasura's verdict on a token with these claims: a query of users in the token's default role. The metadata
// give the role user its own row, and other roles nothing. admin reads every row.
func (e event) verdict(claims map[string]any, c choice, known map[string]bool) string {
	if claims == nil || !e.isReadable(c) {
		return "refused: jwt-invalid-claims"
	}
	id, _ := claims["x-hasura-user-id"].(string) // the token of a machine has no user id
	switch role := claims["x-hasura-default-role"]; {
	case role == "admin":
		return verdict(id, slices.Collect(maps.Keys(known)))
	case role != "user":
		return "refused: validation-failed"
	case id == "":
		return "refused: not-found" // the permission needs the session variable
	case keyKind() == users.UUID && !uuid.MatchString(id), strings.ContainsRune(id, 0):
		return "refused: data-exception" // the key is compared with it
	case known[id]:
		return verdict(id, []string{id})
	}
	return verdict(id, nil)
}

func keyKind() users.Kind {
	for _, column := range users.Description.Columns {
		if column.Name == users.Description.Key {
			return column.Kind
		}
	}
	return ""
}

// verdict says which rows Hasura showed to a user.
func verdict(id string, seen []string) string {
	switch {
	case len(seen) == 0:
		return "accepted, no row yet"
	case len(seen) > 1 || seen[0] != id:
		return "accepted, READS OTHER ROWS"
	}
	return "accepted, reads own row"
}

// jsonText is a value as JSON, with the members of objects in order.
func jsonText(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
