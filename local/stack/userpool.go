package stack

import (
	"context"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/eventbridge"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// ClientID is the app client that the recorded events name.
const ClientID = "1example23456789example012"

// FollowPattern is the EventPattern of FollowRule in template.yaml.
const FollowPattern = `{
	"source": ["aws.cognito-idp"],
	"detail-type": ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
	"detail": {
		"eventSource": ["cognito-idp.amazonaws.com"],
		"eventName": [{"anything-but": ["InitiateAuth", "AdminInitiateAuth", "GetTokensFromRefreshToken"]}]
	}
}`

// startUserPool serves the user pool, with the functions on its triggers.
func (s *Stack) startUserPool() (*cognitoidp.Server, *Front, error) {
	var err error
	if s.rule, err = s.newRule(); err != nil {
		return nil, nil, err
	}
	arn := func(name string) string { return lambda.Function{Name: name}.ARN() }
	pool := &cognitoidp.Server{
		Pool: cognitoidp.Object{"Id": PoolID, "Name": "local", "LambdaConfig": cognitoidp.Object{
			"PostConfirmation": arn(functions.Sync), "PostAuthentication": arn(functions.Sync),
			"PreTokenGenerationConfig": cognitoidp.Object{"LambdaArn": arn(functions.Claims), "LambdaVersion": "V2_0"},
		}},
		Clients: []cognitoidp.Object{{"ClientId": ClientID, "ClientName": "app",
			"ExplicitAuthFlows": []any{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}}},
		Users: new(cognitoidp.Users), Tokens: s.Pool,
		Recorded: func(_ context.Context, event []byte) { s.Deliver(event) },
	}
	front, err := s.serve(pool)
	return pool, front, err
}

// newRule returns what EventBridge does with an event: the queue of the follow function gets what [FollowPattern] matches.
// Records of calls that only read are not among the events of a rule.
func (s *Stack) newRule() (func(event []byte), error) {
	pattern, err := eventbridge.Parse(FollowPattern)
	if err != nil {
		return nil, err
	}
	reads, err := eventbridge.Parse(`{"detail": {"readOnly": [true]}}`)
	return func(event []byte) {
		if pattern.Matches(event) && !reads.Matches(event) {
			s.Queues.Send(FollowQueue, string(event))
		}
	}, err
}

// Deliver gives an event to EventBridge.
func (s *Stack) Deliver(event []byte) { s.rule(event) }
