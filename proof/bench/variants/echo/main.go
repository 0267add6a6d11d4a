// Command echo returns each event unchanged. It shows what any Lambda function in Go costs.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event any) (any, error) { return event, nil })
}
