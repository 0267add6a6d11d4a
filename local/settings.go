package main

import (
	"errors"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A choice has the settings of the functions that are set, by name.
type choice map[string]string

// readSettings reads the settings from the environment. variables are the names that make was given.
func readSettings(getenv func(string) string, variables []string) (choice, error) {
	chosen, err := stack.ReadSettings(getenv)
	return choice(chosen), errors.Join(err, stack.CheckVariables("run", variables, "EVENT", "DATABASE_URL"), stack.CheckDatabaseURL(getenv("DATABASE_URL")))
}

func (c choice) String() string { return stack.Settings(c).String() }
