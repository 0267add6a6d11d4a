// Package stack puts the suite together on one machine: the built functions under the
// Lambda runtime protocol, and around them a user pool, Secrets Manager, SQS and Hasura
// over a real database, all on loopback.
//
// The functions get the variables of template.yaml's two-variable deployment and no
// more. Only where they find Secrets Manager differs, by a variable of the SDK's own.
package stack

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// The functions, by the end of their names in template.yaml.
const (
	Trigger     = "hasura-cognito-trigger"
	SyncUsers   = "hasura-cognito-sync-users"
	ReplaySyncs = "hasura-cognito-replay-syncs"
)

const (
	// PoolID is the user pool's; the recorded events name it.
	PoolID = "us-east-1_ExaMPle01"
	// Secret is the name of the secret that holds Hasura's admin secret.
	Secret = "acme/prod/app"
	// Queue is the name of the queue for syncs that failed.
	Queue = "hasura-cognito-parked-syncs"
)

// A Config says what is put together.
type Config struct {
	// Functions is a folder with <function name>/bootstrap for each function.
	Functions string
	// Project is the folder graphql/ of the repository.
	Project fs.FS
	// DatabaseURL is that of a PostgreSQL database; empty means SQLite in memory.
	DatabaseURL string
	// Env has further variables by function name.
	Env map[string]map[string]string
}

// A Stack is everything, running.
type Stack struct {
	Pool    *userpool.Pool
	Secrets *secretsmanager.Server
	Hasura  *hasura.Server
	SQS     *sqs.Server
	Lambda  *lambda.Service

	// Down has Hasura's load balancer find nobody behind it.
	Down atomic.Bool

	HasuraURL  string // without a path
	SecretsURL string
	PoolURL    string // without the pool's id
	QueueURL   string

	admin    string // Hasura's admin secret
	journal  *journal
	database *hasura.Database
	servers  []*http.Server
}

// Start starts the far sides. The functions start when they are first called. The context
// is for the start alone.
func Start(ctx context.Context, c Config) (_ *Stack, err error) {
	s := &Stack{admin: rand.Text(), journal: newJournal(), Secrets: new(secretsmanager.Server), SQS: new(sqs.Server)}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.Pool, err = userpool.New(PoolID); err != nil {
		return nil, err
	}
	if s.PoolURL, err = s.serve(s.Pool); err != nil {
		return nil, fmt.Errorf("serve the user pool: %w", err)
	}
	if err = s.startHasura(ctx, c); err != nil {
		return nil, fmt.Errorf("start Hasura: %w", err)
	}
	bag, err := json.Marshal(map[string]string{"HASURA_GRAPHQL_ADMIN_SECRET": s.admin, "ANOTHER_SECRET": rand.Text()})
	if err != nil {
		return nil, err
	}
	arn := s.Secrets.Put(Secret, string(bag))
	if s.SecretsURL, err = s.serve(s.Secrets); err != nil {
		return nil, fmt.Errorf("serve Secrets Manager: %w", err)
	}
	sqsURL, err := s.serve(s.SQS)
	if err != nil {
		return nil, fmt.Errorf("serve SQS: %w", err)
	}
	s.QueueURL = sqsURL + s.SQS.Create(sqs.Queue{Name: Queue})
	replay := map[string]string{
		"GRAPHQL_DOMAIN":                   s.HasuraURL,
		"SECRETS_ARN":                      arn,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": s.SecretsURL,
	}
	sync := maps.Clone(replay)
	sync["SYNC_QUEUE_URL"] = s.QueueURL
	s.Lambda, err = lambda.NewService(
		s.function(c, Trigger, 5*time.Second, nil),
		s.function(c, SyncUsers, 5*time.Second, sync),
		s.function(c, ReplaySyncs, 30*time.Second, replay),
	)
	return s, err
}

// startHasura configures Hasura as README.md tells its users to.
func (s *Stack) startHasura(ctx context.Context, c Config) (err error) {
	if s.database, err = hasura.Open(ctx, c.Project, c.DatabaseURL); err != nil {
		return err
	}
	s.Hasura, err = hasura.New(hasura.Config{
		Project:     c.Project,
		Database:    s.database,
		AdminSecret: s.admin,
		JWT: &jwt.Config{
			JWKURL: s.PoolURL + "/" + s.Pool.ID + "/.well-known/jwks.json",
			Issuer: s.Pool.Issuer,
			Format: jwt.FormatStringJSON,
		},
	})
	if err != nil {
		return err
	}
	s.HasuraURL, err = s.serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.Down.Load() {
			http.Error(w, "no healthy upstream", http.StatusServiceUnavailable)
			return
		}
		s.Hasura.ServeHTTP(w, r)
	}))
	return err
}

// function has the time-out and the memory of template.yaml.
func (s *Stack) function(c Config, name string, timeout time.Duration, env map[string]string) lambda.Function {
	all := map[string]string{"GOMAXPROCS": "1"} // as in template.yaml
	maps.Copy(all, env)
	maps.Copy(all, c.Env[name])
	return lambda.Function{
		Name:    name,
		Path:    filepath.Join(c.Functions, name, "bootstrap"),
		Env:     all,
		Timeout: timeout,
		Memory:  512,
		Stdout:  s.journal,
		Stderr:  s.journal,
	}
}

// serve listens on a port that the system chooses and returns the URL.
func (s *Stack) serve(h http.Handler) (url string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }() // ends with ErrServerClosed in Close
	s.servers = append(s.servers, server)
	return "http://" + listener.Addr().String(), nil
}

// Close ends the functions first, then what they talk to.
func (s *Stack) Close() error {
	if s.Lambda != nil {
		s.Lambda.Close()
	}
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	if s.database != nil {
		errs = append(errs, s.database.Close())
	}
	return errors.Join(errs...)
}
