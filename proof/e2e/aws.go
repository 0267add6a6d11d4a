package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const (
	region = "us-east-1"
	secret = "acme/prod/app"
)

// account signs in at the emulators, none of which looks at the keys.
var account = credentials.NewStaticCredentialsProvider("local", "local", "")

func cognitoAt(endpoint string) *cognitoidentityprovider.Client {
	return cognitoidentityprovider.New(cognitoidentityprovider.Options{Region: region, Credentials: account, BaseEndpoint: &endpoint})
}

func secretsAt(endpoint string) *secretsmanager.Client {
	return secretsmanager.New(secretsmanager.Options{Region: region, Credentials: account, BaseEndpoint: &endpoint})
}

func (m *machine) startMoto(ctx context.Context) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	p, err := m.start("moto", m.command(context.WithoutCancel(ctx), m.tools.moto, "-H", "127.0.0.1", "-p", port))
	if err != nil {
		return "", err
	}
	m.moto = "http://127.0.0.1:" + port
	return "Secrets Manager", p.ready(ctx, answers(m.moto+"/moto-api/"))
}

// services are those of MiniStack that template.yaml, sam deploy and the sign-ins use.
const services = "cloudformation,cognito-idp,events,iam,kms,lambda,logs,monitoring,s3,secretsmanager,sns,sqs,sts"

func (m *machine) startMiniStack(ctx context.Context) (string, error) {
	port, err := freePort()
	if err != nil {
		return "", err
	}
	url := "http://127.0.0.1:" + port
	cmd := m.command(context.WithoutCancel(ctx), m.tools.ministack)
	cmd.Dir = m.dir
	cmd.Env = append(cmd.Env, "GATEWAY_PORT="+port, "BIND_HOST=127.0.0.1", "SERVICES="+services, "TMPDIR="+m.dir,
		// Its MQTT and SFTP servers would listen on every address of the machine.
		"IOT_MTLS_ENABLED=0", "SFTP_ENABLED=0",
		// For the functions that it runs: where they find Secrets Manager.
		"AWS_ENDPOINT_URL="+url,
		// As with Cognito, a function that fails makes the sign-in fail.
		"MINISTACK_COGNITO_PRETOKEN_STRICT=1")
	p, err := m.start("ministack", cmd)
	if err != nil {
		return "", err
	}
	m.ministack = url
	return "CloudFormation, Cognito, IAM, Lambda, Logs, S3, Secrets Manager, SQS", p.ready(ctx, answers(url+"/_ministack/health"))
}

// bag is a team's secret, Hasura's admin secret among others.
func bag(adminSecret string) string {
	text, err := json.Marshal(map[string]string{"HASURA_GRAPHQL_ADMIN_SECRET": adminSecret, "ANOTHER_SECRET": rand.Text()})
	if err != nil {
		panic(err) // strings always marshal
	}
	return string(text)
}

// createSecret makes the secret at an emulator and returns its ARN.
func createSecret(ctx context.Context, endpoint, name, adminSecret string) (arn string, err error) {
	out, err := secretsAt(endpoint).CreateSecret(ctx, &secretsmanager.CreateSecretInput{Name: &name, SecretString: aws.String(bag(adminSecret))})
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(aws.ToString(out.ARN)), nil
}
