// Command naive is the sync function as a first version would be: it reads the secret in the
// first call, with the SDK's defaults, and calls Hasura with http.DefaultClient. The bench
// builds it without flags.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

const mutation = `mutation($id: uuid!, $email: String) { insert_users_one(object: {id: $id, email: $email},
	on_conflict: {constraint: users_pkey, update_columns: [email]}) { id } }`

var secret string

func main() { lambda.Start(sync) }

func sync(ctx context.Context, event events.CognitoEventUserPoolsPostAuthentication) (any, error) {
	if secret == "" {
		if err := read(ctx); err != nil {
			return nil, err
		}
	}
	attributes := event.Request.UserAttributes
	body, err := json.Marshal(map[string]any{
		"query":     mutation,
		"variables": map[string]string{"id": attributes["sub"], "email": attributes["email"]},
	})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, os.Getenv("GRAPHQL_DOMAIN")+"/v1/graphql", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hasura-Admin-Secret", secret)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct{ Errors []any }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if len(answer.Errors) > 0 {
		return nil, errors.New("upsert: refused by Hasura")
	}
	return event, nil
}

func read(ctx context.Context) error {
	cfg, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return err
	}
	arn := os.Getenv("SECRETS_ARN")
	value, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return err
	}
	var keys map[string]string
	if err := json.Unmarshal([]byte(*value.SecretString), &keys); err != nil {
		return err
	}
	secret = keys["HASURA_GRAPHQL_ADMIN_SECRET"]
	return nil
}
