package doctor

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/policy"
)

// access checks that Cognito may call a function for this pool, and that no one else may. Other callers could invent users.
func (d *doctor) access(ctx context.Context, check, arn string) {
	permission, others := check+": permission", check+": other callers"
	pool := aws.ToString(d.pool.Arn)
	p, err := policy.Get(ctx, d.lambda, arn)
	if err != nil {
		d.unread(permission, Unknown, err, "lambda:GetPolicy")
		return
	}
	add := fmt.Sprintf("aws lambda add-permission --region %s --statement-id cognito --action lambda:InvokeFunction --principal cognito-idp.amazonaws.com --source-arn %s --function-name %s",
		d.region, pool, arn)
	switch may, why := p.Pool(pool); may {
	case policy.Yes:
		d.report.ok(permission, why)
	case policy.Maybe:
		d.report.add(permission, Unknown, why, "check the conditions of that statement")
	default:
		d.report.add(permission, Fail, why, add)
	}
	wide := p.Others(pool)
	if len(wide) == 0 {
		d.report.ok(others, "no one else may call it")
	}
	for _, o := range wide {
		verdict := Warn
		if o.Outside {
			verdict = Fail
		}
		d.report.add(others, verdict, "statement "+o.Statement+" lets in "+o.Who, d.removal(arn, o.Sid))
	}
}

func (d *doctor) removal(arn, sid string) string {
	if sid == "" {
		return "remove the statement with the tool that made it, or name the pool in its SourceArn"
	}
	function, qualifier := policy.Split(arn)
	command := fmt.Sprintf("aws lambda remove-permission --region %s --function-name %s --statement-id %s", d.region, function, sid)
	if qualifier != "" {
		command += " --qualifier " + qualifier
	}
	return command
}
