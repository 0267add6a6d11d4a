package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// invoke has make invoke run each function in a container of its own, as one does by
// hand, and looks at the rows.
func (m *machine) invoke(ctx context.Context) (string, error) {
	for _, row := range []struct{ event, want string }{
		{"events/pre-token-generation-v2-authentication.json", `"claimsAndScopeOverrideDetails": {"idTokenGeneration"`},
		{"events/post-confirmation-federated-google.json", `"triggerSource": "PostConfirmation_ConfirmSignUp"`},
		{"events/post-authentication.json", `"triggerSource": "PostAuthentication_Authentication"`},
		{"events/sqs/parked-syncs.json", `{"batchItemFailures": []}`},
	} {
		answer, err := m.makeInvoke(ctx, row.event, m.yard.inContainers()...)
		if err != nil {
			return "", err
		}
		if !strings.Contains(answer, row.want) {
			return "", fmt.Errorf("the answer to %s is %s, want one with %s", row.event, answer, row.want)
		}
	}
	const paula = "2b61d5f8-3f0e-4d72-9a4c-6e58b1c7d093"
	row, err := m.yard.hasura.row(ctx, paula)
	if err != nil || row.Text("email") != "paula@example.com" || row.Text("last_sign_in_at") == "" {
		return "", errors.Join(errors.New("the replay did not write the row of Paula's sign-in"), err)
	}
	return "three functions, one container a call", nil
}

// invokeFails wants make invoke to fail when the function does, which SAM does not.
func (m *machine) invokeFails(ctx context.Context) (string, error) {
	y := *m.yard
	y.variables = filepath.Join(m.dir, "misconfigured.json")
	if err := writeJSON(y.variables, map[string]any{
		logical[stack.Trigger]:   map[string]string{"CLAIMS_FORMAT": "yaml"},
		logical[stack.SyncUsers]: map[string]string{"GRAPHQL_DOMAIN": ""}}); err != nil {
		return "", err
	}
	for _, event := range []string{"events/pre-token-generation-v1-authentication.json", "events/post-authentication.json"} {
		if _, err := m.makeInvoke(ctx, event, y.inContainers()...); err == nil {
			return "", fmt.Errorf("make invoke EVENT=%s passed, and the function is misconfigured", event)
		} else if _, err := refused(err, "misconfigured"); err != nil {
			return "", err
		}
	}
	return "found out", nil
}

func (m *machine) makeInvoke(ctx context.Context, event string, flags ...string) (answer string, err error) {
	answer, _, err = output(m.atYard(m.yard, m.command(ctx, "make", "invoke", "EVENT="+event, "SAM="+m.tools.sam, "SAM_FLAGS="+strings.Join(flags, " "))))
	return answer, err
}
