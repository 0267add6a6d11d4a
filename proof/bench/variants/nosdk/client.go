//go:build client

package main

import (
	"context"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// read calls GetSecretValue with the SDK.
func read(client *http.Client) (string, error) {
	cfg, err := configure(client)
	if err != nil {
		return "", err
	}
	arn := os.Getenv("SECRETS_ARN")
	value, err := secretsmanager.NewFromConfig(cfg).GetSecretValue(context.Background(), &secretsmanager.GetSecretValueInput{SecretId: &arn})
	if err != nil {
		return "", err
	}
	return admin(*value.SecretString)
}
