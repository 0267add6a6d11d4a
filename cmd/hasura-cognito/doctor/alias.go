package main

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// alias checks, where the pool calls an alias, that what it serves is what was deployed
// last. Nothing fails when it is not: people go on with the old settings, and nobody is
// told.
func (d *doctor) alias(ctx context.Context, check, arn string, served *lambda.GetFunctionConfigurationOutput) {
	part := strings.Split(arn, ":")
	if len(part) != 8 {
		return
	}
	function := strings.Join(part[:7], ":")
	latest, err := d.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	switch {
	case err != nil:
		d.report.add(check, unknown, reason(err), "let these credentials do lambda:GetFunctionConfiguration")
	case aws.ToString(served.CodeSha256) != aws.ToString(latest.CodeSha256) || aws.ToInt32(served.MemorySize) != aws.ToInt32(latest.MemorySize) ||
		!maps.Equal(variables(served.Environment), variables(latest.Environment)):
		d.report.add(check, doubt, fmt.Sprintf("%s serves version %s, whose code or settings are not those that were deployed last", part[7], aws.ToString(served.Version)),
			"wait for a deployment that is under way; else deploy with DeploymentPreference=AllAtOnce, which publishes a version")
	default:
		d.report.add(check, good, part[7]+" serves what was deployed last", "")
	}
}

func variables(e *types.EnvironmentResponse) map[string]string {
	if e == nil {
		return nil
	}
	return e.Variables
}
