// Command liar replaces a function in tests. It logs the right outcome and does nothing, or it does what the file "how"
// beside it says. A test then checks that the difference is found.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/phenom-earth/hasura-cognito/functions"
)

// responses are wrong, each in its own way.
var responses = map[string]string{
	"answers in the wrong shape": `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":"{}"}}}`,
	"leaves the default role out": `{"claimsAndScopeOverrideDetails":{
		"idTokenGeneration":{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":"{\"x-hasura-allowed-roles\":[\"user\"]}"}},
		"accessTokenGeneration":{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":"{\"x-hasura-allowed-roles\":[\"user\"]}"}}}}`,
	"grants admin": `{"claimsOverrideDetails":{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":
		"{\"x-hasura-user-id\":\"1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15\",\"x-hasura-allowed-roles\":[\"admin\"],\"x-hasura-default-role\":\"admin\"}"}}}`,
	"wipes the groups": `{"claimsOverrideDetails":{"groupOverrideDetails":{}}}`,
}

type handler struct{}

func (handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	outcome := "synced"
	if strings.HasSuffix(lambdacontext.FunctionName, functions.Claims) {
		outcome = "shaped"
	}
	how, err := os.ReadFile("how")
	if err != nil {
		return nil, err
	}
	answer := event
	switch string(how) {
	case "logs another outcome":
		outcome = "ignored"
	case "fails":
		outcome, err = "sign-in refused", errors.New("boom")
	case "answers null":
		answer = []byte("null")
	case "changes the event":
		answer = bytes.Replace(answer, []byte(`"userName"`), []byte(`"userName":"x","other"`), 1)
		answer = bytes.Replace(answer, []byte(`"request"`), []byte(`"request":{},"region"`), 1)
	case "prints a trace":
		fmt.Println("goroutine 1 [running]:")
	}
	if response := responses[string(how)]; response != "" {
		var members map[string]json.RawMessage
		if err := json.Unmarshal(event, &members); err != nil {
			return nil, err
		}
		members["response"] = json.RawMessage(response)
		if answer, err = json.Marshal(members); err != nil {
			return nil, err
		}
	}
	call, _ := lambdacontext.FromContext(ctx)
	fmt.Printf(`{"level":"INFO","message":%q,"requestId":%q}`+"\n", outcome, call.AwsRequestID)
	return answer, err
}

func main() { lambda.Start(handler{}) }
