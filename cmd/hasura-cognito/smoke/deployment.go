package smoke

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

const runDoctor = "run hasura-cognito doctor, which says what is wrong"

// readDeployment reads the pool, the app client and the settings of the functions on the pool's triggers.
func (s *smoke) readDeployment(ctx context.Context) bool {
	out, err := s.cognito.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &s.Pool})
	if err != nil {
		s.failed(ctx, "pool", err, "check the pool's id, --region and --profile. The credentials need cognito-idp:DescribeUserPool")
		return false
	}
	s.pool = out.UserPool
	s.ok("pool", aws.ToString(s.pool.Name)+", in "+s.result.Region)
	return s.appClient(ctx) && s.triggers(ctx)
}

// appClient reads the app client and checks that a user can sign in to it with a password.
func (s *smoke) appClient(ctx context.Context) bool {
	const check = "app client"
	out, err := s.cognito.DescribeUserPoolClient(ctx, &cognitoidentityprovider.DescribeUserPoolClientInput{UserPoolId: &s.Pool, ClientId: &s.Client})
	if err != nil {
		s.failed(ctx, check, err, "check --client-id. The credentials need cognito-idp:DescribeUserPoolClient")
		return false
	}
	s.client = out.UserPoolClient
	if s.ClientSecret == "" {
		s.ClientSecret = aws.ToString(s.client.ClientSecret)
	}
	if s.flow() == "" {
		s.add(check, doctor.Fail, "it lets no user sign in with a password",
			"use an app client with ALLOW_USER_PASSWORD_AUTH or ALLOW_ADMIN_USER_PASSWORD_AUTH in ExplicitAuthFlows: docs/evidence.md")
		return false
	}
	s.ok(check, string(s.flow()))
	return true
}

// flow returns the flow of the sign-in, "" if the app client allows none with a password.
func (s *smoke) flow() cognito.AuthFlowType {
	for _, flow := range []cognito.AuthFlowType{cognito.AuthFlowTypeUserPasswordAuth, cognito.AuthFlowTypeAdminUserPasswordAuth} {
		if slices.Contains(s.client.ExplicitAuthFlows, cognito.ExplicitAuthFlowsType("ALLOW_"+flow)) {
			return flow
		}
	}
	return ""
}

// triggers reads the settings of the functions on the pool's triggers.
func (s *smoke) triggers(ctx context.Context) bool {
	config := s.pool.LambdaConfig
	if config == nil {
		config = new(cognito.LambdaConfigType)
	}
	arn := aws.ToString(config.PreTokenGeneration)
	s.version = cognito.PreTokenGenerationLambdaVersionTypeV10
	if c := config.PreTokenGenerationConfig; c != nil {
		arn, s.version = aws.ToString(c.LambdaArn), c.LambdaVersion
	}
	s.result.TriggerVersion = string(s.version)
	claims, ok := s.function(ctx, "claims function", arn)
	if !ok {
		return false
	}
	sync, ok := s.function(ctx, "sync function", aws.ToString(config.PostAuthentication))
	if !ok {
		return false
	}
	var faults, more []error
	s.claims, faults = settings.ReadClaims(claims)
	s.sync, more = settings.ReadSync(sync)
	hasura, most := settings.ReadHasura(sync)
	if faults = slices.Concat(faults, more, most); len(faults) > 0 {
		s.add("settings", doctor.Fail, fmt.Sprintf("%d settings of the functions are invalid", len(faults)), runDoctor)
		return false
	}
	s.hasura = &hasuraAPI{endpoint: hasura.Endpoint}
	return s.secret(ctx, hasura)
}

// function returns the environment variables of the function on a trigger.
func (s *smoke) function(ctx context.Context, check, arn string) (env func(string) string, ok bool) {
	if arn == "" {
		s.add(check, doctor.Fail, "it is not on the pool's triggers", "run hasura-cognito attach")
		return nil, false
	}
	out, err := s.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &arn})
	if err != nil {
		s.failed(ctx, check, err, "deploy it. The credentials need lambda:GetFunctionConfiguration")
		return nil, false
	}
	s.ok(check, aws.ToString(out.FunctionName))
	return func(name string) string {
		if out.Environment == nil {
			return ""
		}
		return out.Environment.Variables[name]
	}, true
}

// secret reads the admin secret, with which smoke reads and deletes the row.
func (s *smoke) secret(ctx context.Context, h settings.Hasura) bool {
	cache, err := secrets.Open(ctx, slog.New(slog.DiscardHandler), h.SecretARN, h.SecretKey)
	if err == nil {
		s.hasura.secret, err = cache.Get(ctx)
	}
	if err != nil {
		found := "it cannot be read"
		if known, ok := errors.AsType[*secrets.Error](err); ok {
			found = known.Error()
		}
		s.add("secret", doctor.Fail, found, "the credentials need secretsmanager:GetSecretValue. "+runDoctor)
		return false
	}
	return true
}
