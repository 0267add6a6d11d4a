package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	metrics "github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/policy"
	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// queues checks the parked syncs, the dead letters, and the replay function between them.
func (d *doctor) queues(ctx context.Context, sync string, env func(string) string) {
	const check, dead = "parked syncs queue", "dead-letter queue"
	url := env(settings.SyncQueueURL.Name)
	if url == "" {
		d.report.add(check, Warn, "SYNC_QUEUE_URL is not set: a failed sync is lost", "deploy template.yaml or the Terraform module, which have the queue")
		return
	}
	function, _ := policy.Split(sync)
	replay := strings.TrimSuffix(function, functions.Sync) + functions.Replay
	if env, ok := d.function(ctx, "replay function", replay); ok {
		d.replaySettings(env)
		d.source(ctx, "replay function: queue", replay, lastPart(url, "/"))
	}
	parked, ok := d.queue(ctx, check, url)
	if !ok {
		return
	}
	if parked.messages == 0 {
		d.report.ok(check, "empty")
	} else {
		d.report.add(check, Warn, fmt.Sprintf("%d parked syncs%s", parked.messages, parked.age),
			"the replay function writes them once Hasura and the secret can be reached. If their number does not fall, look at its log and at its event source mapping")
	}
	if parked.deadLetters == "" {
		d.report.add(dead, Warn, "the queue has no dead-letter queue", "set its redrive policy: otherwise a sync is lost after the queue's retention period")
		return
	}
	name := lastPart(parked.deadLetters, ":")
	found, err := d.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})
	if err != nil {
		d.unreadable(dead, err)
		return
	}
	letters, ok := d.queue(ctx, dead, aws.ToString(found.QueueUrl))
	switch {
	case !ok:
	case letters.messages == 0:
		d.report.ok(dead, "empty")
	default:
		d.report.add(dead, Fail, fmt.Sprintf("%d syncs were given up%s", letters.messages, letters.age),
			"find the cause in the replay function's log and correct it. Then: aws sqs start-message-move-task --region "+d.region+" --source-arn "+parked.deadLetters)
	}
}

// A queue is what doctor reads about one.
type queue struct {
	messages    int
	oldest      time.Duration // age of the oldest message; 0 if it is not known
	age         string        // the same, as the end of a sentence
	deadLetters string        // ARN
}

// queue reads a queue. If it cannot, it adds a row.
func (d *doctor) queue(ctx context.Context, check, url string) (q queue, ok bool) {
	out, err := d.sqs.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		d.unreadable(check, err)
		return q, false
	}
	for _, name := range []string{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"} {
		n, _ := strconv.Atoi(out.Attributes[name]) // absent means 0
		q.messages += n
	}
	var redrive struct {
		DeadLetterTargetArn string `json:"deadLetterTargetArn"`
	}
	_ = json.Unmarshal([]byte(out.Attributes["RedrivePolicy"]), &redrive) // "" without one
	q.deadLetters = redrive.DeadLetterTargetArn
	name := lastPart(url, "/")
	d.watch("QueueName", name)
	if q.messages > 0 {
		q.oldest, q.age = d.age(ctx, name)
	}
	return q, true
}

func (d *doctor) unreadable(check string, err error) {
	var gone *types.QueueDoesNotExist
	if errors.As(err, &gone) {
		d.report.add(check, Fail, "it does not exist", "deploy template.yaml or the Terraform module again")
		return
	}
	d.unread(check, Unknown, err, "sqs:GetQueueAttributes and sqs:GetQueueUrl on the queue")
}

// age returns how old the oldest message of a queue is, also as text. SQS does not count messages that were received three times or more.
func (d *doctor) age(ctx context.Context, name string) (oldest time.Duration, text string) {
	now := time.Now()
	out, err := d.cloudwatch.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateAgeOfOldestMessage"),
		Dimensions: []metrics.Dimension{{Name: aws.String("QueueName"), Value: &name}},
		StartTime:  aws.Time(now.Add(-15 * time.Minute)), EndTime: &now, Period: aws.Int32(900), Statistics: []metrics.Statistic{metrics.StatisticMaximum},
	})
	if err != nil {
		return 0, ", of unknown age: " + reason(err) + " to cloudwatch:GetMetricStatistics"
	}
	for _, point := range out.Datapoints {
		oldest = max(oldest, time.Duration(aws.ToFloat64(point.Maximum))*time.Second)
	}
	if oldest == 0 {
		return 0, ", of unknown age: CloudWatch has no data"
	}
	return oldest, ", the oldest at least " + oldest.String() + " old"
}
