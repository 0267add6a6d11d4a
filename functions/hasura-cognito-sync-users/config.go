package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
)

// Cognito waits five seconds for a trigger ("Customizing user pool workflows with
// Lambda triggers"), a time that cannot be changed.
const (
	defaultBudget = 3500 * time.Millisecond
	maxBudget     = 4500 * time.Millisecond
	minBudget     = 500 * time.Millisecond
)

// A config is the environment, checked.
type config struct {
	hasura hasura.Settings
	budget time.Duration
	queue  string // URL; "" means that what fails is not parked
	refuse bool   // a failed sync fails the sign-in
}

// fromEnv reads the configuration. An empty variable is as good as none; the error
// tells every fault there is.
func fromEnv(getenv func(string) string) (config, error) {
	c := config{budget: defaultBudget, queue: getenv("SYNC_QUEUE_URL")}
	settings, err := hasura.FromEnv(getenv)
	c.hasura = settings
	faults := []error{err}
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if text := getenv("SYNC_BUDGET"); text != "" {
		budget, err := time.ParseDuration(text)
		if err != nil || budget < minBudget || budget > maxBudget {
			fault("SYNC_BUDGET %q is not a time from %v to %v, such as %v", text, minBudget, maxBudget, defaultBudget)
		}
		c.budget = budget
	}
	if c.queue != "" && !parking.CheckURL(c.queue) {
		fault("SYNC_QUEUE_URL is not the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/syncs")
	}
	switch policy := getenv("SYNC_ON_FAILURE"); policy {
	case "", "allow":
	case "refuse":
		c.refuse = true
	default:
		fault("SYNC_ON_FAILURE %q is neither allow nor refuse", policy)
	}
	return c, errors.Join(faults...)
}
