package main

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
)

const arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf"

func environ(pairs ...string) func(string) string {
	vars := make(map[string]string)
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		vars[name] = value
	}
	return func(name string) string { return vars[name] }
}

func TestTwoVariablesAreEnough(t *testing.T) {
	c, err := fromEnv(environ("GRAPHQL_DOMAIN=internal-app-1.eu-west-1.elb.amazonaws.com", "SECRETS_ARN="+arn))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := c.hasura.Endpoint.URL.String(), "http://internal-app-1.eu-west-1.elb.amazonaws.com/v1/graphql"; got != want {
		t.Errorf("endpoint %s, want %s", got, want)
	}
	c.hasura.Endpoint = hasura.Endpoint{}
	want := config{hasura: hasura.Settings{SecretARN: arn, SecretKeys: secrets.AdminSecretKeys}, budget: 3500 * time.Millisecond}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestOtherVariables(t *testing.T) {
	c, err := fromEnv(environ("GRAPHQL_DOMAIN=hasura.internal", "GRAPHQL_HOST=api.example.com", "SECRETS_ARN="+arn,
		"SECRETS_KEY=key", "HASURA_ROLE=cognito_sync", "SYNC_BUDGET=4.5s", "SYNC_ON_FAILURE=refuse",
		"SYNC_QUEUE_URL=https://sqs.eu-west-1.amazonaws.com/123456789012/syncs"))
	if err != nil {
		t.Fatal(err)
	}
	h := c.hasura
	if h.Endpoint.Host != "api.example.com" || !reflect.DeepEqual(h.SecretKeys, []string{"key"}) || h.Role != "cognito_sync" || c.queue == "" || c.budget != 4500*time.Millisecond || !c.refuse {
		t.Errorf("got %+v", c)
	}
}

func TestFromEnvTellsEveryFault(t *testing.T) {
	rows := []struct {
		env  []string
		want []string
	}{
		{nil, []string{
			"GRAPHQL_DOMAIN is not set: it is Hasura's host, such as hasura.internal",
			"SECRETS_ARN is not set: it is the ARN of the secret that has Hasura's admin secret",
		}},
		{[]string{"GRAPHQL_DOMAIN=ftp://x", "SECRETS_ARN=canary", "HASURA_ROLE=a b", "SYNC_BUDGET=5s", "SYNC_ON_FAILURE=deny", "SYNC_QUEUE_URL=syncs"}, []string{
			`GRAPHQL_DOMAIN has the scheme "ftp" where https or http is wanted`,
			"SECRETS_ARN is not the ARN of a secret, such as arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf",
			`HASURA_ROLE "a b" is not the name of a role`,
			`SYNC_BUDGET "5s" is not a time from 500ms to 4.5s, such as 3.5s`,
			"SYNC_QUEUE_URL is not the URL of a queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/syncs",
			`SYNC_ON_FAILURE "deny" is neither allow nor refuse`,
		}},
		{[]string{"GRAPHQL_DOMAIN=x", "SECRETS_ARN=" + arn, "SYNC_BUDGET=3"}, []string{`SYNC_BUDGET "3" is not a time from 500ms to 4.5s, such as 3.5s`}},
		{[]string{"GRAPHQL_DOMAIN=x", "SECRETS_ARN=" + arn, "SYNC_BUDGET=100ms"}, []string{`SYNC_BUDGET "100ms" is not a time from 500ms to 4.5s, such as 3.5s`}},
		{[]string{"GRAPHQL_DOMAIN=x", "SECRETS_ARN=" + arn, "GRAPHQL_HOST=https://y"}, []string{`GRAPHQL_HOST "https://y" is not a host, such as api.example.com`}},
	}
	for _, row := range rows {
		_, err := fromEnv(environ(row.env...))
		if err == nil {
			t.Errorf("%q: no error", row.env)
		} else if got := strings.Split(err.Error(), "\n"); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%q:\n got %q\nwant %q", row.env, got, row.want)
		}
	}
}
