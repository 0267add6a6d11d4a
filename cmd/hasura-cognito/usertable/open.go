// Package usertable compares a user pool with the users table in Hasura, for operators: all users at once, or one.
package usertable

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// Options say which pool and which table, and what may be written.
type Options struct {
	Pool     string
	UserID   string // the setting USER_ID, "sub" for none; "" means that of the sync function
	OnDelete settings.OnDelete
	MaxGone  float64
	Rate     float64 // requests to the pool per second
}

// A Table is the users table of one pool.
type Table struct {
	*reconcile.Reconciler
	Endpoint settings.Endpoint
	Role     string // "" means admin
}

// Open finds Hasura and opens pool and table. GRAPHQL_DOMAIN, SECRETS_ARN and the other settings about Hasura come from the
// environment, and those that it lacks from the sync function on the pool's triggers.
func Open(ctx context.Context, cfg aws.Config, o Options, log *slog.Logger) (*Table, error) {
	// The packages of the functions load the AWS configuration themselves.
	if err := os.Setenv("AWS_REGION", cfg.Region); err != nil {
		return nil, err
	}
	sync := make(map[string]string)
	alone := os.Getenv(settings.GraphqlDomain.Name) != "" && os.Getenv(settings.SecretsARN.Name) != ""
	if !alone {
		var err error
		if sync, err = syncVariables(ctx, cfg, o.Pool); err != nil {
			return nil, err
		}
	}
	if o.UserID == "" && alone && !users.Description.KeyIsSub() {
		return nil, errors.New("--user-id is missing: with GRAPHQL_DOMAIN and SECRETS_ARN, the sync function is not read. " +
			"Set it to the sync function's USER_ID, or to sub")
	}
	s, h, faults := settings.ReadReconcile(merge(o, sync))
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	opener := &reconcile.Opener{Settings: s, Hasura: h, PerSecond: o.Rate, Log: log}
	r, err := opener.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w. Run hasura-cognito doctor, which says what is wrong. From outside the VPC, set GRAPHQL_DOMAIN to the end of a tunnel", err)
	}
	r.OnDelete, r.MaxGone = o.OnDelete, o.MaxGone
	return &Table{Reconciler: r, Endpoint: h.Endpoint, Role: h.Role}, nil
}

// merge returns the settings: the environment's, else those of the sync function. USER_ID is not read from the environment, where
// it often means something else.
func merge(o Options, sync map[string]string) func(string) string {
	domain := os.Getenv(settings.GraphqlDomain.Name) != ""
	return func(name string) string {
		switch name {
		case settings.UserPoolID.Name:
			return o.Pool
		case settings.UserID.Name:
			if id := cmp.Or(o.UserID, sync[name]); id != "sub" {
				return id
			}
			return ""
		case settings.ReconcileOnDelete.Name, settings.ReconcileMaxGone.Name:
			return "" // they are flags
		case settings.GraphqlHost.Name, settings.GraphqlCA.Name:
			if domain {
				return os.Getenv(name) // they belong to GRAPHQL_DOMAIN
			}
		}
		return cmp.Or(os.Getenv(name), sync[name])
	}
}

// syncVariables returns the environment variables of the sync function on the pool's triggers.
func syncVariables(ctx context.Context, cfg aws.Config, id string) (map[string]string, error) {
	const instead = "Or set GRAPHQL_DOMAIN and SECRETS_ARN, then the function is not read"
	out, err := cognitoidentityprovider.NewFromConfig(cfg).DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &id})
	if err != nil {
		return nil, fmt.Errorf("read the pool: %w. Check --pool, --region and --profile. The credentials need cognito-idp:DescribeUserPool. %s", err, instead)
	}
	triggers := cmp.Or(out.UserPool.LambdaConfig, new(types.LambdaConfigType))
	arn := cmp.Or(aws.ToString(triggers.PostAuthentication), aws.ToString(triggers.PostConfirmation))
	if arn == "" {
		return nil, fmt.Errorf("the sync function is not on the pool's triggers. Run hasura-cognito attach. %s", instead)
	}
	function, err := lambda.NewFromConfig(cfg).GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &arn})
	if err != nil {
		return nil, fmt.Errorf("read the sync function: %w. The credentials need lambda:GetFunctionConfiguration. %s", err, instead)
	}
	if function.Environment == nil {
		return map[string]string{}, nil
	}
	return function.Environment.Variables, nil
}

// hint adds to an error of the pool what to do about it.
func hint(err error) error {
	if e, ok := errors.AsType[*pool.Error](err); ok && e.Code == "AccessDeniedException" {
		return fmt.Errorf("%w. The credentials need cognito-idp:ListUsers and cognito-idp:DescribeUserPool", err)
	}
	return err
}
