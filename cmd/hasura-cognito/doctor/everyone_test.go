package doctor

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/awstest"
	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	reconcileQueue = "acme-hasura-cognito-reconcile"
	followQueue    = "acme-hasura-cognito-follow"
	bothLetters    = "acme-hasura-cognito-reconcile-dead-letters"
	reconcileLog   = "/aws/lambda/acme-hasura-cognito-reconcile-users"
	queueARN       = "arn:aws:sqs:us-east-1:123456789012:"
)

// reconcileRole is cognito_reconcile, or "" for admin if the metadata of the table does not have that role.
var reconcileRole = func() string {
	tables, _ := filepath.Glob("../../../graphql/hasura/metadata/databases/default/tables/*.yaml") // the pattern is valid
	for _, path := range tables {
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text), "role: cognito_reconcile\n") {
			return "cognito_reconcile"
		}
	}
	return ""
}()

// marks reports whether reconcile can mark rows of the table, with a role that has permissions.
func marks() bool {
	return users.Description.Enabled != "" && users.Description.DeletedAt != "" && reconcileRole != ""
}

// nullable is a column for which a user may have no value, or "".
var nullable = func() string {
	for _, c := range users.Description.Columns {
		if users.Description.WritesNull(c.Name) && c.Kind == users.Text && !c.Required && c.Source.Name != users.Username.Name {
			return c.Name
		}
	}
	return ""
}()

// notNull makes that column NOT NULL.
func notNull(d *deployment) {
	text, _ := os.ReadFile("../../../graphql/schema.graphql") // the finding would be missing
	_, row, _ := strings.Cut(string(text), "\ntype "+upsert.Row+" {")
	row, _, _ = strings.Cut(row, "}\n")
	column := "\n  " + nullable + ": String"
	d.schema = strings.NewReplacer(row, strings.Replace(row, column+"\n", column+"!\n", 1))
}

// line is what the reconcile function logs.
func line(ago time.Duration, message, run, prefix string, parts int) awstest.Line {
	text := fmt.Sprintf(`{"message":%q,"run":%q,"prefix":%q,"parts":%d,"drift":3,"written":2,"users":{"same":7}}`, message, run, prefix, parts)
	if message == "planned" {
		text = fmt.Sprintf(`{"message":"planned","run":%q,"parts":%d,"about_users":9}`, run, parts)
	}
	return awstest.Line{At: time.Now().Add(-ago), Text: text}
}

// everyone is a healthy deployment with reconcile and follow.
func everyone() *deployment {
	d := healthy()
	d.env[reconcileFunction] = map[string]string{"RECONCILE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/" + reconcileQueue}
	d.env[followFunction] = map[string]string{"RECONCILE_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/" + followQueue}
	for _, function := range []string{reconcileFunction, followFunction} {
		maps.Copy(d.env[function], map[string]string{"USER_POOL_ID": poolID, "RECONCILE_HASURA_ROLE": reconcileRole})
	}
	for _, name := range []string{reconcileQueue, followQueue, bothLetters} {
		d.Queues[name] = object{"ApproximateNumberOfMessages": "0"}
	}
	d.Sources[reconcileFunction] = object{"UUID": "1", "State": "Enabled", "EventSourceArn": queueARN + reconcileQueue}
	d.Sources[followFunction] = object{"UUID": "2", "State": "Enabled", "EventSourceArn": queueARN + followQueue}
	d.Schedules = map[string]object{reconcileQueue: {"ScheduleExpression": "rate(1 day)", "State": "ENABLED", "Target": object{"Arn": queueARN + reconcileQueue}}}
	d.Rules = map[string]*awstest.Rule{followQueue: {
		State: "ENABLED", Targets: []string{queueARN + followQueue},
		Pattern: `{"source":["aws.cognito-idp"],"detail-type":["AWS API Call via CloudTrail","AWS Service Event via CloudTrail"],` +
			`"detail":{"eventSource":["cognito-idp.amazonaws.com"],"eventName":[{"anything-but":["InitiateAuth"]}]}}`,
	}}
	d.Trails = []awstest.Trail{{Name: "all", Home: "eu-west-1", Selectors: object{"AdvancedEventSelectors": []any{selector("eventCategory", "Equals", "Management")}}}}
	d.Logs = map[string][]awstest.Line{reconcileLog: {
		line(2*time.Hour, "planned", "a", "", 2), line(2*time.Hour, "reconciled", "a", "0", 0), line(time.Hour, "reconciled", "a", "1", 0),
	}}
	return d
}

