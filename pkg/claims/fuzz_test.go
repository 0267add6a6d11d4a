package claims

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// Whatever groups, attributes, client metadata and settings come in, Hasura accepts the
// claims, and they have no role and no tenant that no group grants.
func FuzzUser(f *testing.F) {
	f.Add("editor\nadmin", "69f23de6-af9e-43cc-b208-8b269334667d", "7", "", "ROLES=")
	f.Add("a b\n\"\nÜ\neu-west-1_Pool_Google", "s", "admin", "", "ROLES=a b=staff,editor=admin")
	f.Add("x\x00y\xff\n<script>", "\x00", "{\"x-hasura-role\":\"admin\"}", "", "DEFAULT_ROLE=admin,editor")
	f.Add("acme:admin\nacme:editor\nglobex:viewer\na:b:c", "s", "globex", "acme", "TENANT_GROUPS={tenant}:{role}\nTENANT_ATTRIBUTE=custom:org_id")
	f.Add("tenant-acme-corp-admin\ntenant-acme\nstaff.x", "s", "[staff.x, owners]", "x", "TENANT_GROUPS=tenant-{tenant}-{role}\nROLES=*,owners=owner\nROLE_ATTRIBUTE=custom:role")
	f.Add("admin@acme\nroot@acme", "s", "[\"root\"]", "acme", "TENANT_GROUPS={role}@{tenant}\nROLES=root=admin\nROLE_ATTRIBUTE=custom:role")
	f.Add("\x00:editor", "s", "", "\x00", "TENANT_GROUPS={tenant}:{role}")
	f.Fuzz(func(t *testing.T, names, sub, attribute, wanted, environment string) {
		if !utf8.ValidString(environment) { // Lambda's variables are text
			return
		}
		pairs := append(strings.Split(environment, "\n"), "SESSION_VARIABLES=x-hasura-org-id=custom:org_id,x-hasura-a=sub,x-hasura-teams=groups:team-*")
		s, _ := settings.ReadClaims(environ(pairs...)) // with an invalid setting the property holds too
		e := event(t, strings.Split(names, "\n"), map[string]string{"sub": sub, "custom:org_id": attribute, "custom:role": attribute, "profile": attribute})
		e = withMetadata(t, e, wanted)
		size, n := SetResponse(e, s)
		if (size > 0) != (sub != "") {
			t.Fatalf("size %d for the sub %q", size, sub)
		} else if size == 0 {
			return
		}
		value := inIDToken(t, e, s.Namespace)
		hasura := jwt.Config{Format: string(s.Format)}
		session, err := hasura.Claims(value, "")
		if err != nil {
			t.Fatalf("Hasura refuses %s: %v", value, err)
		}
		claims := Of(e, s)
		roles := claims[allowedRoles].([]string)
		if len(value) != size || len(roles) != n {
			t.Errorf("size %d and %d roles, want %d and %d", size, n, len(value), len(roles))
		}
		tenants, active := tenantClaims(t, claims)
		if s.Tenants == nil && (tenants != nil || active != "") || active != "" && !slices.Contains(tenants, active) {
			t.Errorf("tenants %q, active %q", tenants, active)
		}
		pattern := environ(pairs...)("TENANT_GROUPS")
		for _, tenant := range tenants {
			if !slices.ContainsFunc(e.Groups(), func(group string) bool { got, _ := split(pattern, group); return got == tenant }) {
				t.Errorf("no group of %q gives the tenant %q", names, tenant)
			}
		}
		if roles[0] != BaseRole {
			t.Errorf("roles %q do not begin with user", roles)
		}
		for i, role := range roles[1:] {
			if !isGranted(e, s, pattern, active, role) {
				t.Errorf("no group of %q gives the role %q with %q", names, role, environment)
			}
			if role == "" || slices.Contains(roles[:i+1], role) {
				t.Errorf("roles %q have an empty one or one twice", roles)
			}
			if _, err := hasura.Claims(value, role); err != nil {
				t.Errorf("Hasura refuses the role %q of %s: %v", role, value, err)
			}
		}
		if !slices.Contains(roles, session.Role) {
			t.Errorf("the default role %q is not among %q", session.Role, roles)
		}
		for name, value := range claims {
			if name != strings.ToLower(name) || value == "" {
				t.Errorf("the claim %s is %q", name, value)
			}
		}
	})
}

// isGranted reports whether the groups of the event, or names in ROLE_ATTRIBUTE through
// ROLES, grant a role. It shares no code with the package.
func isGranted(e *cognito.Event, s settings.Claims, pattern, active, role string) bool {
	byName := func(name string) bool {
		if explicit, ok := s.Groups.Explicit[name]; ok {
			return slices.Contains(explicit, role)
		}
		return name == role && (s.Groups.Explicit == nil || s.Groups.Wide) && !strings.EqualFold(role, "admin") && !strings.HasPrefix(role, "x-hasura-")
	}
	for _, group := range e.Groups() {
		if strings.HasPrefix(group, e.PoolID+"_") {
			if slices.Contains(s.Groups.Explicit[group], role) {
				return true
			}
			continue
		}
		tenant, name := split(pattern, group)
		if s.Tenants == nil || tenant == "" && name == "" {
			if byName(group) {
				return true
			}
		} else if tenant == active && active != "" && name != "" && byName(name) {
			return true
		}
	}
	if s.RoleAttribute == "" {
		return false
	}
	for name, roles := range s.Groups.Explicit {
		if strings.Contains(e.User.Attributes[s.RoleAttribute], strings.Trim(string(encode(name)), `"`)) || strings.Contains(e.User.Attributes[s.RoleAttribute], name) {
			if slices.Contains(roles, role) {
				return true
			}
		}
	}
	return false
}

