package doctor

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/policy"
)

// function checks that a function exists and can run. It returns the function's environment variables.
func (d *doctor) function(ctx context.Context, check, arn string) (env func(string) string, ok bool) {
	out, err := d.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &arn})
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		d.report.add(check, Fail, arn+" does not exist", "deploy it")
		return nil, false
	case err != nil:
		d.unread(check, Fail, err, "lambda:GetFunctionConfiguration")
		return nil, false
	case out.State == types.StatePending:
		d.report.add(check, Warn, "its state is Pending: Lambda still prepares it", "wait a minute and run doctor again")
	case out.State != "" && out.State != types.StateActive && out.State != types.StateInactive:
		d.report.add(check, Fail, "its state is "+string(out.State), "deploy it again")
		return nil, false
	default:
		d.report.ok(check, aws.ToString(out.FunctionName))
	}
	d.watch("FunctionName", arn)
	d.alias(ctx, check+": alias", arn, out)
	variables := variables(out.Environment)
	d.environment(check+": environment", variables)
	return func(name string) string { return variables[name] }, true
}

// alias checks that an alias serves the code and the settings that were deployed last. Nothing fails if it does not.
func (d *doctor) alias(ctx context.Context, check, arn string, served *lambda.GetFunctionConfigurationOutput) {
	function, alias := policy.Split(arn)
	if alias == "" {
		return
	}
	latest, err := d.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	switch {
	case err != nil:
		d.unread(check, Unknown, err, "lambda:GetFunctionConfiguration")
	case aws.ToString(served.CodeSha256) != aws.ToString(latest.CodeSha256) || aws.ToInt32(served.MemorySize) != aws.ToInt32(latest.MemorySize) ||
		!maps.Equal(variables(served.Environment), variables(latest.Environment)):
		d.report.add(check, Warn, fmt.Sprintf("%s serves version %s, which has other code or settings than the last deployment", alias, aws.ToString(served.Version)),
			"wait if a deployment is under way. Otherwise deploy with DeploymentPreference=AllAtOnce, which publishes a version")
	default:
		d.report.ok(check, alias+" serves the last deployment")
	}
}

// Lambda measures a function's environment variables as one JSON object.
const maxEnvironment = 4096

func (d *doctor) environment(check string, variables map[string]string) {
	data, _ := json.Marshal(variables)
	found := fmt.Sprintf("the variables have %d of %d bytes", len(data), maxEnvironment)
	if len(data) > maxEnvironment*9/10 {
		d.report.add(check, Warn, found, "a deployment with more fails. Shorten ROLES or SESSION_VARIABLES, or leave one certificate out of GRAPHQL_CA")
		return
	}
	d.report.ok(check, found)
}

func variables(e *types.EnvironmentResponse) map[string]string {
	if e == nil {
		return nil
	}
	return e.Variables
}