// selector returns an advanced event selector: a field, an operator and a value, three by three.
func selector(parts ...string) object {
	var fields []any
	for part := range slices.Chunk(parts, 3) {
		fields = append(fields, object{"Field": part[0], part[1]: []string{part[2]}})
	}
	return object{"FieldSelectors": fields}
}

func TestEveryoneIsHealthy(t *testing.T) {
	report, text := everyone().examine(t)
	want := []string{"reconcile function", "reconcile function: environment", "reconcile settings", "reconcile columns", "reconcile schedule", "last complete run",
		"reconcile function: queue", "reconcile queue", "follow function", "follow function: environment", "follow settings", "trail", "follow rule",
		"follow function: queue", "follow queue", "reconcile dead-letter queue", "alarms"}
	var got []string
	for _, row := range report {
		got = append(got, row.Check)
		if row.Verdict != OK && row.Check != "Hasura accepts a token" || row.Verdict == OK && row.Hint != "" {
			t.Errorf("%+v, want ok", row)
		}
	}
	if len(got) < len(want) || !slices.Equal(got[len(got)-len(want):], want) {
		t.Errorf("the last rows are %q, want %q\n%s", got, want, text)
	}
}

// Both functions are optional. That they are off is no fault, and the row says how to turn them on.
func TestOff(t *testing.T) {
	d := everyone()
	d.gone = reconcileFunction
	report, text := d.examine(t)
	if got := report.of("reconcile and follow"); len(got) != 1 || got[0].Verdict != OK || !strings.Contains(got[0].Hint, "docs/deploy.md#reconcile") || strings.Contains(text, "reconcile queue") {
		t.Errorf("without reconcile: %+v\n%s", got, text)
	}
	d = everyone()
	d.gone = followFunction
	report, text = d.examine(t)
	if got := report.of("follow"); len(got) != 1 || got[0].Verdict != OK || !strings.Contains(got[0].Hint, "docs/deploy.md#follow") || strings.Contains(text, "trail") {
		t.Errorf("without follow: %+v\n%s", got, text)
	}
}

