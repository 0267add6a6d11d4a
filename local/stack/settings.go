package stack

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// Provided are the settings that Start makes: they name the local services.
var Provided = []string{"GRAPHQL_DOMAIN", "SECRETS_ARN", "SYNC_QUEUE_URL", "USER_POOL_ID", "RECONCILE_QUEUE_URL"}

// Settings are settings of the functions, by name.
type Settings map[string]string

// ReadSettings reads the settings that are set in the environment. The error names each one that is invalid or [Provided].
func ReadSettings(getenv func(string) string) (Settings, error) {
	chosen := make(Settings)
	var errs []error
	for _, s := range settings.All {
		value := getenv(s.Name)
		if value == "" {
			continue
		}
		if slices.Contains(Provided, s.Name) {
			errs = append(errs, fmt.Errorf("%s: the local environment sets it to its own stand-in. Unset it", s.Name))
		} else if err := s.Check(value); err != nil && !strings.Contains(s.Functions, "claims") {
			errs = append(errs, err)
		}
		chosen[s.Name] = value
	}
	_, faults := settings.ReadClaims(getenv) // it also finds settings that need others
	return chosen, errors.Join(append(errs, faults...)...)
}

// CheckVariables refuses what make was given and is neither a setting nor one of a target's own variables.
func CheckVariables(target string, given []string, own ...string) error {
	known := slices.Clone(own)
	for _, s := range settings.All {
		known = append(known, s.Name)
	}
	var errs []error
	for _, name := range given {
		if !slices.Contains(known, name) {
			errs = append(errs, fmt.Errorf("%s: not a setting. make %s knows %s and %s", name, target,
				strings.Join(known[:len(known)-1], ", "), known[len(known)-1]))
		}
	}
	return errors.Join(errs...)
}

// Env returns the settings of each function.
func (s Settings) Env() map[string]map[string]string {
	names := map[string]string{"claims": functions.Claims, "sync": functions.Sync, "replay": functions.Replay,
		"reconcile": functions.Reconcile, "follow": functions.Follow}
	env := make(map[string]map[string]string)
	for _, function := range names {
		env[function] = make(map[string]string)
	}
	for name, value := range s {
		for short := range strings.SplitSeq(settings.Lookup(name).Functions, ", ") {
			if function, ok := names[short]; ok {
				env[function][name] = value
			}
		}
	}
	return env
}

// Set gives the settings to the functions, and to Hasura and Secrets Manager what they have to know of them.
func (s Settings) Set(c *Config) {
	c.Env, c.SecretKey = s.Env(), s["SECRETS_KEY"]
	c.JWT.Namespace, c.JWT.Format = s["CLAIMS_NAMESPACE"], s["CLAIMS_FORMAT"]
}

// String lists the settings, in the order of their names.
func (s Settings) String() string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		texts = append(texts, fmt.Sprintf("%s=%s", name, s[name]))
	}
	return strings.Join(texts, " ")
}
