package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
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
	endpoint hasura.Endpoint
	secret   string   // ARN
	keys     []string // of the secret, in order of preference
	role     string   // "" is admin
	budget   time.Duration
	refuse   bool // a failed sync fails the sign-in
}

// fromEnv reads the configuration. An empty variable is as good as none; the error
// tells every fault there is.
func fromEnv(getenv func(string) string) (config, error) {
	c := config{
		secret: getenv("SECRETS_ARN"),
		keys:   secrets.AdminSecretKeys,
		role:   getenv("HASURA_ROLE"),
		budget: defaultBudget,
	}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if domain := getenv("GRAPHQL_DOMAIN"); domain == "" {
		fault("GRAPHQL_DOMAIN is not set: it is Hasura's host, such as hasura.internal")
	} else if endpoint, err := hasura.ParseEndpoint(domain, getenv("GRAPHQL_HOST")); err != nil {
		faults = append(faults, err)
	} else {
		c.endpoint = endpoint
	}
	switch {
	case c.secret == "":
		fault("SECRETS_ARN is not set: it is the ARN of the secret that has Hasura's admin secret")
	case !secrets.CheckARN(c.secret):
		// Not quoted: what was put here by mistake may be the secret itself.
		fault("SECRETS_ARN is not the ARN of a secret, such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf")
	}
	if key := getenv("SECRETS_KEY"); key != "" {
		c.keys = []string{key}
	}
	if strings.ContainsFunc(c.role, func(r rune) bool { return r <= ' ' || r > '~' }) {
		fault("HASURA_ROLE %q is not the name of a role", c.role)
	}
	if text := getenv("SYNC_BUDGET"); text != "" {
		budget, err := time.ParseDuration(text)
		if err != nil || budget < minBudget || budget > maxBudget {
			fault("SYNC_BUDGET %q is not a time from %v to %v, such as %v", text, minBudget, maxBudget, defaultBudget)
		}
		c.budget = budget
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
