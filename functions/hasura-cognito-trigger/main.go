// Command hasura-cognito-trigger, the claims function, is a pre token generation trigger
// of an Amazon Cognito user pool, of version V1_0, V2_0 or V3_0. It adds Hasura's claims to
// the tokens. It keeps no state, calls nothing and needs no network.
//
// Every user gets the role user, and the roles of their groups whose names can be roles. The
// settings in pkg/settings, all optional, change that. An invalid setting is logged and
// gives fewer rights; it does not stop a sign-in.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/claims"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	logs.Adopt(log)
	s, faults := settings.ReadClaims(os.Getenv)
	if len(faults) > 0 {
		log.Error("misconfigured", "faults", errors.Join(faults...))
	}
	lambda.Start(cognito.Handler{Handle: function{s, log}.shape, Log: log})
}

// A function is the claims function with its settings.
type function struct {
	settings settings.Claims
	log      *slog.Logger
}

// shape never returns an error. An event that it has no claims for goes back as it arrived.
func (s function) shape(ctx context.Context, e *cognito.Event) error {
	if !e.IssuesToken() {
		s.log.WarnContext(ctx, "passed through", "reason", "not a pre token generation event", "trigger", e.Trigger)
		return nil
	}
	size, roles := claims.SetResponse(e, s.settings)
	if size == 0 {
		s.log.InfoContext(ctx, "passed through", "reason", "no user, and no machine with roles", "trigger", e.Trigger)
		return nil
	}
	log := s.log.With("user", e.User, "trigger", e.Trigger)
	if e.IsMachine() {
		log = s.log.With("client", e.ClientID, "trigger", e.Trigger)
	}
	if size > largeClaims {
		log.WarnContext(ctx, "claims large", "bytes", size, "roles", roles)
	}
	log.InfoContext(ctx, "shaped", "version", e.Version)
	return nil
}

// largeClaims is a size in bytes above which claims are logged: browsers, proxies and load
// balancers refuse headers and cookies that are not much larger.
const largeClaims = 4096
