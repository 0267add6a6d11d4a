package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A doctor examines one pool and what hangs on it.
type doctor struct {
	id      string
	cognito *cognitoidentityprovider.Client
	lambda  *lambda.Client
	getenv  func(string) string

	pool    *cognito.UserPoolType
	version cognito.PreTokenGenerationLambdaVersionType
	claims  settings.Claims
	report  report
}

const attachCure = "make attach USER_POOL_ID=… PREFIX=…"

// examine fills the report. Where one thing cannot be read, what depends on it is left
// out: its row says so.
func (d *doctor) examine(ctx context.Context) {
	out, err := d.cognito.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &d.id})
	if err != nil {
		d.report.add("pool", bad, reason(err), "check USER_POOL_ID and the AWS credentials, which need cognito-idp:DescribeUserPool")
		return
	}
	d.pool = out.UserPool
	d.report.add("pool", good, aws.ToString(d.pool.Name), "")
	triggers := d.pool.LambdaConfig
	if triggers == nil {
		triggers = new(cognito.LambdaConfigType)
	}

	shaper := d.preTokenGeneration(triggers)
	confirmation := d.trigger("post confirmation", aws.ToString(triggers.PostConfirmation), "hasura-cognito-sync-users")
	authentication := d.trigger("post authentication", aws.ToString(triggers.PostAuthentication), "hasura-cognito-sync-users")
	if confirmation != "" && authentication != "" && confirmation != authentication {
		d.report.add("one sync", bad, "post confirmation and post authentication call different functions", attachCure)
	}
	if shaper != "" {
		if env, ok := d.function(ctx, "claims function", shaper); ok {
			d.shaper(ctx, env)
		}
	}
	syncer := authentication
	if syncer == "" {
		syncer = confirmation
	}
	if syncer == "" {
		return
	}
	if env, ok := d.function(ctx, "sync function", syncer); ok {
		d.hasura(ctx, env)
	}
}

// trigger looks at one trigger and returns its function's ARN, "" if it is not there.
func (d *doctor) trigger(check, arn, name string) string {
	switch {
	case arn == "":
		d.report.add(check, bad, "no function is on it", attachCure)
	case !strings.HasSuffix(strings.SplitN(arn+":::::::", ":", 8)[6], name):
		d.report.add(check, bad, arn+" is not "+name, attachCure+" ARGS=-replace, or have the other function moved")
		return ""
	default:
		d.report.add(check, good, arn, "")
	}
	return arn
}

func (d *doctor) preTokenGeneration(triggers *cognito.LambdaConfigType) string {
	arn := aws.ToString(triggers.PreTokenGeneration)
	d.version = cognito.PreTokenGenerationLambdaVersionTypeV10
	if c := triggers.PreTokenGenerationConfig; c != nil {
		arn, d.version = aws.ToString(c.LambdaArn), c.LambdaVersion
	}
	if arn = d.trigger("pre token generation", arn, "hasura-cognito-trigger"); arn == "" {
		return ""
	}
	if d.version == cognito.PreTokenGenerationLambdaVersionTypeV10 {
		d.report.add("trigger version", doubt, "V1_0: access tokens get no claims, ID tokens do",
			"send ID tokens to Hasura; or, on the Essentials or Plus plan, "+attachCure+" ARGS='-version V2_0'")
	} else {
		d.report.add("trigger version", good, string(d.version), "")
	}
	return arn
}

// function looks at a trigger's function and returns its environment.
func (d *doctor) function(ctx context.Context, check, arn string) (env func(string) string, ok bool) {
	d.permission(ctx, check+": permission", arn)
	out, err := d.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &arn})
	if err != nil {
		d.report.add(check, bad, reason(err), "deploy it, or let these credentials do lambda:GetFunctionConfiguration")
		return nil, false
	}
	if out.State != "" && out.State != "Active" && out.State != "Inactive" {
		d.report.add(check, bad, "its state is "+string(out.State), "deploy it again")
		return nil, false
	}
	d.report.add(check, good, aws.ToString(out.FunctionName), "")
	d.alias(ctx, check+": alias", arn, out)
	environment := variables(out.Environment)
	return func(name string) string { return environment[name] }, true
}

// shaper looks at what the claims function is told to do.
func (d *doctor) shaper(ctx context.Context, env func(string) string) {
	var faults []error
	d.claims, faults = settings.ReadClaims(env)
	if err := errors.Join(faults...); err != nil {
		d.report.add("claims settings", bad, strings.ReplaceAll(err.Error(), "\n", "; "), "correct the function's environment: these settings are ignored")
		return
	}
	if d.claims.Format == settings.JSON && d.version == cognito.PreTokenGenerationLambdaVersionTypeV10 {
		d.report.add("claims settings", bad, "CLAIMS_FORMAT is json, and V1_0 can only give stringified_json",
			"unset CLAIMS_FORMAT, here and as claims_format in Hasura, or use V2_0")
	} else {
		d.report.add("claims settings", good, fmt.Sprintf("%s as %s", d.claims.Namespace, d.claims.Format), "")
	}
	d.clients(ctx)
}

// reason is what a person may see of an SDK's error.
func reason(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return "AWS says " + api.ErrorCode()
	}
	return "AWS did not answer"
}
