// Command hasura-cognito-trigger is a pre token generation trigger for Amazon
// Cognito user pools, of version V1_0, V2_0 or V3_0. It gives every token the
// claims that Hasura wants and keeps no state: it calls nothing, needs no network
// and, unless told otherwise, no environment.
//
// Everyone gets the role user and one for each of their groups whose name is a
// role's (letters, digits, _ and -), but never admin. These variables, all
// optional, change that:
//
//	ROLES                  group=role,group=role: only these groups give roles
//	DEFAULT_ROLE           editor,user: the first of these that the person has
//	SESSION_VARIABLES      x-hasura-org-id=custom:org_id,…: attributes to pass on
//	CLAIMS_NAMESPACE       the claim; by default https://hasura.io/jwt/claims
//	CLAIMS_FORMAT          stringified_json (default) or json
//	ACCESS_TOKEN_AUDIENCE  client_id, to add aud to access tokens
//
// A wrong one keeps the function from starting; the log has every fault at once.
package main

import (
	"context"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/claims"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	logs.Adopt(log)
	config, err := claims.FromEnv(os.Getenv)
	if err != nil {
		log.Error("misconfigured", "faults", err)
		os.Exit(1)
	}
	lambda.Start(cognito.Handler{Handle: shaper{config, log}.shape, Log: log})
}

// A shaper gives tokens Hasura's claims.
type shaper struct {
	claims claims.Config
	log    *slog.Logger
}

// shape never fails: an event that it has no claims for goes back as it came.
func (s shaper) shape(ctx context.Context, e *cognito.Event) error {
	switch {
	case !e.IssuesToken():
		s.log.WarnContext(ctx, "passed through", "reason", "not a pre token generation event", "trigger", e.Trigger)
	case !s.claims.Answer(e):
		s.log.InfoContext(ctx, "passed through", "reason", "no user", "trigger", e.Trigger)
	default:
		s.log.InfoContext(ctx, "shaped", "user", e.User, "trigger", e.Trigger, "version", e.Version)
	}
	return nil
}
