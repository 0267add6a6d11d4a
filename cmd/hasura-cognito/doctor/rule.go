package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
)

// rule checks the rule that forwards records of Cognito to the follow queue.
func (d *doctor) rule(ctx context.Context, s suite) {
	const check, again = "follow rule", "deploy template.yaml or the Terraform module again"
	name := s.prefix + followName
	out, err := d.eventbridge.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: &name})
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		d.report.add(check, Fail, name+" does not exist", again)
		return
	case err != nil:
		d.unread(check, Unknown, err, "events:DescribeRule")
		return
	case out.State == types.RuleStateDisabled:
		d.report.add(check, Fail, name+" is disabled: no change is forwarded", "aws events enable-rule --region "+d.region+" --name "+name)
		return
	}
	targets, err := d.eventbridge.ListTargetsByRule(ctx, &eventbridge.ListTargetsByRuleInput{Rule: &name})
	if err != nil {
		d.unread(check, Unknown, err, "events:ListTargetsByRule")
		return
	}
	if !slices.ContainsFunc(targets.Targets, func(t types.Target) bool { return lastPart(aws.ToString(t.Arn), ":") == s.prefix+followName }) {
		d.report.add(check, Fail, "the follow queue is not a target of "+name, again)
		return
	}
	for _, kind := range []string{"AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"} {
		test, err := d.eventbridge.TestEventPattern(ctx, &eventbridge.TestEventPatternInput{EventPattern: out.EventPattern, Event: aws.String(sample(d.region, kind))})
		switch {
		case err != nil:
			d.unread(check, Unknown, err, "events:TestEventPattern")
			return
		case !test.Result:
			d.report.add(check, Fail, "its event pattern leaves out records of the type "+kind, again)
			return
		}
	}
	d.report.ok(check, name+" forwards records of Cognito")
}

// sample is an event about a user pool that the rule must forward.
func sample(region, kind string) string {
	return fmt.Sprintf(`{"version":"0","id":"0","account":"123456789012","time":"2026-01-02T15:04:05Z","region":%q,"resources":[],"source":"aws.cognito-idp",`+
		`"detail-type":%q,"detail":{"eventSource":%q,"eventName":"AdminUpdateUserAttributes"}}`, region, kind, cognitoSource)
}
