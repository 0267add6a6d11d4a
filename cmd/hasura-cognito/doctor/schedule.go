package doctor

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/scheduler/types"
)

// schedule checks the schedule that starts the runs. It returns the schedule expression, "" if it cannot be read.
func (d *doctor) schedule(ctx context.Context, s suite) (expression string) {
	const check = "reconcile schedule"
	name := s.prefix + reconcileName
	out, err := d.scheduler.GetSchedule(ctx, &scheduler.GetScheduleInput{Name: &name})
	var gone *types.ResourceNotFoundException
	switch {
	case errors.As(err, &gone):
		d.report.add(check, Fail, name+" does not exist: nothing starts a run", "deploy template.yaml or the Terraform module again")
		return ""
	case err != nil:
		d.unread(check, Unknown, err, "scheduler:GetSchedule")
		return ""
	}
	expression = aws.ToString(out.ScheduleExpression)
	target := ""
	if out.Target != nil {
		target = aws.ToString(out.Target.Arn)
	}
	switch {
	case out.State == types.ScheduleStateDisabled:
		d.report.add(check, Fail, name+" is disabled: nothing starts a run", "enable it in EventBridge Scheduler, or deploy again")
	case lastPart(target, ":") != s.prefix+reconcileName:
		d.report.add(check, Fail, "its target is "+target+", not the reconcile queue", "deploy template.yaml or the Terraform module again")
	default:
		d.report.ok(check, expression)
	}
	return expression
}

// period returns the time between two runs of a rate expression, 0 for a cron expression.
func period(expression string) time.Duration {
	text, ok := strings.CutPrefix(expression, "rate(")
	number, unit, _ := strings.Cut(strings.TrimSuffix(text, ")"), " ")
	n, err := strconv.Atoi(number)
	if !ok || err != nil {
		return 0
	}
	units := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
	return time.Duration(n) * units[strings.TrimSuffix(unit, "s")]
}
