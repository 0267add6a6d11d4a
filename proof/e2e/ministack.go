package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// deploy starts a Hasura, stores its admin secret and deploys a stack that uses both. The
// stack acme-own creates its user pool. The others get one that exists, and it gets the
// triggers that the stack's output names.
func (e *environment) deploy(name, version string) func(context.Context) string {
	return func(ctx context.Context) string {
		p := e.prepare(ctx, &pool{name: name, url: e.ministack, secretsURL: e.ministack, bothTokens: version != "V1_0"})
		e.pools[name] = p
		poolParameter := "CreateUserPool=true"
		if name != "acme-own" {
			p.createPool(ctx, name)
			poolParameter = "UserPoolId=" + p.id
		}
		schedule, follow := "", "false"
		if name == "acme-own" {
			schedule, follow = "rate(1 day)", "true"
		}
		outputs := samDeploy(ctx, name, poolParameter, "ReconcileSchedule="+strconv.Quote(schedule), "FollowChanges="+follow, "Prefix="+name, "LambdaVersion="+version, "GraphqlDomain="+p.stack.Hasura.URL,
			"SecretsArn="+p.secretARN, "Architecture="+architecture, "Monitoring=false") // MiniStack has no metric filters
		p.queueURL = outputs["ParkedSyncsUrl"]
		if name == "acme-own" {
			p.id, p.client, p.emailUsername = outputs["UserPoolId"], outputs["UserPoolClientId"], true
		} else {
			during("output LambdaConfig", func() { p.attach(ctx, outputs["LambdaConfig"]) })
		}
		must(p.cognito.CreateGroup(ctx, &idp.CreateGroupInput{UserPoolId: &p.id, GroupName: &editor}))
		return ""
	}
}

func (p *pool) attach(ctx context.Context, output string) {
	var config types.LambdaConfigType
	check(json.Unmarshal([]byte(output), &config))
	if !p.bothTokens { // MiniStack takes every PreTokenGenerationConfig for V2_0. This older field means V1_0.
		config.PreTokenGeneration, config.PreTokenGenerationConfig = config.PreTokenGenerationConfig.LambdaArn, nil
	}
	must(p.cognito.UpdateUserPool(ctx, &idp.UpdateUserPoolInput{UserPoolId: &p.id, LambdaConfig: &config}))
}

// editor is a group.
var editor = "editor"

func (e *environment) signIns(name string) func(context.Context) string {
	return func(ctx context.Context) string { return e.pools[name].signIns(ctx) }
}

// signIns checks the tokens of a new user at the first sign-in, at a refresh after the user
// joined a group, and at a sign-in after the user left it.
func (p *pool) signIns(ctx context.Context) string {
	u := p.signUp(ctx)
	var t *types.AuthenticationResultType
	during("first sign-in", func() {
		t = p.signIn(ctx, u)
		p.checkTokens(ctx, u, t)
	})
	during("sync", func() {
		p.invokeSync(ctx, u)
		p.checkSynced(ctx, u)
	})
	during("refresh after joining a group", func() {
		must(p.cognito.AdminAddUserToGroup(ctx, &idp.AdminAddUserToGroupInput{UserPoolId: &p.id, Username: &u.username, GroupName: &editor}))
		u.roles, u.groups = []string{"user", "editor"}, []string{"editor"}
		p.checkTokens(ctx, u, p.refresh(ctx, t))
	})
	during("sign-in after leaving the group", func() {
		must(p.cognito.AdminRemoveUserFromGroup(ctx, &idp.AdminRemoveUserFromGroupInput{UserPoolId: &p.id, Username: &u.username, GroupName: &editor}))
		u.roles, u.groups = []string{"user"}, nil
		p.checkTokens(ctx, u, p.signIn(ctx, u))
	})
	if p.bothTokens {
		return "claims in both tokens"
	}
	return "claims in the id token"
}

