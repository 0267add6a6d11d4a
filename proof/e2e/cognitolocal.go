package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// code is the confirmation code of everybody.
const code = "123456"

// triggers are the functions as cognito-local calls them: by Lambda's Invoke API, under
// the local runtime.
type triggers struct {
	service *lambda.Service
	hasura  *graphQL
	arn     string // of the secret, in moto

	mu  sync.Mutex
	log []string // what the functions printed
}

// Write takes one line of a function's log.
func (t *triggers) Write(line []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.log = append(t.log, strings.TrimSpace(string(line)))
	return len(line), nil
}

// last is the last lines that the functions printed.
func (t *triggers) last() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.log[max(0, len(t.log)-3):], "\n")
}

// leaks names which of the given texts stand in the functions' log.
func (t *triggers) leaks(texts ...string) (found []int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, text := range texts {
		if slices.ContainsFunc(t.log, func(line string) bool { return strings.Contains(line, text) }) {
			found = append(found, i)
		}
	}
	return found
}

// newTriggers runs the functions that SAM built, in the deployment of two variables.
func (m *machine) newTriggers(ctx context.Context, g *graphQL, secretName string) (*triggers, error) {
	t := &triggers{hasura: g}
	var err error
	if t.arn, err = createSecret(ctx, m.moto, secretName, g.admin); err != nil {
		return nil, err
	}
	function := func(name string, env map[string]string) lambda.Function {
		return lambda.Function{Name: name, Path: built(name), Env: env, Timeout: 5 * time.Second, Memory: 512, Stdout: t, Stderr: t}
	}
	t.service, err = lambda.NewService(function(stack.Trigger, nil), function(stack.SyncUsers, map[string]string{
		"GRAPHQL_DOMAIN": g.url, "SECRETS_ARN": t.arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": m.moto,
	}))
	if err != nil {
		return nil, err
	}
	m.atEnd(func() error { t.service.Close(); return nil })
	return t, nil
}

// startCognitoLocal starts cognito-local with the functions as its triggers. Which pool
// has which triggers it does not ask: they are every pool's.
func (m *machine) startCognitoLocal(ctx context.Context, name, port string, t *triggers) error {
	invoke, err := m.serve(t.service)
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"LambdaClient": map[string]string{"endpoint": invoke},
		"TriggerFunctions": map[string]string{
			"PostConfirmation": stack.SyncUsers, "PostAuthentication": stack.SyncUsers, "PreTokenGeneration": stack.Trigger},
	})
	if err != nil {
		return err
	}
	dir := filepath.Join(m.dir, name)
	if err := os.MkdirAll(filepath.Join(dir, ".cognito"), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, ".cognito/config.json"), config, 0o644); err != nil {
		return err
	}
	cmd := m.command(context.WithoutCancel(ctx), m.tools.node, m.tools.cognitoLocal)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "HOST=127.0.0.1", "PORT="+port, "CODE="+code)
	p, err := m.start(name, cmd)
	if err != nil {
		return err
	}
	return p.ready(ctx, answers("http://127.0.0.1:"+port+"/health"))
}