func TestFaultsOfReconcileAndFollow(t *testing.T) {
	set := func(function, name, value string) func(*deployment) {
		return func(d *deployment) { d.env[function][name] = value }
	}
	deny := func(actions ...string) func(*deployment) {
		return func(d *deployment) { d.Denied = actions }
	}
	logs := func(lines ...awstest.Line) func(*deployment) {
		return func(d *deployment) { d.Logs[reconcileLog] = lines }
	}
	trail := func(trails ...awstest.Trail) func(*deployment) {
		return func(d *deployment) { d.Trails = trails }
	}
	messages := func(queue string, age float64) func(*deployment) {
		return func(d *deployment) { d.Queues[queue]["ApproximateNumberOfMessages"], d.Age = "7", age }
	}
	withoutColumn := func(name string) func(*deployment) {
		return func(d *deployment) {
			d.schema = strings.NewReplacer("\n  \"\"\"column name\"\"\"\n  "+name+"\n", "\n")
		}
	}
	classic := func(s object) awstest.Trail {
		return awstest.Trail{Name: "mine", Home: "us-east-1", Selectors: object{"EventSelectors": []any{s}}}
	}
	advanced := func(parts ...string) awstest.Trail {
		return awstest.Trail{Name: "mine", Home: "us-east-1", Selectors: object{"AdvancedEventSelectors": []any{selector(parts...)}}}
	}
	const management = "eventCategory"
	type row struct {
		name    string
		change  func(*deployment)
		check   string
		verdict Verdict
		found   string
		hint    string
	}
	rows := []row{
		{"settings that are invalid", set(reconcileFunction, "RECONCILE_ON_DELETE", "drop"), "reconcile settings", Fail, "RECONCILE_ON_DELETE", "does not start"},
		{"no queue for the second look-up", set(followFunction, "RECONCILE_QUEUE_URL", ""), "follow settings", Fail, "RECONCILE_QUEUE_URL", "does not start"},
		{"another pool", set(reconcileFunction, "USER_POOL_ID", "us-east-1_Other0001"), "reconcile settings", Fail, "us-east-1_Other0001", "one table"},
		{"another id", set(followFunction, "USER_ID", "custom:id"), "follow settings", Fail, `USER_ID is "custom:id"`, "all functions"},
		{"a role that may not write", set(reconcileFunction, "RECONCILE_HASURA_ROLE", "user"), "reconcile columns", Fail, "the role user lacks", "metadata"},

		{"a column that is NOT NULL, without a default", notNull, "reconcile columns", Fail, nullable + " cannot be NULL", "docs/own-table.md#not-null"},

		{"no schedule", func(d *deployment) { d.Schedules = nil }, "reconcile schedule", Fail, reconcileQueue + " does not exist", "deploy"},
		{"a schedule that is disabled", func(d *deployment) { d.Schedules[reconcileQueue]["State"] = "DISABLED" }, "reconcile schedule", Fail, "is disabled", "enable"},
		{"a schedule with another target", func(d *deployment) {
			d.Schedules[reconcileQueue]["Target"] = object{"Arn": queueARN + parked}
		}, "reconcile schedule", Fail, parked, "deploy"},
		{"no right to see the schedule", deny("GetSchedule"), "reconcile schedule", Unknown, "AccessDenied", "scheduler:GetSchedule"},

		{"no run", logs(), "last complete run", Warn, "none in the last 72 hours", "#reconcile-does-not-run"},
		{"a run that is under way", logs(line(time.Hour, "planned", "a", "", 2), line(time.Hour, "reconciled", "a", "0", 0)), "last complete run", Warn, "none", "send"},
		{"a part twice", logs(line(time.Hour, "planned", "a", "", 2), line(time.Hour, "reconciled", "a", "0", 0), line(0, "reconciled", "a", "0", 0)),
			"last complete run", Warn, "none", "send"},
		{"a smaller part is missing", logs(line(time.Hour, "planned", "a", "", 1), line(time.Hour, "split", "a", "", 2), line(0, "reconciled", "a", "0", 0)),
			"last complete run", Warn, "none", "send"},
		{"a part that was split and reconciled", logs(line(time.Hour, "planned", "a", "", 1), line(time.Hour, "split", "a", "", 2), line(0, "reconciled", "a", "", 0),
			line(0, "reconciled", "a", "0", 0)), "last complete run", Warn, "none", "send"},
		{"a run that is old", logs(line(50*time.Hour, "planned", "a", "", 1), line(49*time.Hour, "reconciled", "a", "", 0)),
			"last complete run", Warn, "Two periods of rate(1 day) are over", "send"},
		{"no run of a cron expression", func(d *deployment) {
			d.Schedules[reconcileQueue]["ScheduleExpression"], d.Logs[reconcileLog] = "cron(0 3 * * ? *)", nil
		}, "last complete run", Warn, "none in the last 720 hours", "send"},
		{"no run of a rate in hours", func(d *deployment) {
			d.Schedules[reconcileQueue]["ScheduleExpression"] = "rate(2 hours)"
			logs(line(5*time.Hour, "planned", "a", "", 1), line(5*time.Hour, "reconciled", "a", "", 0))(d)
		}, "last complete run", Warn, "Two periods of rate(2 hours) are over", "send"},
		{"no run in a log that is kept long enough", func(d *deployment) { d.LogRetention, d.Logs[reconcileLog] = 2, nil },
			"last complete run", Warn, "none in the last 72 hours", "send"},
		{"no right to see how long the log is kept", func(d *deployment) { deny("DescribeLogGroups")(d); d.Logs[reconcileLog] = nil },
			"last complete run", Unknown, "AccessDenied", "logs:DescribeLogGroups"},
		{"no log group", func(d *deployment) { d.Logs = nil }, "last complete run", Warn, reconcileLog + " does not exist", "deploy"},
		{"no right to read the log", deny("FilterLogEvents"), "last complete run", Unknown, "AccessDenied", "logs:FilterLogEvents"},

		{"a mapping that is disabled", func(d *deployment) { d.Sources[reconcileFunction]["State"] = "Disabled" }, "reconcile function: queue", Fail, "is Disabled", "--uuid 1"},
		{"no mapping", func(d *deployment) { delete(d.Sources, followFunction) }, "follow function: queue", Fail, "no event source mapping", "deploy"},
		{"no right to see the mapping", deny("ListEventSourceMappings"), "follow function: queue", Unknown, "AccessDenied", "lambda:ListEventSourceMappings"},
		{"parts that wait", messages(reconcileQueue, 7200), "reconcile queue", Warn, "7 messages, the oldest at least 2h0m0s old", "log of the reconcile function"},
		{"parts of unknown age", messages(reconcileQueue, 0), "reconcile queue", Warn, "of unknown age", "log of the reconcile function"},
		{"changes that wait", messages(followQueue, 3600), "follow queue", Warn, "7 messages, the oldest at least 1h0m0s old", "log of the follow function"},
		{"dead letters", messages(bothLetters, 60), "reconcile dead-letter queue", Fail, "7 messages", "purge"},
		{"a queue that is gone", func(d *deployment) { delete(d.Queues, followQueue) }, "follow queue", Fail, "does not exist", "deploy"},
		{"no right to see the queue", deny("GetQueueUrl"), "reconcile queue", Unknown, "AccessDenied", "sqs:GetQueueUrl"},

		{"no trail", trail(), "trail", Fail, "there is no trail in us-east-1", "docs/deploy.md#follow"},
		{"a trail that is stopped", func(d *deployment) { d.Trails[0].Stopped = true }, "trail", Fail, "all is stopped", "start it"},
		{"a trail of reads", trail(classic(object{"IncludeManagementEvents": true, "ReadWriteType": "ReadOnly"})), "trail", Fail, "mine does not log", "docs/deploy.md"},
		{"a trail of data events", trail(classic(object{"IncludeManagementEvents": false, "ReadWriteType": "All"})), "trail", Fail, "mine does not log", "docs/deploy.md"},
		{"a trail of reads, advanced", trail(advanced(management, "Equals", "Management", "readOnly", "Equals", "true")), "trail", Fail, "does not log", "docs/deploy.md"},
		{"a trail of data events, advanced", trail(advanced(management, "Equals", "Data")), "trail", Fail, "does not log", "docs/deploy.md"},
		{"a trail without Cognito", trail(advanced(management, "Equals", "Management", "eventSource", "NotEquals", "cognito-idp.amazonaws.com")), "trail", Fail, "does not log", "docs/deploy.md"},
		{"a trail of another service", trail(advanced(management, "Equals", "Management", "eventSource", "StartsWith", "kms")), "trail", Fail, "does not log", "docs/deploy.md"},
		{"a trail that excludes Cognito", trail(classic(object{"IncludeManagementEvents": true, "ReadWriteType": "All",
			"ExcludeManagementEventSources": []string{"cognito-idp.amazonaws.com"}})), "trail", Fail, "does not log", "docs/deploy.md"},
		{"a trail without services of a prefix", trail(advanced(management, "Equals", "Management", "eventSource", "NotStartsWith", "cognito")), "trail", Fail, "does not log", "docs/deploy.md"},
		{"a trail without services of a suffix", trail(advanced(management, "Equals", "Management", "eventSource", "NotEndsWith", ".amazonaws.com")), "trail", Fail, "does not log", "docs/deploy.md"},
		{"no right to see trails", deny("DescribeTrails"), "trail", Unknown, "AccessDenied", "cloudtrail:DescribeTrails"},
		{"no right to see a trail", deny("GetTrailStatus"), "trail", Unknown, "AccessDenied", "cloudtrail:GetTrailStatus"},
		{"no right to see what a trail logs", deny("GetEventSelectors"), "trail", Unknown, "AccessDenied", "cloudtrail:GetEventSelectors"},

		{"no rule", func(d *deployment) { d.Rules = nil }, "follow rule", Fail, followQueue + " does not exist", "deploy"},
		{"a rule that is disabled", func(d *deployment) { d.Rules[followQueue].State = "DISABLED" }, "follow rule", Fail, "is disabled", "enable-rule"},
		{"a rule with another target", func(d *deployment) { d.Rules[followQueue].Targets = []string{queueARN + parked} }, "follow rule", Fail, "not a target", "deploy"},
		{"a rule with another pattern", func(d *deployment) { d.Rules[followQueue].Pattern = `{"source":["aws.s3"]}` }, "follow rule", Fail, "leaves out", "deploy"},
		{"a rule without managed login", func(d *deployment) {
			d.Rules[followQueue].Pattern = strings.Replace(d.Rules[followQueue].Pattern, `,"AWS Service Event via CloudTrail"`, "", 1)
		}, "follow rule", Fail, "leaves out records of the type AWS Service Event", "deploy"},
		{"no right to see the rule", deny("DescribeRule"), "follow rule", Unknown, "AccessDenied", "events:DescribeRule"},
		{"no right to see its targets", deny("ListTargetsByRule"), "follow rule", Unknown, "AccessDenied", "events:ListTargetsByRule"},
		{"no right to try its pattern", deny("TestEventPattern"), "follow rule", Unknown, "AccessDenied", "events:TestEventPattern"},

		{"a run that was split", logs(line(3*time.Hour, "planned", "a", "", 1), line(2*time.Hour, "split", "a", "", 2), line(time.Hour, "reconciled", "a", "0", 0),
			line(time.Hour, "reconciled", "a", "1", 0), line(0, "looked up again", "a", "1", 0)), "last complete run", OK, "Parts: 2, rows that differed: 12, rows written: 8", ""},
		{"a run before one that is under way", logs(line(3*time.Hour, "planned", "a", "", 1), line(2*time.Hour, "reconciled", "a", "", 0),
			line(time.Hour, "planned", "b", "", 1)), "last complete run", OK, "Parts: 1,", ""},
		{"a run of a cron expression", func(d *deployment) {
			d.Schedules[reconcileQueue]["ScheduleExpression"] = "cron(0 3 ? * SUN *)"
			logs(line(200*time.Hour, "planned", "a", "", 1), line(199*time.Hour, "reconciled", "a", "", 0))(d)
		}, "last complete run", OK, time.Now().Add(-199 * time.Hour).UTC().Format("2006-01-02T"), ""},
		{"no run in a log that is kept for less than two periods", func(d *deployment) { d.LogRetention, d.Logs[reconcileLog] = 1, nil },
			"last complete run", OK, "kept for 24 hours: less than two periods of rate(1 day)", ""},
		{"a run that has just begun", messages(reconcileQueue, 600), "reconcile queue", OK, "7 messages, the oldest at least 10m0s old", ""},
		{"changes that have just come", messages(followQueue, 60), "follow queue", OK, "7 messages", ""},
		{"a trail of writes", trail(classic(object{"IncludeManagementEvents": true, "ReadWriteType": "WriteOnly"})), "trail", OK, "mine logs write", ""},
		{"a trail of everything but KMS", trail(advanced(management, "Equals", "Management", "readOnly", "Equals", "false", "eventSource", "NotEquals", "kms.amazonaws.com")),
			"trail", OK, "mine logs write", ""},
		{"a second trail", func(d *deployment) {
			d.Trails = append([]awstest.Trail{{Name: "stopped", Home: "us-east-1", Stopped: true}}, d.Trails...)
		}, "trail", OK, "all logs write", ""},
	}
	if marks() {
		rows = append(rows, []row{
			{"no column for marks", withoutColumn(users.Description.DeletedAt), "reconcile columns", Warn, users.Description.DeletedAt + ": reconcile writes", "docs/upgrade.md"},
			{"no column to mark in", func(d *deployment) {
				withoutColumn(users.Description.DeletedAt)(d)
				d.env[reconcileFunction]["RECONCILE_ON_DELETE"] = "mark"
			}, "reconcile columns", Fail, "nobody is marked", "migrations"},
			{"neither column", withoutColumn(users.Description.Enabled), "reconcile columns", Warn, users.Description.Enabled, "metadata"},
			{"the role of the sync", set(reconcileFunction, "RECONCILE_HASURA_ROLE", "cognito_sync"), "reconcile columns", Warn, "cannot read or write enabled and deleted_at", "metadata"},
		}...)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := everyone()
			row.change(d)
			report, text := d.examine(t)
			got := report.of(row.check)
			if len(got) != 1 || got[0].Verdict != row.verdict || !strings.Contains(got[0].Found, row.found) || !strings.Contains(got[0].Hint, row.hint) {
				t.Errorf("%s is %+v, want one %s with %q and the hint %q\n%s", row.check, got, row.verdict, row.found, row.hint, text)
			}
		})
	}
}

// The names are those of the template and of the Terraform module.
func TestNamesOfTheDeployment(t *testing.T) {
	for _, row := range []struct{ file, prefix string }{{"template.yaml", "${Prefix}-"}, {"deploy/terraform/reconcile.tf", "${var.prefix}-"}} {
		text, err := os.ReadFile("../../../" + row.file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{reconcileName, followName, reconcileLetters} {
			if !strings.Contains(string(text), row.prefix+name+`"`) {
				t.Errorf("%s has no resource %s%s", row.file, row.prefix, name)
			}
		}
	}
	if want := "acme-" + functions.Reconcile; lastPart(reconcileFunction, ":") != want {
		t.Errorf("the function is %s, want %s", reconcileFunction, want)
	}
}
