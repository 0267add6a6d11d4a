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
)

type handler struct{}

func (handler) Invoke(ctx context.Context, event []byte) ([]byte, error) {
	outcome := "synced"
	if strings.HasSuffix(os.Getenv("AWS_LAMBDA_FUNCTION_NAME"), "-trigger") {
		outcome = "shaped"
	}
	answer := append([]byte(nil), event...)
	how, err := os.ReadFile("how")
	if err != nil {
		return nil, err
	}
	switch string(how) {
	case "logs another outcome":
		outcome = "ignored"
	case "fails":
		say(ctx, "sign-in refused")
		return nil, errors.New("boom")
	case "answers null":
		answer = []byte("null")
	case "changes the event":
		answer = bytes.Replace(answer, []byte(`"userName"`), []byte(`"userName":"x","other"`), 1)
		answer = bytes.Replace(answer, []byte(`"request"`), []byte(`"request":{},"region"`), 1)
	case "answers in the wrong shape":
		var members map[string]json.RawMessage
		if err := json.Unmarshal(event, &members); err != nil {
			return nil, err
		}
		members["response"] = json.RawMessage(`{"claimsOverrideDetails":{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":"{}"}}}`)
		if answer, err = json.Marshal(members); err != nil {
			return nil, err
		}
	case "leaves the default role out":
		var members map[string]json.RawMessage
		if err := json.Unmarshal(event, &members); err != nil {
			return nil, err
		}
		claims := `{"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":"{\"x-hasura-allowed-roles\":[\"user\"]}"}}`
		members["response"] = json.RawMessage(`{"claimsAndScopeOverrideDetails":{"idTokenGeneration":` + claims + `,"accessTokenGeneration":` + claims + `}}`)
		if answer, err = json.Marshal(members); err != nil {
			return nil, err
		}
	case "grants admin", "wipes the groups":
		details := `"groupOverrideDetails":{}`
		if string(how) == "grants admin" {
			claims := `{\"x-hasura-user-id\":\"1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15\",\"x-hasura-allowed-roles\":[\"admin\"],\"x-hasura-default-role\":\"admin\"}`
			details = `"claimsToAddOrOverride":{"https://hasura.io/jwt/claims":"` + claims + `"}`
		}
		answer = bytes.Replace(answer, []byte(`"claimsOverrideDetails": null`), []byte(`"claimsOverrideDetails":{`+details+`}`), 1)
	case "prints a trace":
		fmt.Println("goroutine 1 [running]:")
	}
	say(ctx, outcome)
	return answer, nil
}

func say(ctx context.Context, outcome string) {
	lc, _ := lambdacontext.FromContext(ctx)
	fmt.Printf(`{"level":"INFO","message":%q,"requestId":%q}`+"\n", outcome, lc.AwsRequestID)
}

func main() { lambda.Start(handler{}) }
