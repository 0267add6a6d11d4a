// Package doctor checks a deployment from the outside. It starts at the user pool, finds the functions on its triggers, and from
// there their settings, the secret, Hasura, the queues and the alarms. It only reads, and prints neither a secret nor anything
// about the pool's users.
package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// Options say what to check, and from where.
type Options struct {
	Pool    string // id
	FromVPC bool   // Hasura must be reachable from here
	Domain  string // GRAPHQL_DOMAIN as it is reached from here; "" means as the functions reach it
	Token   string // an ID token of the pool to show to Hasura; "" for none
}

// A doctor examines one deployment.
type doctor struct {
	Options
	cognito     *cognitoidentityprovider.Client
	lambda      *lambda.Client
	sqs         *sqs.Client
	cloudwatch  *cloudwatch.Client
	logs        *cloudwatchlogs.Client
	scheduler   *scheduler.Client
	eventbridge *eventbridge.Client
	cloudtrail  *cloudtrail.Client
	region      string
	isTable     bool // for check-table, which knows Hasura from a flag

	pool    *cognito.UserPoolType
	version cognito.PreTokenGenerationLambdaVersionType
	claims  settings.Claims
	watched watched
	report  Report
}

// Run examines a deployment. Where one thing cannot be read, its row says so, and what depends on it has no row.
func Run(ctx context.Context, cfg aws.Config, o Options) Report {
	d := &doctor{
		Options: o, region: cfg.Region,
		cognito:     cognitoidentityprovider.NewFromConfig(cfg),
		lambda:      lambda.NewFromConfig(cfg),
		sqs:         sqs.NewFromConfig(cfg),
		cloudwatch:  cloudwatch.NewFromConfig(cfg),
		logs:        cloudwatchlogs.NewFromConfig(cfg),
		scheduler:   scheduler.NewFromConfig(cfg),
		eventbridge: eventbridge.NewFromConfig(cfg),
		cloudtrail:  cloudtrail.NewFromConfig(cfg),
	}
	d.run(ctx)
	return d.report
}

func (d *doctor) run(ctx context.Context) {
	out, err := d.cognito.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &d.Pool})
	home := account.PoolRegion(d.Pool)
	if err != nil {
		hint := "check the pool's id, --region and --profile. The credentials need cognito-idp:DescribeUserPool"
		if home != d.region {
			hint = fmt.Sprintf("the pool's id names the Region %s. Use --region %[1]s, or unset AWS_REGION, unless the pool has a replica in %s", home, d.region)
		}
		d.report.add("pool", Fail, reason(err)+" in "+d.region, hint)
		return
	}
	d.pool = out.UserPool
	name := aws.ToString(d.pool.Name) + ", in " + d.region
	if home != d.region {
		name += ", a replica of the pool in " + home
	}
	d.report.ok("pool", name)

	claims, sync := d.triggers()
	if claims != "" {
		if env, ok := d.function(ctx, "claims function", claims); ok {
			d.access(ctx, "claims function", claims)
			d.claimsSettings(env)
			d.clients(ctx)
			d.groups(ctx)
			d.machines(ctx)
		}
	}
	if sync != "" {
		if env, ok := d.function(ctx, "sync function", sync); ok {
			d.access(ctx, "sync function", sync)
			c := d.hasura(ctx, env)
			d.queues(ctx, sync, env)
			d.everyone(ctx, newSuite(sync, env, c))
		}
	}
	if d.watched != nil {
		d.alarms(ctx)
	}
}

// unread adds the row of a call that failed. action is the permission that the call needs.
func (d *doctor) unread(check string, v Verdict, err error, action string) {
	hint := "check the network and the Region"
	if errors.As(err, new(smithy.APIError)) {
		hint = "these credentials need " + action
	}
	d.report.add(check, v, reason(err), hint)
}

// reason is what AWS answers, without the SDK's text.
func reason(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return "AWS answers " + api.ErrorCode()
	}
	return "AWS does not answer"
}
