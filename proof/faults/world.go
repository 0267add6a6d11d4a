package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
)

const (
	syncUsers   = "hasura-cognito-sync-users"
	replaySyncs = "hasura-cognito-replay-syncs"

	firstSecret, secondSecret = canary + "-first-admin-secret", canary + "-second-admin-secret"
	secretName                = "acme/prod/app"
	queueName                 = "parked-syncs"
	deadLettersName           = queueName + "-dead-letters"
)

// A world is the suite between far sides that can be made to misbehave. Each row of
// the table has its own, database and all.
type world struct {
	hasura, secrets, sqs *front

	imposter *httptest.Server // in Hasura's place, with a certificate that nobody trusts

	manager  *secretsmanager.Server
	rotated  http.Handler // Hasura with the second secret
	queue    *sqs.Server
	mapping  lambda.Mapping
	database *hasura.Database
	sync     lambda.Function
	lambda   *lambda.Service
	journal  *journal
}

// build makes the world of a scene.
func build(ctx context.Context, functions string, s scene) (_ *world, err error) {
	w := &world{journal: new(journal), manager: new(secretsmanager.Server), queue: new(sqs.Server)}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.end())
		}
	}()
	project := os.DirFS("graphql")
	if w.database, err = hasura.Open(ctx, project, ""); err != nil {
		return nil, err
	}
	var engines [2]*hasura.Server
	for i, secret := range []string{firstSecret, secondSecret} {
		if engines[i], err = hasura.New(hasura.Config{Project: project, Database: w.database, AdminSecret: secret}); err != nil {
			return nil, err
		}
	}
	w.rotated = engines[1]
	arn := w.manager.Put(secretName, bag(firstSecret))
	w.queue.Create(sqs.Queue{Name: deadLettersName})
	parked := sqs.Queue{Name: queueName, Visibility: time.Second, DeadLetters: deadLettersName, MaxReceive: cmp.Or(s.receives, 100)}
	path := w.queue.Create(parked)
	for side, handler := range map[**front]http.Handler{&w.hasura: engines[0], &w.secrets: w.manager, &w.sqs: w.queue} {
		if *side, err = newFront(handler); err != nil {
			return nil, err
		}
	}

	w.imposter = httptest.NewUnstartedServer(engines[0])
	w.imposter.Config.ErrorLog = log.New(io.Discard, "", 0) // of the handshakes that fail
	w.imposter.StartTLS()

	common := map[string]string{
		"GOMAXPROCS":                       "1", // as in template.yaml
		"GRAPHQL_DOMAIN":                   w.hasura.url(),
		"SECRETS_ARN":                      arn,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": w.secrets.url(),
	}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		common["GOCOVERDIR"] = dir // where a binary built with -cover counts
	}
	sync := maps.Clone(common)
	sync["SYNC_QUEUE_URL"] = w.sqs.url() + path
	if s.domain != nil {
		sync["GRAPHQL_DOMAIN"] = s.domain(w)
	}
	function := func(name string, env map[string]string, timeout time.Duration) lambda.Function {
		return lambda.Function{Name: name, Path: filepath.Join(functions, name, "bootstrap"), Env: env,
			Timeout: timeout, Memory: 512, Stdout: w.journal, Stderr: w.journal}
	}
	w.sync = function(syncUsers, sync, 5*time.Second)
	w.lambda, err = lambda.NewService(w.sync,
		function(replaySyncs, common, 30*time.Second))
	w.mapping = lambda.Mapping{
		Service: w.lambda, Function: replaySyncs, QueueURL: w.sqs.url() + path, QueueARN: parked.ARN(),
		SQS: sdk.New(sdk.Options{Region: lambda.Region, BaseEndpoint: aws.String(w.sqs.url()),
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", "")}),
	}
	return w, err
}

// cognito calls the sync in as many environments as it has calls at once.
func (w *world) cognito() *cognito {
	return &cognito{invoke: func(ctx context.Context, event []byte) (lambda.Result, error) {
		return w.lambda.Invoke(ctx, syncUsers, event)
	}}
}

func bag(secret string) string { return fmt.Sprintf(`{"HASURA_GRAPHQL_ADMIN_SECRET":%q}`, secret) }

// replay runs the queue's mapping until the queue is empty.
func (w *world) replay(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	done := make(chan error, 1)
	running, stop := context.WithCancel(ctx)
	go func() { done <- w.mapping.Run(running) }()
	for len(w.queue.Bodies(queueName)) > 0 && ctx.Err() == nil {
		time.Sleep(20 * time.Millisecond)
	}
	stop()
	err := <-done
	if n := len(w.queue.Bodies(queueName)); n > 0 {
		return errors.Join(err, fmt.Errorf("%d messages are still in the queue after 90 s", n))
	}
	return err
}

// end stops the functions first, then what they talk to.
func (w *world) end() error {
	if w.lambda != nil {
		w.lambda.Close()
	}
	if w.imposter != nil {
		w.imposter.Close()
	}
	var errs []error
	for _, side := range []*front{w.hasura, w.secrets, w.sqs} {
		if side != nil {
			errs = append(errs, side.end())
		}
	}
	if w.database != nil {
		errs = append(errs, w.database.Close())
	}
	return errors.Join(errs...)
}
