package userpool

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
)

// AdminClient is the client id in events of operations by administrators.
const AdminClient = "CLIENT_ID_NOT_APPLICABLE"

// ClientCredentials is the trigger source of a token for a machine.
const ClientCredentials = "TokenGeneration_ClientCredentials"

// A Trigger is what the pool tells a function.
type Trigger struct {
	Source     string // the triggerSource
	Version    string // of pre token generation: 1, 2 or 3. The other triggers have only version 1
	PoolID     string
	ClientID   string
	Username   string            // of a machine: the client id
	Attributes map[string]string // with cognito:user_status
	Groups     []string
	Scopes     []string          // only pre token generation from version 2 on has them
	Metadata   map[string]string // the clientMetadata; nil if the app sent none
	NewDevice  bool
}

// Event returns the event, with the members that recorded events have, in their order.
func (t Trigger) Event() []byte {
	trigger, _, _ := strings.Cut(t.Source, "_")
	isToken := trigger == "TokenGeneration"
	var request []member
	response, version := object(), "1"
	if t.Source != ClientCredentials {
		request = append(request, member{"userAttributes", t.Attributes})
	}
	switch {
	case isToken:
		version = t.Version
		if t.Source != ClientCredentials {
			request = append(request, member{"groupConfiguration", object(member{"groupsToOverride", append([]string{}, t.Groups...)},
				member{"iamRolesToOverride", []string{}}, member{"preferredRole", nil})})
		}
		response = object(member{"claimsOverrideDetails", nil})
		if version != "1" {
			request = append(request, member{"scopes", t.Scopes})
			response = object(member{"claimsAndScopeOverrideDetails", nil})
		}
	case trigger == "PostAuthentication":
		request = append(request, member{"newDeviceUsed", t.NewDevice})
	}
	if len(t.Metadata) > 0 {
		request = append(request, member{"clientMetadata", t.Metadata})
	} else if t.ClientID == AdminClient {
		request = append(request, member{"clientMetadata", nil})
	}
	region, _, _ := strings.Cut(t.PoolID, "_")
	source := member{"triggerSource", t.Source}
	event := []member{
		{"version", version}, {"region", region}, {"userPoolId", t.PoolID}, {"userName", t.Username},
		{"callerContext", object(member{"awsSdkVersion", "aws-sdk-unknown-unknown"}, member{"clientId", t.ClientID})},
		source, {"request", nil}, {"response", response},
	}
	byName := func(a, b member) int { return strings.Compare(a.name, b.name) }
	switch {
	case version == "3":
		slices.SortFunc(request, byName)
		slices.SortFunc(event, byName)
	case isToken:
		event = slices.Insert(slices.Delete(event, 5, 6), 1, source)
	}
	for i := range event {
		if event[i].name == "request" {
			event[i].value = object(request...)
		}
	}
	return object(event...)
}

// A member is a member of a JSON object, which keeps its place.
type member struct {
	name  string
	value any
}

func object(members ...member) json.RawMessage {
	var parts []string
	for _, m := range members {
		name, err := json.Marshal(m.name)
		value, valueErr := json.Marshal(m.value)
		if err := errors.Join(err, valueErr); err != nil {
			panic(err) // events have texts, lists and objects
		}
		parts = append(parts, string(name)+":"+string(value))
	}
	return json.RawMessage("{" + strings.Join(parts, ",") + "}")
}
