package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// chosen are the events that go through a container: one of each kind, since SAM takes
// several seconds for each. E2E_EVENTS takes another pattern, such as events/*.json for all.
var chosen = []string{
	"events/pre-token-generation-v1-authentication.json",
	"events/pre-token-generation-v2-authentication.json",
	"events/pre-token-generation-v3-client-credentials.json",
	"events/post-authentication.json",
	"events/post-confirmation-federated-google.json",
	"events/post-confirmation-sign-up.json",
}

// events gives recorded events to their function twice: under the local runtime, which
// make run holds to its rules, and by sam local invoke in a container. Answer, outcome and
// at the end every row have to be the same.
func (m *machine) events(ctx context.Context) (string, error) {
	paths := chosen
	if pattern := os.Getenv("E2E_EVENTS"); pattern != "" {
		var err error
		if paths, err = filepath.Glob(pattern); err != nil || len(paths) == 0 {
			return "", fmt.Errorf("E2E_EVENTS=%s matches no file", pattern)
		}
	}
	local, err := m.localStack(ctx, "events_local")
	if err != nil {
		return "", err
	}
	y, err := m.openYard(ctx)
	if err != nil {
		return "", err
	}
	g, err := m.startHasura(ctx, "events_container", "", "", nil)
	if err != nil {
		return "", err
	}
	arn, err := createSecret(ctx, m.moto, "events/app", g.admin)
	if err != nil {
		return "", err
	}
	if err := errors.Join(m.reach(y, "hasura", g.url), m.reach(y, "secrets", m.moto)); err != nil {
		return "", err
	}
	variables := filepath.Join(m.dir, "variables.json")
	text, err := json.Marshal(map[string]map[string]string{logical[stack.SyncUsers]: {
		"GRAPHQL_DOMAIN": balancer, "SECRETS_ARN": arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://" + manager + ":4566",
		// Outside of AWS a reference to a resource is its name, and no URL.
		"SYNC_QUEUE_URL": ""}})
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(variables, text, 0o600); err != nil {
		return "", err
	}

	// Each function has its own lane, in which the events keep their order.
	lanes := make(map[string][]string)
	for _, path := range paths {
		event, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		function := stack.FunctionFor(filepath.Base(path), event)
		lanes[function] = append(lanes[function], path)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var faults []error
	for function, paths := range lanes {
		wg.Go(func() {
			for _, path := range paths {
				if err := m.event(ctx, local, y, variables, function, path); err != nil {
					mu.Lock()
					faults = append(faults, fmt.Errorf("%s: %w", path, err))
					mu.Unlock()
					if ctx.Err() != nil {
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(faults...); err != nil {
		return "", err
	}
	rows, err := sameRows(ctx, local, g)
	return fmt.Sprintf("%d events, %d rows, as make run has them", len(paths), rows), err
}

// localStack is that of make run, with the functions that SAM built, over PostgreSQL.
func (m *machine) localStack(ctx context.Context, database string) (*stack.Stack, error) {
	functions := filepath.Join(m.dir, "functions")
	for name := range logical {
		to, err := filepath.Abs(filepath.Dir(built(name)))
		if err != nil {
			return nil, err
		}
		if err := errors.Join(os.MkdirAll(functions, 0o755), os.Symlink(to, filepath.Join(functions, name))); err != nil {
			return nil, err
		}
	}
	url, err := m.postgres.database(ctx, database)
	if err != nil {
		return nil, err
	}
	s, err := stack.Start(ctx, stack.Config{Functions: functions, Project: os.DirFS("graphql"), DatabaseURL: url})
	if err != nil {
		return nil, err
	}
	m.atEnd(s.Close)
	return s, nil
}

// event sends one event both ways.
func (m *machine) event(ctx context.Context, local *stack.Stack, y *yard, variables, function, path string) error {
	event, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	want, err := local.Send(ctx, function, event)
	if err != nil {
		return err
	}
	cmd := m.command(ctx, m.tools.sam, "local", "invoke", logical[function], "--event", path, "--env-vars", variables,
		"--parameter-overrides", "Architecture="+architecture,
		"--invoke-image", y.image+":none", "--skip-pull-image", "--docker-network", y.network)
	if y.host != "" {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+y.host)
	}
	answer, log, err := output(cmd)
	if err != nil {
		return err
	}
	// SAM's exit code does not say whether the function failed.
	if failure := failure(answer); failure != "" {
		return errors.New(failure)
	}
	if !sameJSON([]byte(answer), want.Payload) {
		return fmt.Errorf("the container's answer is\n%s\nand the local runtime's\n%s", answer, want.Payload)
	}
	// SAM may end before it has printed the function's log.
	if got := phrases(log); len(got) > 0 && !slices.Contains(got, want.Outcome) {
		return fmt.Errorf("in the container the function logged %q, and %q under the local runtime", got, want.Outcome)
	}
	return nil
}

// failure says how an answer of sam local invoke shows that the function failed.
func failure(answer string) string {
	if strings.TrimSpace(answer) == "" {
		return "the function gave no answer: it ended or took too long"
	}
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(answer), &members) != nil {
		return "the function's answer is no JSON object"
	}
	for _, name := range []string{"errorMessage", "errorType"} {
		if text, ok := members[name]; ok {
			return "the function failed: " + string(text)
		}
	}
	return ""
}

// phrases are the messages of the log records among what sam local invoke printed.
func phrases(printed string) (messages []string) {
	for line := range strings.Lines(printed) {
		var record struct {
			Level, Message string
		}
		if json.Unmarshal([]byte(line), &record) == nil && record.Level != "" {
			messages = append(messages, record.Message)
		}
	}
	return messages
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// sameRows compares both tables but for the times of writing, and counts the rows.
func sameRows(ctx context.Context, local *stack.Stack, g *graphQL) (int, error) {
	want, err := local.Users(ctx)
	if err != nil {
		return 0, err
	}
	got, err := stack.Users(ctx, g.url, g.admin)
	if err != nil {
		return 0, err
	}
	for _, rows := range [][]stack.Row{want, got} {
		for _, row := range rows {
			for _, column := range []string{"synced_at", "last_sign_in_at", "created_at", "updated_at"} {
				row[column] = row[column] != nil
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		return 0, fmt.Errorf("the containers left %d rows and the local runtime %d, or they differ", len(got), len(want))
	}
	return len(got), nil
}
