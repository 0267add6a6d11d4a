// Command function is the function of the tests. Its event says what it does.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"
)

type event struct {
	Do     string `json:"do"`
	Millis int    `json:"millis"`
	Bytes  int    `json:"bytes"`
}

var served int

func handle(ctx context.Context, e event) (any, error) {
	served++
	fmt.Println("handling", e.Do)
	switch e.Do {
	case "echo":
		return e, nil
	case "count":
		return served, nil
	case "sleep":
		time.Sleep(time.Duration(e.Millis) * time.Millisecond)
		return e, nil
	case "error":
		return nil, errors.New("said the handler")
	case "panic":
		panic("said the panic")
	case "exit":
		os.Exit(7)
	case "environ":
		return os.Environ(), nil
	case "context":
		lc, _ := lambdacontext.FromContext(ctx)
		deadline, _ := ctx.Deadline()
		return map[string]any{
			"id":     lc.AwsRequestID,
			"arn":    lc.InvokedFunctionArn,
			"left":   time.Until(deadline).Milliseconds(),
			"cwd":    func() string { d, _ := os.Getwd(); return d }(),
			"header": ctx.Value("x-amzn-trace-id"),
		}, nil
	case "big":
		return strings.Repeat("x", e.Bytes), nil
	}
	return nil, fmt.Errorf("unknown event: %s", e.Do)
}

func main() {
	wait, _ := time.ParseDuration(os.Getenv("INIT_SLEEP"))
	time.Sleep(wait)
	switch os.Getenv("INIT") {
	case "exit":
		os.Exit(3)
	case "exit once":
		// The first process leaves a mark for the second.
		if _, err := os.Stat(os.Getenv("MARK")); err != nil {
			_ = os.WriteFile(os.Getenv("MARK"), nil, 0o600)
			os.Exit(3)
		}
	}
	lambda.Start(handle)
}
