package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// provided are the settings that name what the local environment brings along.
var provided = []string{"GRAPHQL_DOMAIN", "SECRETS_ARN", "SYNC_QUEUE_URL", "USER_POOL_ID", "RECONCILE_QUEUE_URL"}

// A choice has the settings of the functions that are set, by name.
type choice map[string]string

// readSettings reads the settings from the environment. variables are the names that make was given.
func readSettings(getenv func(string) string, variables []string) (choice, error) {
	chosen := make(choice)
	var errs []error
	var names []string
	for _, s := range settings.All {
		names = append(names, s.Name)
		value := getenv(s.Name)
		if value == "" {
			continue
		}
		if slices.Contains(provided, s.Name) {
			errs = append(errs, fmt.Errorf("%s: make run sets it to its own stand-in. Unset it", s.Name))
		} else if err := s.Check(value); err != nil && !strings.Contains(s.Functions, "claims") {
			errs = append(errs, err)
		}
		chosen[s.Name] = value
	}
	_, faults := settings.ReadClaims(getenv) // it also finds settings that need others
	errs = append(errs, faults...)
	for _, name := range variables {
		if !slices.Contains(names, name) && name != "EVENT" && name != "DATABASE_URL" {
			errs = append(errs, fmt.Errorf("%s: not a setting. make run knows EVENT, DATABASE_URL and %s", name, strings.Join(names, ", ")))
		}
	}
	return chosen, errors.Join(append(errs, stack.CheckDatabaseURL(getenv("DATABASE_URL")))...)
}

func (c choice) byFunction() map[string]map[string]string {
	names := map[string]string{"claims": functions.Claims, "sync": functions.Sync, "replay": functions.Replay,
		"reconcile": functions.Reconcile, "follow": functions.Follow}
	env := make(map[string]map[string]string)
	for _, function := range names {
		env[function] = make(map[string]string)
	}
	for name, value := range c {
		for short := range strings.SplitSeq(settings.Lookup(name).Functions, ", ") {
			if function, ok := names[short]; ok {
				env[function][name] = value
			}
		}
	}
	return env
}

func (c choice) String() string {
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(c)) {
		texts = append(texts, fmt.Sprintf("%s=%s", name, c[name]))
	}
	return strings.Join(texts, " ")
}