// split finds the tenant and the role in a group's name by trying every place. Both are ""
// if there is no way, or more than one.
func split(pattern, group string) (tenant, role string) {
	if !strings.Contains(pattern, "{role}") {
		length := len(group) - len(pattern) + len("{tenant}")
		start := strings.Index(pattern, "{tenant}")
		if start < 0 || length < 1 || strings.Replace(pattern, "{tenant}", group[start:start+length], 1) != group {
			return "", ""
		}
		return group[start : start+length], ""
	}
	ways := 0
	part := strings.Split(strings.NewReplacer("{tenant}", "\xff", "{role}", "\xff").Replace(pattern), "\xff")
	for end := len(part[0]) + 1; end < len(group); end++ {
		start := end + len(part[1])
		if stop := len(group) - len(part[2]); start < stop && part[0]+group[len(part[0]):end]+part[1]+group[start:stop]+part[2] == group {
			ways++
			tenant, role = group[len(part[0]):end], group[start:stop]
		}
	}
	if ways != 1 {
		return "", ""
	}
	if strings.Index(pattern, "{role}") < strings.Index(pattern, "{tenant}") {
		tenant, role = role, tenant
	}
	return tenant, role
}

// Machines get the roles of MACHINE_ROLES for their client, never user, admin or an id.
func FuzzMachine(f *testing.F) {
	f.Add(`{"scopes":["api/read"]}`, "app", "MACHINE_ROLES=app=service,app=reader")
	f.Add(`{"userAttributes":{"sub":"s"},"groupConfiguration":{"groupsToOverride":["admin"]}}`, "app", "MACHINE_ROLES=app=admin")
	f.Add(`null`, "", "MACHINE_ROLES=app=service\nSESSION_VARIABLES=x-hasura-scopes=scopes,x-hasura-client-id=username")
	f.Fuzz(func(t *testing.T, request, client, environment string) {
		if !json.Valid([]byte(request)) {
			return
		}
		s, _ := settings.ReadClaims(environ(strings.Split(environment, "\n")...))
		e, err := cognito.Parse([]byte(`{"version":"3","triggerSource":"TokenGeneration_ClientCredentials","callerContext":{"clientId":` + string(encode(client)) + `},"request":` + request + `}`))
		if err != nil {
			t.Fatal(err)
		}
		claims := Of(e, s)
		if claims == nil {
			return
		}
		roles := claims[allowedRoles].([]string)
		for _, role := range roles {
			if !slices.Contains(s.Machines[e.ClientID], role) || role == "admin" {
				t.Errorf("the machine %q has the role %q with %q", client, role, environment)
			}
		}
		if claims[userID] != nil || claims[clientID] != e.ClientID || claims[defaultRole] != roles[0] {
			t.Errorf("claims %v", claims)
		}
		if value := encode(claims); !isAccepted(value) {
			t.Errorf("Hasura refuses %s", value)
		}
	})
}

func isAccepted(value json.RawMessage) bool {
	_, err := jwt.Config{Format: jwt.FormatJSON}.Claims(value, "")
	return err == nil
}

// PostgreSQL reads exactly the list out of an array literal.
func FuzzArrayLiteral(f *testing.F) {
	f.Add("a\nb")
	f.Add("NULL\n{}\n,\n\"\n\\\n\\\"\n \n\t")
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) { // the text of an event is always valid
			return
		}
		want := strings.Split(text, "\n")
		if text == "" {
			want = []string{}
		}
		got := readArray(t, arrayLiteral(want))
		want = slices.DeleteFunc(want, func(element string) bool { return strings.Contains(element, "\x00") })
		if !slices.Equal(got, want) {
			t.Errorf("%q is read as %q", arrayLiteral(want), got)
		}
	})
}

// readArray reads an array literal as pgx reads what PostgreSQL sends.
func readArray(t *testing.T, literal string) []string {
	t.Helper()
	var got []string
	if err := pgtype.NewMap().Scan(pgtype.TextArrayOID, pgtype.TextFormatCode, []byte(literal), &got); err != nil {
		t.Fatalf("%s: %v", literal, err)
	}
	return got
}

func tenantClaims(t *testing.T, claims map[string]any) (all []string, active string) {
	t.Helper()
	if literal, ok := claims[tenantIDs].(string); ok {
		all = readArray(t, literal)
	}
	active, _ = claims[tenantID].(string)
	return all, active
}

func withMetadata(t *testing.T, e *cognito.Event, tenant string) *cognito.Event {
	t.Helper()
	var object map[string]json.RawMessage
	var request map[string]json.RawMessage
	if err := json.Unmarshal(e.Bytes(), &object); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(object["request"], &request); err != nil {
		t.Fatal(err)
	}
	request["clientMetadata"] = encode(map[string]string{"tenant_id": tenant, "role": "admin", "x-hasura-default-role": "admin"})
	object["request"] = encode(request)
	e, err := cognito.Parse(encode(object))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func inIDToken(t *testing.T, e *cognito.Event, namespace string) json.RawMessage {
	t.Helper()
	var event struct {
		Response struct {
			Details struct {
				ID struct {
					Claims map[string]json.RawMessage `json:"claimsToAddOrOverride"`
				} `json:"idTokenGeneration"`
			} `json:"claimsAndScopeOverrideDetails"`
		} `json:"response"`
	}
	if err := json.Unmarshal(e.Bytes(), &event); err != nil {
		t.Fatal(err)
	}
	return event.Response.Details.ID.Claims[namespace]
}
