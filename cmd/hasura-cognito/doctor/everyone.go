package doctor

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/policy"
	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// Names after the deployment's prefix, in template.yaml and in the Terraform module.
const (
	reconcileName    = "hasura-cognito-reconcile" // of the schedule and of the queue
	followName       = "hasura-cognito-follow"    // of the rule and of the queue
	reconcileLetters = reconcileName + "-dead-letters"
)

// A suite is what the checks of reconcile and follow need to know of the deployment.
type suite struct {
	arn    string  // begins the ARNs of the functions, up to their names
	prefix string  // begins the names of everything else
	userID string  // USER_ID of the sync function
	hasura *caller // nil if Hasura cannot be asked
}

func newSuite(sync string, env func(string) string, hasura *caller) suite {
	function, _ := policy.Split(sync)
	arn := strings.TrimSuffix(function, functions.Sync)
	s, _ := settings.ReadSync(env)
	return suite{arn: arn, prefix: lastPart(arn, ":"), userID: s.UserID, hasura: hasura}
}

// everyone checks reconcile and follow, if the deployment has them.
func (d *doctor) everyone(ctx context.Context, s suite) {
	if !d.exists(ctx, s.arn+functions.Reconcile) {
		d.report.add("reconcile and follow", OK, "off: only sign-ups and sign-ins write rows",
			"to write imported, changed, disabled and deleted users too, set ReconcileSchedule, in Terraform reconcile_schedule: docs/deploy.md#reconcile")
		return
	}
	d.reconcile(ctx, s)
	if !d.exists(ctx, s.arn+functions.Follow) {
		d.report.add("follow", OK, "off: the next run of reconcile writes what changes in the pool",
			"to write it within minutes, set FollowChanges, in Terraform follow_changes: docs/deploy.md#follow")
	} else {
		d.follow(ctx, s)
	}
	d.backlog(ctx, backlog{
		check: "reconcile dead-letter queue", name: s.prefix + reconcileLetters, worst: Fail,
		hint: "find the cause in the logs: docs/troubleshooting.md#reconcile-fails. The next run does what the messages are about, so purge the queue then",
	})
}

// exists reports whether a function exists. If AWS does not tell, it returns true: the function's own row has the error.
func (d *doctor) exists(ctx context.Context, arn string) bool {
	_, err := d.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &arn})
	var gone *lambdatypes.ResourceNotFoundException
	return !errors.As(err, &gone)
}

func (d *doctor) reconcile(ctx context.Context, s suite) {
	if env, ok := d.function(ctx, "reconcile function", s.arn+functions.Reconcile); ok {
		r, role, ok := d.readerSettings("reconcile settings", s, env)
		if ok && s.hasura != nil {
			d.marks(ctx, *s.hasura, role, r.OnDelete)
		}
	}
	expression := d.schedule(ctx, s)
	d.lastRun(ctx, s, expression)
	d.source(ctx, "reconcile function: queue", s.arn+functions.Reconcile, s.prefix+reconcileName)
	d.backlog(ctx, backlog{
		check: "reconcile queue", name: s.prefix + reconcileName, worst: Warn, patience: time.Hour,
		hint: "parts of the pool wait. If their number does not fall, look at the log of the reconcile function: docs/troubleshooting.md#reconcile-fails",
	})
}

func (d *doctor) follow(ctx context.Context, s suite) {
	if env, ok := d.function(ctx, "follow function", s.arn+functions.Follow); ok {
		d.readerSettings("follow settings", s, env)
	}
	d.trail(ctx)
	d.rule(ctx, s)
	d.source(ctx, "follow function: queue", s.arn+functions.Follow, s.prefix+followName)
	d.backlog(ctx, backlog{
		check: "follow queue", name: s.prefix + followName, worst: Warn, patience: 15 * time.Minute,
		hint: "changes wait. If their number does not fall, look at the log of the follow function: docs/troubleshooting.md#reconcile-fails",
	})
}

// readerSettings checks the settings of a function that reads the pool.
func (d *doctor) readerSettings(check string, s suite, env func(string) string) (r settings.Reconcile, role string, ok bool) {
	r, h, faults := settings.ReadReconcile(env)
	_, more := settings.ReadReconcileQueue(env)
	faults = append(faults, more...)
	switch {
	case len(faults) > 0:
		d.report.add(check, Fail, sentences(faults), "correct the function's settings. Until then it does not start")
	case r.UserPoolID != d.Pool:
		d.report.add(check, Fail, "it reads the pool "+r.UserPoolID, "set USER_POOL_ID to "+d.Pool+": one table holds the users of one pool")
	case r.UserID != s.userID:
		d.report.add(check, Fail, fmt.Sprintf("USER_ID is %q, in the sync function %q", r.UserID, s.userID), "set USER_ID to the same value in all functions")
	default:
		d.report.ok(check, fmt.Sprintf("%s, RECONCILE_ON_DELETE is %s", h.Endpoint.URL, r.OnDelete))
	}
	return r, h.Role, len(faults) == 0
}

// source checks that a queue calls a function.
func (d *doctor) source(ctx context.Context, check, function, queue string) {
	pages := lambda.NewListEventSourceMappingsPaginator(d.lambda, &lambda.ListEventSourceMappingsInput{FunctionName: &function})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			d.unread(check, Unknown, err, "lambda:ListEventSourceMappings")
			return
		}
		for _, m := range page.EventSourceMappings {
			if lastPart(aws.ToString(m.EventSourceArn), ":") != queue {
				continue
			}
			if state := aws.ToString(m.State); state != "Enabled" {
				d.report.add(check, Fail, "the event source mapping is "+state+", so the messages wait",
					"aws lambda update-event-source-mapping --enabled --region "+d.region+" --uuid "+aws.ToString(m.UUID))
				return
			}
			d.report.ok(check, "the event source mapping is enabled")
			return
		}
	}
	d.report.add(check, Fail, "no event source mapping connects "+queue+" to the function", "deploy template.yaml or the Terraform module again")
}

// A backlog says how to judge the messages of a queue.
type backlog struct {
	check, name string
	worst       Verdict
	patience    time.Duration // messages that are younger are no fault
	hint        string
}

func (d *doctor) backlog(ctx context.Context, b backlog) {
	found, err := d.sqs.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &b.name})
	if err != nil {
		d.unreadable(b.check, err)
		return
	}
	q, ok := d.queue(ctx, b.check, aws.ToString(found.QueueUrl))
	text := fmt.Sprintf("%d messages%s", q.messages, q.age)
	switch {
	case !ok:
	case q.messages == 0:
		d.report.ok(b.check, "empty")
	case q.oldest > 0 && q.oldest < b.patience:
		d.report.ok(b.check, text)
	default:
		d.report.add(b.check, b.worst, text, b.hint)
	}
}

func lastPart(text, separator string) string { return text[strings.LastIndex(text, separator)+1:] }
