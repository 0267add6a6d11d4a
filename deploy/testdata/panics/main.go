// Command panics is a function with the handler of the claims and sync functions, which panics at every event.
package main

import (
	"context"
	"os"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

func main() {
	lambda.Start(cognito.Handler{
		Handle: func(context.Context, *cognito.Event) error { panic("for the alarm") },
		Log:    logs.New(os.Stdout, os.Getenv),
	})
}
