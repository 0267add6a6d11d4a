// Command hasura-cognito-sync-users, the sync function, is a post confirmation and post
// authentication trigger of an Amazon Cognito user pool. It writes the user's row in
// Hasura's users table.
//
// It needs GRAPHQL_DOMAIN and SECRETS_ARN. The other settings in pkg/settings are optional.
// A sync that fails is parked in an SQS queue, and the user is let in. The same happens while
// a setting about Hasura is invalid.
package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/parking"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

var started = time.Now()

// connectTime bounds what happens before the first call. Half of the budget does too.
const connectTime = 1500 * time.Millisecond

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	logs.Adopt(log)
	s, faults := settings.ReadSync(os.Getenv)
	upsert, err := connect(min(connectTime, s.Budget/2), s.Refuse, log)
	if faults = append(faults, err); errors.Join(faults...) != nil {
		log.Error("misconfigured", "faults", errors.Join(faults...))
	}

	f := &function{
		table:  &users.Description,
		upsert: upsert,
		refuse: s.Refuse,
		userID: s.UserID,
		budget: newBudget(s.Budget, started, os.Getenv),
		log:    log,
	}
	switch {
	case s.NoUserID && !users.Description.KeyIsSub():
		f.upsert = misconfigured // and no parking: the row would have the wrong key
	case s.QueueURL != "" && !s.Refuse: // a user who is refused signs in again
		f.park = parking.New(s.QueueURL).Park
	}
	lambda.Start(cognito.Handler{Handle: f.sync, Log: log})
}

type upserter func(context.Context, users.Row) (stale bool, err error)

// connect returns the function that writes to Hasura, or misconfigured and the reason. When
// failed syncs refuse sign-ins, the failure of one must not refuse the next ones.
func connect(limit time.Duration, refuse bool, log *slog.Logger) (upserter, error) {
	ctx, cancel := context.WithDeadline(context.Background(), started.Add(limit))
	defer cancel()
	s, faults := settings.ReadHasura(os.Getenv)
	err := errors.Join(faults...)
	if err == nil {
		var client *hasura.Client
		switch client, err = hasura.Connect(ctx, s, log); {
		case err == nil && refuse:
			return client.Write, nil
		case err == nil:
			return client.Upsert, nil
		}
	}
	return misconfigured, err
}

func misconfigured(context.Context, users.Row) (bool, error) {
	return false, &hasura.Error{Code: hasura.CodeMisconfigured}
}
