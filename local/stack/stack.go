// Package stack is the local environment: the built functions under the Lambda runtime protocol, and around them a user
// pool, Secrets Manager, SQS and Hasura over a real database, all on 127.0.0.1.
//
// The functions get the variables that they need, the queues, and Config.Env. Variables of the AWS SDK point them at the
// local services. Each service is behind a [Front], which can make it misbehave.
//
// The pool's triggers call the functions. Each change of a user goes to EventBridge, whose rule fills the queue of the
// follow function. [Stack.Replay], [Stack.Reconcile] and [Stack.Follow] give the messages of a queue to its function.
package stack

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

const (
	// PoolID is the user pool that the recorded events name.
	PoolID = "us-east-1_ExaMPle01"
	// Secret is the name of the secret that holds Hasura's admin secret.
	Secret = "acme/prod/app"
	// Queue is the name of the parked syncs queue.
	Queue = "hasura-cognito-parked-syncs"
	// DeadLetters is the name of its dead-letter queue.
	DeadLetters = Queue + "-dead-letters"
	// ReconcileQueue and FollowQueue are the names of the queues of these functions. They share a dead-letter queue.
	ReconcileQueue       = "hasura-cognito-reconcile"
	FollowQueue          = "hasura-cognito-follow"
	ReconcileDeadLetters = ReconcileQueue + "-dead-letters"
)

// A Config describes an environment. Functions and Project are required.
type Config struct {
	Functions   string // folder with <function>/bootstrap for each function
	Project     fs.FS  // the folder graphql/ of the repository
	DatabaseURL string // of a PostgreSQL database; empty means SQLite in memory
	HasuraURL   string // of another Hasura, which takes AdminSecret; empty means the local one

	Env         map[string]map[string]string // further variables by function
	AdminSecret string                       // Hasura's; empty means a random one
	SecretKey   string                       // where the secret holds it; empty means HASURA_GRAPHQL_ADMIN_SECRET
	JWT         jwt.Config                   // Hasura's; without a key the keys, the issuer and the format are the user pool's
	Queue       sqs.Queue                    // visibility time-out of every queue, and receives of parked syncs; zero values are those of SQS and [PoolQueues]
}

// A Stack is a running environment.
type Stack struct {
	Hasura, SecretsManager, SQS, Cognito *Front // where the functions find the services

	Pool     *userpool.Pool     // issues the tokens of UserPool
	UserPool *cognitoidp.Server // its users, who sign up, sign in and change
	Secrets  *secretsmanager.Server
	Queues   *sqs.Server
	Database *hasura.Database // nil with Config.HasuraURL
	Lambda   *lambda.Service
	Log      *Log

	config    Config
	engine    *hasura.Server
	keysURL   string // where Hasura finds the keys of the user pool
	secretARN string
	hasuraURL string
	rowsURL   string // of Hasura without faults, for Users
	functions map[string]lambda.Function
	fronts    []*Front
	rule      func(event []byte)

	secret sync.RWMutex // for config.AdminSecret; held during a query that Hasura must not refuse meanwhile

	mu     sync.Mutex
	errors map[string][]string // Hasura's, by X-Request-Id
}

