// Package smoke signs a throwaway user in to a deployment and follows the sign-in from the user pool to Hasura: the user, both
// tokens, the row, a refresh. Then it deletes the user and the row. It prints no token, no password and no secret.
package smoke

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// Options say which deployment to try, and how.
type Options struct {
	Pool         string // id
	Client       string // id of the app client that the user signs in with
	ClientSecret string // of the app client; "" means the one that Cognito shows
	Domain       string // GRAPHQL_DOMAIN as it is reached from here; "" means as the functions reach it
	Wait         time.Duration
}

// A Result is what smoke found. A team sends it as JSON: docs/evidence.md.
type Result struct {
	UserPoolID     string        `json:"userPoolId"`
	Region         string        `json:"region"`
	Time           time.Time     `json:"time"`
	TriggerVersion string        `json:"triggerVersion"` // of pre token generation
	Hasura         string        `json:"hasura"`         // its version
	Checks         doctor.Report `json:"checks"`
	Left           []string      `json:"left"` // what smoke made, or may have made, and could not delete
}

// Failed reports whether a check failed.
func (r Result) Failed() bool { return r.Checks.Failed() }

// A smoke is one run.
type smoke struct {
	Options
	cognito *cognitoidentityprovider.Client
	lambda  *lambda.Client
	result  Result

	pool    *cognito.UserPoolType
	client  *cognito.UserPoolClientType
	version cognito.PreTokenGenerationLambdaVersionType
	claims  settings.Claims
	sync    settings.Sync
	hasura  *hasuraAPI
	user    user
	noRow   bool // the row was not there when it was looked for
}

// Run tries a deployment. When ctx ends, it deletes what it has made and returns.
func Run(ctx context.Context, cfg aws.Config, o Options) Result {
	s := &smoke{
		Options: o, cognito: cognitoidentityprovider.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg),
		result: Result{UserPoolID: o.Pool, Region: cfg.Region, Time: time.Now().UTC().Truncate(time.Second), Left: []string{}},
	}
	s.run(ctx)
	return s.result
}

func (s *smoke) run(ctx context.Context) {
	if !s.readDeployment(ctx) || !s.findHasura(ctx) {
		return
	}
	defer s.cleanUp(ctx)
	if !s.createUser(ctx) {
		return
	}
	tokens := s.signIn(ctx)
	if tokens == nil {
		return
	}
	s.row(ctx)
	s.tokens(ctx, "", tokens)
	if tokens = s.refresh(ctx, tokens); tokens != nil {
		s.tokens(ctx, "refreshed ", tokens)
	}
}

func (s *smoke) ok(check, found string) { s.add(check, doctor.OK, found, "") }

func (s *smoke) add(check string, v doctor.Verdict, found, hint string) {
	s.result.Checks = append(s.result.Checks, doctor.Row{Check: check, Verdict: v, Found: found, Hint: hint})
}

// failed adds the row of a call of AWS that failed. An error of AWS can quote what a trigger returned, so only its code is shown.
func (s *smoke) failed(ctx context.Context, check string, err error, hint string) {
	var api smithy.APIError
	switch {
	case ctx.Err() != nil:
		s.add(check, doctor.Fail, "interrupted", "")
	case errors.As(err, &api):
		s.add(check, doctor.Fail, "AWS answers "+api.ErrorCode(), hint)
	default:
		s.add(check, doctor.Fail, "AWS does not answer", "check the network and the Region")
	}
}
