// Command doctor looks at a deployment from the outside and says, row by row, whether
// it can work, and if not, what to do:
//
//	make doctor USER_POOL_ID=us-east-1_ExaMPle01
//
// It starts at the pool, finds the functions on its triggers, and their settings,
// secret and Hasura from there. It reads only, and prints neither a secret nor
// anything about the pool's people.
//
// Variables, both optional:
//
//	GRAPHQL_DOMAIN  where Hasura is reached from here, if not where the function
//	                reaches it: a tunnel's end, such as http://127.0.0.1:8080
//	TOKEN           a token of the pool, to show to Hasura: the one proof that
//	                Hasura's issuer and keys are the pool's
//
// What cannot be seen from here is unknown, which is no failure. It exits with 1 when a
// row fails, and with 2 when it was called wrongly.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// patience bounds the whole visit.
const patience = 2 * time.Minute

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("doctor", flag.ContinueOnError)
	flags.SetOutput(stderr)
	pool := flags.String("pool", "", "the user pool's id, such as us-east-1_ExaMPle01")
	asJSON := flags.Bool("json", false, "print JSON, not a table")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	if err := account.CheckPool(*pool); err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cfg, err := account.Of(ctx, *pool)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	d := &doctor{
		id:      *pool,
		cognito: cognitoidentityprovider.NewFromConfig(cfg),
		lambda:  lambda.NewFromConfig(cfg),
		getenv:  getenv,
	}
	d.examine(ctx)
	if err := d.report.print(stdout, *asJSON); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if d.report.failed() {
		return 1
	}
	return 0
}
