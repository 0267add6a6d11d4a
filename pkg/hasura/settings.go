package hasura

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

// Settings say where Hasura is and who calls it.
type Settings struct {
	Endpoint   Endpoint
	SecretARN  string
	SecretKeys []string // in order of preference
	Role       string   // "" is admin
}

// FromEnv reads settings from the environment variables
//
//	GRAPHQL_DOMAIN  Hasura's host, host:port or URL
//	GRAPHQL_HOST    name that Hasura's certificate is for, if not GRAPHQL_DOMAIN
//	SECRETS_ARN     secret with Hasura's admin secret
//	SECRETS_KEY     its key, if that is a JSON object; by default secrets.AdminSecretKeys
//	HASURA_ROLE     role to act as; by default admin
//
// of which the first and the third must be there. An empty variable is as good as
// none. The error tells every fault there is.
func FromEnv(getenv func(string) string) (Settings, error) {
	s := Settings{SecretARN: getenv("SECRETS_ARN"), SecretKeys: secrets.AdminSecretKeys, Role: getenv("HASURA_ROLE")}
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }

	if domain := getenv("GRAPHQL_DOMAIN"); domain == "" {
		fault("GRAPHQL_DOMAIN is not set: it is Hasura's host, such as hasura.internal")
	} else if endpoint, err := ParseEndpoint(domain, getenv("GRAPHQL_HOST")); err != nil {
		faults = append(faults, err)
	} else {
		s.Endpoint = endpoint
	}
	switch {
	case s.SecretARN == "":
		fault("SECRETS_ARN is not set: it is the ARN of the secret that has Hasura's admin secret")
	case !secrets.CheckARN(s.SecretARN):
		// Not quoted: what was put here by mistake may be the secret itself.
		fault("SECRETS_ARN is not the ARN of a secret, such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf")
	}
	if key := getenv("SECRETS_KEY"); key != "" {
		s.SecretKeys = []string{key}
	}
	if strings.ContainsFunc(s.Role, func(r rune) bool { return r <= ' ' || r > '~' }) {
		fault("HASURA_ROLE %q is not the name of a role", s.Role)
	}
	return s, errors.Join(faults...)
}

// Connect returns a client for the settings and makes it ready: it reads the
// secret and opens the connection, side by side. What of that fails is logged and
// tried again when it is needed; an error is one of the AWS configuration.
func Connect(ctx context.Context, s Settings, log *slog.Logger) (*Client, error) {
	if s.Endpoint.Warning != "" {
		log.WarnContext(ctx, "doubtful setting", "warning", s.Endpoint.Warning)
	}
	bag, err := secrets.Open(ctx, log, s.SecretARN, s.SecretKeys...)
	if err != nil {
		return nil, err
	}
	c := New(s.Endpoint, bag, s.Role)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.warm(ctx)
	}()
	if _, err := bag.Secret(ctx); err != nil {
		log.WarnContext(ctx, "no secret yet", "error", err)
	}
	<-done
	return c, nil
}
