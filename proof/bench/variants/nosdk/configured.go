//go:build client && config

package main

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
)

func configure(client *http.Client) (aws.Config, error) {
	return config.LoadDefaultConfig(context.Background(), config.WithHTTPClient(client))
}