// Start starts the services. A function starts when it is first called. ctx is for Start alone.
func Start(ctx context.Context, c Config) (_ *Stack, err error) {
	c.AdminSecret = cmp.Or(c.AdminSecret, rand.Text())
	c.SecretKey = cmp.Or(c.SecretKey, defaultSecretKey)
	s := &Stack{config: c, Log: new(Log), Secrets: new(secretsmanager.Server), errors: make(map[string][]string),
		Queues: &sqs.Server{Speedup: 600}} // a message that SQS delays by a minute comes after 100 ms
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.Pool, err = userpool.New(PoolID); err != nil {
		return nil, err
	}
	s.hasuraURL, s.rowsURL = c.HasuraURL, c.HasuraURL
	if s.hasuraURL == "" {
		if err := s.startHasura(ctx); err != nil {
			return nil, fmt.Errorf("start Hasura: %w", err)
		}
	}
	if s.secretARN, err = s.PutAdminSecret(c.AdminSecret); err != nil {
		return nil, err
	}
	if s.SecretsManager, err = s.serve(s.Secrets); err != nil {
		return nil, fmt.Errorf("start Secrets Manager: %w", err)
	}
	c.Queue.Name, c.Queue.DeadLetters, c.Queue.MaxReceive = Queue, DeadLetters, cmp.Or(c.Queue.MaxReceive, 100)
	s.Queues.Create(sqs.Queue{Name: DeadLetters})
	s.Queues.Create(c.Queue)
	if s.SQS, err = s.serve(s.Queues); err != nil {
		return nil, fmt.Errorf("start SQS: %w", err)
	}

	for _, q := range PoolQueues() {
		q.Visibility = cmp.Or(c.Queue.Visibility, q.Visibility)
		s.Queues.Create(q)
	}
	if s.UserPool, s.Cognito, err = s.startUserPool(); err != nil {
		return nil, fmt.Errorf("start the user pool: %w", err)
	}

	s.setFunctions()
	s.Lambda, err = lambda.NewService(slices.Collect(maps.Values(s.functions))...)
	if err == nil {
		s.UserPool.Invoke = s.Lambda.Invoke
	}
	return s, err
}

func (s *Stack) setFunctions() {
	needed := map[string]string{
		"GRAPHQL_DOMAIN":                   s.hasuraURL,
		"SECRETS_ARN":                      s.secretARN,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": s.SecretsManager.URL,
	}
	pool := map[string]string{"USER_POOL_ID": PoolID, "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": s.Cognito.URL}
	s.functions = map[string]lambda.Function{ // time-outs as in template.yaml
		functions.Claims:    s.function(functions.Claims, 5*time.Second),
		functions.Sync:      s.function(functions.Sync, 5*time.Second, needed, map[string]string{"SYNC_QUEUE_URL": s.queueURL(Queue)}),
		functions.Replay:    s.function(functions.Replay, 30*time.Second, needed),
		functions.Reconcile: s.function(functions.Reconcile, 900*time.Second, needed, pool, map[string]string{"RECONCILE_QUEUE_URL": s.queueURL(ReconcileQueue)}),
		functions.Follow:    s.function(functions.Follow, 60*time.Second, needed, pool, map[string]string{"RECONCILE_QUEUE_URL": s.queueURL(FollowQueue)}),
	}
}

// Configure gives other settings to the functions, and to the local Hasura and Secrets Manager what they have to know of them.
// The next call of each function starts a new process. It must not run beside [Stack.Function].
func (s *Stack) Configure(chosen Settings) error {
	before := s.config.SecretKey
	chosen.Set(&s.config)
	if s.config.SecretKey = cmp.Or(s.config.SecretKey, defaultSecretKey); s.config.SecretKey != before {
		if _, err := s.PutAdminSecret(s.config.AdminSecret); err != nil {
			return err
		}
	}
	if s.engine != nil {
		s.engine.SetJWT(s.jwt())
	}
	s.setFunctions()
	var errs []error
	for name, f := range s.functions {
		errs = append(errs, s.Lambda.Configure(name, f.Env))
	}
	return errors.Join(errs...)
}

const defaultSecretKey = "HASURA_GRAPHQL_ADMIN_SECRET"

// startHasura configures Hasura as docs/ tells its users to.
func (s *Stack) startHasura(ctx context.Context) (err error) {
	pool, err := s.serve(s.Pool)
	if err != nil {
		return err
	}
	if err := CheckDatabaseURL(s.config.DatabaseURL); err != nil {
		return err
	}
	if s.Database, err = hasura.Open(ctx, s.config.Project, s.config.DatabaseURL); err != nil {
		return err
	}
	s.keysURL = pool.URL + "/" + s.Pool.ID + "/.well-known/jwks.json"
	s.engine, err = hasura.New(hasura.Config{Project: s.config.Project, Database: s.Database, AdminSecret: s.config.AdminSecret, JWT: s.jwt()})
	if err != nil {
		return err
	}
	if s.Hasura, err = s.serve(http.HandlerFunc(s.serveHasura)); err != nil {
		return err
	}
	direct, err := s.serve(s.engine)
	if err == nil {
		s.hasuraURL, s.rowsURL = s.Hasura.URL, direct.URL
	}
	return err
}

