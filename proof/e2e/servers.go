package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/jackc/pgx/v5"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/proof/postgres"
)

func (e *environment) startPostgres(ctx context.Context) (note string) {
	data := e.dir + "-postgresql"
	e.atEnd(func() error { return os.RemoveAll(data) })
	args, env, url := postgres.Server(data, freePort())
	e.postgres = url
	e.start(ctx, server{name: "postgresql", args: args, dir: os.TempDir(), env: env,
		ready: func(ctx context.Context) error {
			conn, err := pgx.Connect(ctx, e.postgres+"postgres")
			if err != nil {
				return err
			}
			defer conn.Close(ctx)
			return conn.QueryRow(ctx, "SELECT current_setting('server_version')").Scan(&note)
		}})
	return note
}

// database creates an empty database and returns its URL.
func (e *environment) database(ctx context.Context) string {
	conn := must(pgx.Connect(ctx, e.postgres+"postgres"))
	defer conn.Close(ctx)
	e.databases++
	name := fmt.Sprintf("e2e_%d", e.databases)
	must(conn.Exec(ctx, "CREATE DATABASE "+name))
	return e.postgres + name
}

// startStack starts the local stack over an empty database, with the functions that SAM built.
func (e *environment) startStack(ctx context.Context, c stack.Config) *stack.Stack {
	c.Functions = filepath.Join(e.dir, "functions")
	if c.Project == nil {
		c.Project = project
	}
	if c.DatabaseURL == "" {
		c.DatabaseURL = e.database(ctx)
	}
	s := must(stack.Start(ctx, c))
	e.atEnd(s.Close)
	return s
}

// project is the folder with Hasura's schema, metadata and migrations.
var project = os.DirFS("graphql")

func (e *environment) startMoto(ctx context.Context) string {
	port := freePort()
	e.moto = "http://127.0.0.1:" + port
	e.start(ctx, server{name: "moto", args: []string{"moto_server", "-H", "127.0.0.1", "-p", port}, ready: answers(e.moto + "/moto-api/")})
	return "Secrets Manager, Cognito"
}

// startMiniStack makes MiniStack the AWS account of all programs that later steps start.
func (e *environment) startMiniStack(ctx context.Context) string {
	const services = "cloudformation,cognito-idp,events,iam,kms,lambda,logs,monitoring,s3,scheduler,secretsmanager,sns,sqs,sts"
	port := freePort()
	e.ministack = "http://127.0.0.1:" + port
	check(os.Setenv("AWS_ENDPOINT_URL", e.ministack)) // MiniStack passes it on to the functions
	e.start(ctx, server{name: "ministack", args: []string{"ministack"}, dir: e.dir,
		env: []string{"GATEWAY_PORT=" + port, "BIND_HOST=127.0.0.1", "SERVICES=" + services, "TMPDIR=" + e.dir,
			"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0", // they would listen on every address of the machine
			"MINISTACK_COGNITO_PRETOKEN_STRICT=1"}, // as in Cognito, a function that fails makes the sign-in fail
		ready: answers(e.ministack + "/_ministack/health")})
	created := must(idp.NewFromConfig(emulator(e.ministack)).CreateUserPool(ctx, &idp.CreateUserPoolInput{PoolName: aws.String("any")}))
	e.anyPool = *created.UserPool.Id
	return "Cognito, CloudFormation, Lambda, SQS and what they need"
}

// emulator holds the SDK settings of an emulator. Emulators do not check credentials. They close idle connections that the SDK is about
// to use, and a request that is then repeated can fail: what it creates exists already. So each request has a connection of its own.
func emulator(url string) aws.Config {
	return aws.Config{Region: region, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""), BaseEndpoint: &url,
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// secretText is a team's secret. It holds Hasura's admin secret and another one.
func secretText(adminSecret string) *string {
	text := must(json.Marshal(map[string]string{"HASURA_GRAPHQL_ADMIN_SECRET": adminSecret, "ANOTHER_SECRET": rand.Text()}))
	return aws.String(string(text))
}

// createSecret stores the secret in an emulator and returns its ARN.
func createSecret(ctx context.Context, emulatorURL, name, adminSecret string) (arn string) {
	out := must(secretsmanager.NewFromConfig(emulator(emulatorURL)).CreateSecret(ctx,
		&secretsmanager.CreateSecretInput{Name: &name, SecretString: secretText(adminSecret)}))
	return *out.ARN
}