// invokeSync sends the deployed sync function what Cognito would send when the user
// confirms. MiniStack fires only pre token generation.
func (p *pool) invokeSync(ctx context.Context, u *user) {
	event := must(json.Marshal(map[string]any{
		"version": "1", "region": region, "userPoolId": p.id, "userName": u.username,
		"callerContext": map[string]string{"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": p.client},
		"triggerSource": "PostConfirmation_ConfirmSignUp",
		"request": map[string]any{"userAttributes": map[string]string{
			"sub": u.sub, "email": u.email, "email_verified": "true", "cognito:user_status": "CONFIRMED", "name": "Jane Doe"}},
		"response": map[string]any{},
	}))
	if response := invoke(ctx, p.url, p.name+"-"+functions.Sync, event); !sameJSON(response, event) {
		fail("the response is %s, want the event unchanged", response)
	}
}

// invoke calls a function in an emulator of Lambda.
func invoke(ctx context.Context, emulatorURL, function string, event []byte) (response []byte) {
	out := must(lambda.NewFromConfig(emulator(emulatorURL)).Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: event}))
	if out.FunctionError != nil {
		fail("%s failed: %s", function, out.Payload)
	}
	return out.Payload
}

func (p *pool) checkSynced(ctx context.Context, u *user) {
	p.checkRow(ctx, u, map[string]string{"email": u.email, "name": "Jane Doe", "username": u.username})
}

// parkSync lets a user sign in while Hasura is down. The failed sync waits in the parked
// syncs queue, and the replay function writes the row when Hasura is up again.
func (e *environment) parkSync(ctx context.Context) string {
	p, queue := e.pools["acme-v2"], sqs.NewFromConfig(emulator(e.ministack))
	// A message that could not be replayed is invisible for this long. The template's 3 minutes are a long wait.
	must(queue.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{QueueUrl: &p.queueURL, Attributes: map[string]string{"VisibilityTimeout": "1"}}))
	u := p.signUp(ctx)
	check(p.stack.Hasura.Set(stack.Refuse))
	p.invokeSync(ctx, u)
	p.signIn(ctx, u)
	for range 2 { // the event source mapping receives the message again and again, and it stays
		if messages(ctx, queue, p.queueURL) == 0 {
			fail("the parked syncs queue is empty while Hasura is down")
		}
		time.Sleep(2 * time.Second)
	}
	check(p.stack.Hasura.Set(stack.Fault{}))
	check(poll(ctx, func() error {
		if n := messages(ctx, queue, p.queueURL); n > 0 {
			return fmt.Errorf("%d messages are in the parked syncs queue though Hasura is up", n)
		}
		return nil
	}))
	p.checkSynced(ctx, u)
	return "replayed, and the queue is empty"
}

// messages counts the messages of a queue, also those that a consumer has received.
func messages(ctx context.Context, client *sqs.Client, queueURL string) (n int) {
	out := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &queueURL, AttributeNames: []sqstypes.QueueAttributeName{"All"}}))
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"} {
		n += must(strconv.Atoi(out.Attributes[name]))
	}
	return n
}

// replaceTrigger replaces the code of acme-v2's claims function by a program that gives
// every event the same response.
func (e *environment) replaceTrigger(ctx context.Context, response string) {
	const program = `#!/usr/bin/env python3
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
while True:
    with urllib.request.urlopen(api + "next") as r:
        event, request_id = json.load(r), r.headers["Lambda-Runtime-Aws-Request-Id"]
    event["response"] = json.loads(%q)
    urllib.request.urlopen(api + request_id + "/response", json.dumps(event).encode()).close()
`
	var code bytes.Buffer
	z := zip.NewWriter(&code)
	header := &zip.FileHeader{Name: "bootstrap"}
	header.SetMode(0o755)
	must(fmt.Fprintf(must(z.CreateHeader(header)), program, response))
	check(z.Close())
	must(lambda.NewFromConfig(emulator(e.ministack)).UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: aws.String("acme-v2-" + functions.Claims), ZipFile: code.Bytes()}))
}
