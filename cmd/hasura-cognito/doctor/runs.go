package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/phenom-earth/hasura-cognito/functions"
)

// lookBack is how much of the log is read at least, and for a cron expression. Logs are kept that long by default.
const (
	lookBack     = 24 * time.Hour
	lookBackCron = 30 * lookBack
)

// lastRun looks for the last complete run in the log of the reconcile function.
func (d *doctor) lastRun(ctx context.Context, s suite, expression string) {
	const check = "last complete run"
	every, now := period(expression), time.Now()
	back := max(3*every, lookBack)
	if every == 0 {
		back = lookBackCron
	}
	group := "/aws/lambda/" + s.prefix + functions.Reconcile
	var log runs
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(d.logs, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: &group, StartTime: aws.Int64(now.Add(-back).UnixMilli()),
		FilterPattern: aws.String(`{ $.message = "planned" || $.message = "split" || $.message = "reconciled" || $.message = "looked up again" }`),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		var gone *types.ResourceNotFoundException
		switch {
		case errors.As(err, &gone):
			d.report.add(check, Warn, "the log group "+group+" does not exist", "deploy template.yaml or the Terraform module again")
			return
		case err != nil:
			d.unread(check, Unknown, err, "logs:FilterLogEvents")
			return
		}
		for _, event := range page.Events {
			log.add(time.UnixMilli(aws.ToInt64(event.Timestamp)), aws.ToString(event.Message))
		}
	}
	const hint = `send {"version":1} to the reconcile queue to start a run. If it does not become complete: docs/troubleshooting.md#reconcile-does-not-run`
	last := log.last()
	if last == nil && every > 0 {
		kept, err := d.retention(ctx, group)
		switch {
		case err != nil:
			d.unread(check, Unknown, err, "logs:DescribeLogGroups")
			return
		case kept > 0 && kept < 2*every:
			d.report.ok(check, fmt.Sprintf("none in the log, which is kept for %d hours: less than two periods of %s", int(kept.Hours()), expression))
			return
		}
	}
	switch text := last.String(); {
	case last == nil:
		d.report.add(check, Warn, fmt.Sprintf("none in the last %d hours", int(back.Hours())), hint)
	case every > 0 && now.Sub(last.end) > 2*every:
		d.report.add(check, Warn, text+". Two periods of "+expression+" are over since then", hint)
	default:
		d.report.ok(check, text)
	}
}

// retention returns how long a log group keeps its lines; 0 means for ever.
func (d *doctor) retention(ctx context.Context, group string) (time.Duration, error) {
	out, err := d.logs.DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &group})
	if err != nil {
		return 0, err
	}
	for _, g := range out.LogGroups {
		if aws.ToString(g.LogGroupName) == group {
			return time.Duration(aws.ToInt32(g.RetentionInDays)) * 24 * time.Hour, nil
		}
	}
	return 0, nil
}

// runs are the runs of a log, by id.
type runs map[string]*run

// A run is complete when each of its parts is reconciled.
type run struct {
	planned        int            // parts at the start
	split          map[string]int // by the prefix of a part: the smaller parts that replace it
	reconciled     map[string]bool
	drift, written int
	end            time.Time // of the last part
}

// add notes a line of the log. SQS can deliver a message twice, so a part can have two lines.
func (r *runs) add(at time.Time, line string) {
	var l struct {
		Message, Run, Prefix  string
		Parts, Drift, Written int
	}
	if json.Unmarshal([]byte(line), &l) != nil || l.Run == "" {
		return
	}
	if *r == nil {
		*r = runs{}
	}
	one := (*r)[l.Run]
	if one == nil {
		one = &run{split: map[string]int{}, reconciled: map[string]bool{}}
		(*r)[l.Run] = one
	}
	one.drift, one.written = one.drift+l.Drift, one.written+l.Written
	switch l.Message {
	case "planned":
		one.planned = l.Parts
	case "split":
		one.split[l.Prefix] = l.Parts
	case "reconciled":
		one.reconciled[l.Prefix], one.end = true, at
	}
}

func (r *run) complete() bool {
	want, got := r.planned, 0
	for _, parts := range r.split {
		want += parts - 1
	}
	for prefix := range r.reconciled {
		if _, split := r.split[prefix]; !split {
			got++
		}
	}
	return r.planned > 0 && got >= want
}

// last returns the complete run that ended last, or nil.
func (r runs) last() (last *run) {
	for _, one := range r {
		if one.complete() && (last == nil || one.end.After(last.end)) {
			last = one
		}
	}
	return last
}

func (r *run) String() string {
	if r == nil {
		return "none"
	}
	return fmt.Sprintf("it ended at %s. Parts: %d, rows that differed: %d, rows written: %d", r.end.UTC().Format(time.RFC3339), len(r.reconciled), r.drift, r.written)
}
