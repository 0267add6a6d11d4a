package claims

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// Whatever groups and attributes come in, Hasura accepts the claims, and they hold
// no role that was not granted.
func FuzzClaims(f *testing.F) {
	f.Add("editor\nadmin", "69f23de6-af9e-43cc-b208-8b269334667d", "7", "ROLES=")
	f.Add("a b\n\"\nÜ\neu-west-1_Pool_Google", "s", "admin", "ROLES=a b=staff,editor=admin")
	f.Add("x\x00y\xff\n<script>", "\x00", "{\"x-hasura-role\":\"admin\"}", "DEFAULT_ROLE=admin,editor")
	f.Fuzz(func(t *testing.T, names, sub, attribute, setting string) {
		groups := strings.Split(names, "\n")
		// An invalid setting falls back to fewer rights, so that the property holds for it too.
		config, _ := settings.ReadClaims(environ(setting, "SESSION_VARIABLES=x-hasura-org-id=custom:org_id,x-hasura-a=sub"))
		e := event(t, groups, map[string]string{"sub": sub, "custom:org_id": attribute, "custom:role": attribute, "profile": attribute})
		if answered := SetResponse(e, config); answered != (sub != "") {
			t.Fatalf("SetResponse reports %t for the sub %q", answered, sub)
		} else if !answered {
			return
		}
		var answer struct {
			Response struct {
				Details struct {
					ID struct {
						Claims map[string]json.RawMessage `json:"claimsToAddOrOverride"`
					} `json:"idTokenGeneration"`
				} `json:"claimsAndScopeOverrideDetails"`
			} `json:"response"`
		}
		if err := json.Unmarshal(e.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		value := answer.Response.Details.ID.Claims[config.Namespace]
		hasura := jwt.Config{Format: string(config.Format)}
		session, err := hasura.Claims(value, "")
		if err != nil {
			t.Fatalf("Hasura refuses %s: %v", value, err)
		}

		granted := []string{BaseRole}
		for _, group := range e.Groups() {
			if config.Roles != nil {
				granted = append(granted, config.Roles[group]...)
			} else if !strings.EqualFold(group, "admin") && !strings.HasPrefix(group, "eu-west-1_Pool_") {
				granted = append(granted, group)
			}
		}
		claims := Of(e, config)
		roles := claims[allowedRoles].([]string)
		for i, role := range roles {
			if !slices.Contains(granted, role) {
				t.Errorf("the role %q was not granted to %q by %q", role, groups, setting)
			}
			if role == "" || slices.Contains(roles[:i], role) {
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
