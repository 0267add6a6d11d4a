package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// sendEvents sends every recorded event to its function twice: to a warm container of sam
// local start-lambda, and to the local stack of make run. Responses, outcomes and all rows
// must be equal.
func (e *environment) sendEvents(ctx context.Context) string {
	local := e.startStack(ctx, stack.Config{})
	port := freePort()
	url := "http://127.0.0.1:" + port
	log := e.start(ctx, server{name: "start-lambda", ready: answers(url), env: e.containers.env,
		args: append([]string{"sam", "local", "start-lambda", "--host", "127.0.0.1", "--port", port, "--warm-containers", "LAZY",
			"--parameter-overrides", "Architecture=" + architecture}, e.containers.flags...)})

	paths := must(filepath.Glob("events/*.json"))
	for _, path := range paths {
		during(path, func() {
			event := must(os.ReadFile(path))
			function := stack.FunctionFor(filepath.Base(path), event)
			want := must(local.Send(ctx, function, event))
			check(attempts(func() error {
				logged := must(os.Stat(log)).Size()
				response := invoke(ctx, url, functions.LogicalID(function), event)
				if !sameJSON(response, want.Payload) {
					fail("the response of the container is\n%s\nthat of the local stack is\n%s", response, want.Payload)
				}
				// The log of a container arrives a little later than its response.
				bounded, cancel := context.WithTimeout(ctx, 10*time.Second)
				defer cancel()
				return poll(bounded, func() error {
					if got := logMessages(log, logged); !slices.Contains(got, want.Outcome) {
						return fmt.Errorf("the container logged %q, the local stack %q", got, want.Outcome)
					}
					return nil
				})
			}))
		})
	}

	want, got := must(local.Users(ctx)), must(e.containers.stack.Users(ctx))
	for _, row := range slices.Concat(want, got) {
		for _, column := range []string{"synced_at", "last_sign_in_at", "created_at", "updated_at"} {
			row[column] = row[column] != nil
		}
	}
	if len(got) == 0 || !reflect.DeepEqual(got, want) {
		fail("the containers wrote %d rows, the local stack %d, or the rows differ", len(got), len(want))
	}
	return fmt.Sprintf("%d events, %d rows, as in the local stack", len(paths), len(got))
}

// attempts does something up to three times, until it succeeds: on a loaded machine, SAM attaches to a container after the function
// has started, and loses the first lines of its log.
func attempts(do func() error) (err error) {
	for range 3 {
		if err = do(); err == nil {
			return nil
		}
	}
	return err
}

// logMessages returns the messages of the log records after an offset.
func logMessages(path string, offset int64) (messages []string) {
	for line := range bytes.Lines(must(os.ReadFile(path))[offset:]) {
		var record struct{ Level, Message string }
		if json.Unmarshal(line, &record) == nil && record.Level != "" {
			messages = append(messages, record.Message)
		}
	}
	return messages
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// invokeAll runs each function in a new container by make invoke.
func (e *environment) invokeAll(ctx context.Context) string {
	e.expectInvoke(ctx, "events/pre-token-generation-v2-authentication.json", nil, `"claimsAndScopeOverrideDetails": {"idTokenGeneration"`)
	e.expectInvoke(ctx, "events/post-confirmation-federated-google.json", nil, `"triggerSource": "PostConfirmation_ConfirmSignUp"`, `"synced"`)
	e.expectInvoke(ctx, "events/post-authentication.json", nil, `"triggerSource": "PostAuthentication_Authentication"`, `"synced"`)
	e.expectInvoke(ctx, "events/sqs/parked-syncs.json", nil, `{"batchItemFailures": []}`)
	const paula = "2b61d5f8-3f0e-4d72-9a4c-6e58b1c7d093" // in the parked syncs
	row := must(e.containers.row(ctx, paula))
	if row.Text("email") != "paula@example.com" || row.Text("last_sign_in_at") == "" {
		fail("the replay function did not write Paula's row")
	}
	return "4 events"
}

// misconfigured are variables of sam local with invalid settings.
var misconfigured = []string{"CLAIMS_FORMAT=yaml", "GRAPHQL_DOMAIN=https://"}

// invokeMisconfigured expects that invalid settings stop no sign-in.
func (e *environment) invokeMisconfigured(ctx context.Context) string {
	e.expectInvoke(ctx, "events/pre-token-generation-v2-authentication.json", misconfigured, `"claimsAndScopeOverrideDetails": {"idTokenGeneration"`, `"misconfigured"`)
	e.expectInvoke(ctx, "events/post-authentication.json", misconfigured, `"triggerSource": "PostAuthentication_Authentication"`, `"misconfigured"`)
	return "users can sign in"
}

// expectInvoke runs make invoke. Response and log must contain each text.
func (e *environment) expectInvoke(ctx context.Context, event string, env []string, texts ...string) {
	check(attempts(func() error {
		out := e.makeInvoke(ctx, event, env)
		if i := slices.IndexFunc(texts, func(text string) bool { return !strings.Contains(out, text) }); i >= 0 {
			return fmt.Errorf("%s: no %s in\n%s", event, texts[i], out)
		}
		return nil
	}))
}

// makeInvoke returns the response of the function and its log.
func (e *environment) makeInvoke(ctx context.Context, event string, env []string) string {
	cmd := command(ctx, "make", "invoke", "EVENT="+event, "SAM_FLAGS="+strings.Join(e.containers.flags, " "))
	cmd.Env = slices.Concat(cmd.Env, e.containers.env, env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		fail("make invoke EVENT=%s: %w\n%s", event, err, tail(string(out), 30))
	}
	return string(out)
}
