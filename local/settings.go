package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A choice has the settings of the functions that are set, by name.
type choice map[string]string

// readSettings reads the settings from the environment. variables are the names that make was given.
func readSettings(getenv func(string) string, variables []string) (choice, error) {
	chosen, err := stack.ReadSettings(getenv)
	errs := []error{err}
	var names []string
	for _, s := range settings.All {
		names = append(names, s.Name)
	}
	for _, name := range variables {
		if !slices.Contains(names, name) && name != "EVENT" && name != "DATABASE_URL" {
			errs = append(errs, fmt.Errorf("%s: not a setting. make run knows EVENT, DATABASE_URL and %s", name, strings.Join(names, ", ")))
		}
	}
	return choice(chosen), errors.Join(append(errs, stack.CheckDatabaseURL(getenv("DATABASE_URL")))...)
}

func (c choice) String() string { return stack.Settings(c).String() }