// jwt returns Hasura's configuration of tokens.
func (s *Stack) jwt() *jwt.Config {
	tokens := s.config.JWT
	if tokens.Key == "" && tokens.JWKURL == "" {
		tokens.JWKURL, tokens.Issuer = s.keysURL, s.Pool.Issuer
		tokens.Format = cmp.Or(tokens.Format, jwt.FormatStringJSON)
	}
	return &tokens
}

// serveHasura remembers the errors that Hasura answers with.
func (s *Stack) serveHasura(w http.ResponseWriter, r *http.Request) {
	buffer := httptest.NewRecorder()
	s.engine.ServeHTTP(buffer, r)
	var answer answer
	if id := r.Header.Get("X-Request-Id"); id != "" && json.Unmarshal(buffer.Body.Bytes(), &answer) == nil && answer.refusal() != nil {
		s.mu.Lock()
		s.errors[id] = append(s.errors[id], answer.refusal().Error())
		s.mu.Unlock()
	}
	maps.Copy(w.Header(), buffer.Header())
	w.WriteHeader(buffer.Code)
	_, _ = w.Write(buffer.Body.Bytes()) // the client may be gone
}

// PutAdminSecret puts an admin secret into Secrets Manager and returns the ARN of the secret.
func (s *Stack) PutAdminSecret(value string) (arn string, err error) {
	secret := map[string]string{"ANOTHER_SECRET": value + "-another"}
	secret[s.config.SecretKey] = value // it can have the same name
	text, err := json.Marshal(secret)
	return s.Secrets.Put(Secret, string(text)), err
}

// Rotate replaces the admin secret, in Secrets Manager and in Hasura.
func (s *Stack) Rotate(value string) error {
	_, err := s.PutAdminSecret(value)
	s.SetAdminSecret(value)
	return err
}

// SetAdminSecret replaces the admin secret in Hasura alone.
func (s *Stack) SetAdminSecret(value string) {
	s.secret.Lock()
	defer s.secret.Unlock()
	s.engine.SetAdminSecret(value)
	s.config.AdminSecret = value
}

// Function returns the configuration of a function, for environments beside those of [Stack.Lambda].
func (s *Stack) Function(name string) lambda.Function {
	f := s.functions[name]
	f.Env = maps.Clone(f.Env)
	return f
}

func (s *Stack) function(name string, timeout time.Duration, env ...map[string]string) lambda.Function {
	all := map[string]string{"GOMAXPROCS": "1"} // as in template.yaml
	for _, more := range append(env, s.config.Env[name]) {
		maps.Copy(all, more)
	}
	if dir := os.Getenv("GOCOVERDIR"); dir != "" {
		all["GOCOVERDIR"] = dir // a function that is built with -cover counts there
	}
	path := filepath.Join(s.config.Functions, name, "bootstrap")
	return lambda.Function{Name: name, Path: path, Env: all, Timeout: timeout, Memory: 512, Stdout: s.Log, Stderr: s.Log}
}

func (s *Stack) serve(service http.Handler) (*Front, error) {
	f, err := NewFront(service)
	if err == nil {
		s.fronts = append(s.fronts, f)
	}
	return f, err
}

// Close ends the functions, then the services.
func (s *Stack) Close() error {
	if s.Lambda != nil {
		s.Lambda.Close()
	}
	var errs []error
	for _, f := range s.fronts {
		errs = append(errs, f.Close())
	}
	if s.Database != nil {
		errs = append(errs, s.Database.Close())
	}
	return errors.Join(errs...)
}
