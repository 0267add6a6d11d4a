// Command e2e proves the suite with other people's software: the SAM CLI validates, builds,
// deploys and invokes the functions, Docker runs them, MiniStack and cognito-local play
// Cognito, moto plays Secrets Manager, and PostgreSQL holds the rows.
//
//	make e2e-deps                    install what it needs
//	make e2e                         run every step
//	make e2e E2E_SKIP=docker         run the steps that need no containers
//	make e2e E2E_SKIP=broken-docker  the same, but only if Docker does not work on this machine
//
// All servers listen on loopback, on ports that the system chooses. The command ends every
// process that it started. Their logs stay in .aws-sam/e2e/logs.
//
// The first failed step ends the run, because later steps use what earlier ones left.
// The exit code is 0 if no step failed, 1 if one failed, and 2 if the run cannot start.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Getenv("E2E_SKIP"), os.Stdout)
	stop()
	os.Exit(code)
}

// run expects the root of the repository as working directory.
func run(ctx context.Context, skip string, stdout io.Writer) int {
	if skip != "" && skip != skipDocker && skip != skipBrokenDocker {
		fmt.Fprintf(stdout, "E2E_SKIP=%s: want %s or %s\n", skip, skipDocker, skipBrokenDocker)
		return 2
	}
	var e *environment
	if err := attempt(func() { e = newEnvironment() }); err != nil {
		fmt.Fprintln(stdout, err)
		return 2
	}
	began := time.Now()
	err := runner{stdout, skip}.run(ctx, e.steps())
	if err != nil {
		fmt.Fprintf(stdout, "\n%s", e.lastLines())
	}
	if closeErr := e.close(); err == nil {
		err = closeErr
	}
	took := time.Since(began).Round(time.Second)
	if err != nil {
		fmt.Fprintf(stdout, "\nFAILED after %v: %v\n", took, err)
		return 1
	}
	fmt.Fprintf(stdout, "\nall as expected after %v\n", took)
	return 0
}

func (e *environment) steps() []step {
	return []step{
		{name: "PostgreSQL: start", do: e.startPostgres},
		{name: "moto: start", do: e.startMoto},
		{name: "MiniStack: start", do: e.startMiniStack},

		{name: "sam validate --lint", do: e.validate},
		{name: "sam build: " + otherArchitecture, do: e.build(otherArchitecture)},
		{name: "sam build: " + architecture, do: e.build(architecture)}, // last, because the steps below run this build
		{name: "Docker: daemon, image, network", docker: true, do: e.startDocker},
		{name: "sam local start-lambda: every recorded event", docker: true, do: e.sendEvents},
		{name: "make invoke: every function", docker: true, do: e.invokeAll},
		{name: "make invoke: misconfigured functions", docker: true, do: e.invokeMisconfigured},

		{name: "V1_0 pool: sam deploy", do: e.deploy("acme-v1", "V1_0")},
		{name: "V1_0 pool: sign-up, sign-in, groups, refresh", do: e.signIns("acme-v1")},
		{name: "V2_0 pool: sam deploy", do: e.deploy("acme-v2", "V2_0")},
		{name: "V2_0 pool: sign-up, sign-in, groups, refresh", do: e.signIns("acme-v2")},
		{name: "V2_0 pool: parked sync while Hasura is down", do: e.parkSync},
		{name: "V2_0 pool: hasura-cognito doctor", do: e.doctor},
		{name: "CreateUserPool=true: sam deploy", do: e.deploy("acme-own", "V2_0")},
		{name: "CreateUserPool=true: sign-up, sign-in, groups", do: e.signIns("acme-own")},
		{name: "CreateUserPool=true: reconcile and follow", do: e.follow},
		{name: "hasura-cognito: build", do: e.buildCommand},
		{name: "CreateUserPool=true: hasura-cognito smoke", do: e.smokeInMiniStack},
		{name: "hasura-cognito reconcile: moto and MiniStack", limit: 5 * time.Minute, do: e.reconcile},
		{name: "hasura-cognito attach: a pool in moto", do: e.attach},
		{name: "terraform apply, plan and destroy: moto", limit: 10 * time.Minute, do: e.terraform},

		{name: "cognito-local: start", do: e.startLocalPool},
		{name: "cognito-local: sign-up, two sign-ins, refresh", do: e.signUpAndIn},
		{name: "cognito-local: sign-in after a secret rotation", do: e.rotateSecret},
		{name: "cognito-local: sign-in after a change of name", do: e.changeName},
		{name: "cognito-local: forgotten password", do: e.forgetPassword},
		{name: "cognito-local: user created by an administrator", do: e.createUser},
		{name: "cognito-local: hasura-cognito smoke", do: e.smoke},
		{name: "cognito-local: nothing personal in the logs", do: e.readLogs},

		{name: "Hasura stand-in: its tests on PostgreSQL", limit: 10 * time.Minute, do: e.testStandIn},
		{name: "Hasura stand-in: make e2e-hasura", limit: 10 * time.Minute, do: e.compareHasura},

		// A check that cannot fail proves nothing. These steps break one thing each and expect
		// the check of an earlier step to find it.
		{name: "broken: make invoke of a function that fails", docker: true, do: e.failInvoke},
		{name: "broken: claims without a default role", do: e.omitDefaultRole},
		{name: "broken: V1 response for a V2_0 pool", do: e.answerAsV1},
		{name: "broken: V1 response, seen by the doctor", do: e.doctorFinds},
		{name: "broken: upsert of a column that Hasura lacks", do: e.dropColumn},
	}
}
