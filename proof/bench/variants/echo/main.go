// Command echo answers every event with itself: what a Lambda function in Go costs
// before it does anything.
package main

import (
	"context"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event any) (any, error) { return event, nil })
}
