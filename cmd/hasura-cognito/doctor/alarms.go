package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/policy"
	"github.com/phenom-earth/hasura-cognito/functions"
)

// watched are the dimensions and namespaces of the deployment's metrics, such as "QueueName=acme-prod-…".
type watched []string

// watch notes a function, by ARN, or a queue, by name.
func (d *doctor) watch(dimension, name string) {
	function, _ := policy.Split(name)
	name = function[strings.LastIndex(function, ":")+1:]
	d.watched = append(d.watched, dimension+"="+name)
	for _, f := range functions.All() {
		if prefix, ok := strings.CutSuffix(name, "-"+f); ok {
			d.watched = append(d.watched, "HasuraCognito/"+prefix)
		}
	}
}

// alarms checks that no alarm about the deployment is in ALARM.
func (d *doctor) alarms(ctx context.Context) {
	const check = "alarms"
	ringing := 0
	pages := cloudwatch.NewDescribeAlarmsPaginator(d.cloudwatch, &cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueAlarm})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			d.unread(check, Unknown, err, "cloudwatch:DescribeAlarms")
			return
		}
		for _, alarm := range page.MetricAlarms {
			if !d.watched.concerns(alarm) {
				continue
			}
			ringing++
			d.report.add(check, Fail, aws.ToString(alarm.AlarmName)+" is in ALARM", fmt.Sprintf("see docs/troubleshooting.md. The alarm says: %s", aws.ToString(alarm.AlarmDescription)))
		}
	}
	if ringing == 0 {
		d.report.ok(check, "none is in ALARM")
	}
}

func (w watched) concerns(alarm types.MetricAlarm) bool {
	ours := func(namespace *string, dimensions []types.Dimension) bool {
		return slices.Contains(w, aws.ToString(namespace)) || slices.ContainsFunc(dimensions, func(d types.Dimension) bool {
			return slices.Contains(w, aws.ToString(d.Name)+"="+aws.ToString(d.Value))
		})
	}
	return ours(alarm.Namespace, alarm.Dimensions) || slices.ContainsFunc(alarm.Metrics, func(m types.MetricDataQuery) bool {
		return m.MetricStat != nil && m.MetricStat.Metric != nil && ours(m.MetricStat.Metric.Namespace, m.MetricStat.Metric.Dimensions)
	})
}
