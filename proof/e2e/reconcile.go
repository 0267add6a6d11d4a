package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	idp "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	eventtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/scheduler"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// The users of a large pool, and how many of them change between two runs.
const (
	largePool                      = 2000
	edited, disabled, gone, joined = 20, 15, 10, 5
)

// buildCommand builds the command line.
func (e *environment) buildCommand(ctx context.Context) string {
	e.commandLine = filepath.Join(e.dir, "hasura-cognito")
	output(command(ctx, "make", "-s", "compile", "PACKAGE=cmd/hasura-cognito", "OUTPUT="+e.commandLine))
	return ""
}

// reconcile runs the command line on a large pool of each emulator, both at the same time: it waits a minute before it marks rows.
func (e *environment) reconcile(ctx context.Context) string {
	group, ctx := errgroup.WithContext(ctx)
	for name, url := range map[string]string{"moto": e.moto, "MiniStack": e.ministack} {
		l := &large{e: e, url: url, databaseURL: e.database(ctx)}
		l.stack = e.startStack(ctx, stack.Config{DatabaseURL: l.databaseURL, AdminSecret: "the admin secret of " + name})
		l.secretARN = createSecret(ctx, url, "large/app", "the admin secret of "+name)
		group.Go(func() error {
			err := attempt(func() { l.prove(ctx) })
			if err != nil {
				err = fmt.Errorf("%s: %w", name, err)
			}
			return err
		})
	}
	check(group.Wait())
	return fmt.Sprintf("2 × %d users; then %d updated, %d inserted, %d marked, others untouched",
		largePool, edited+disabled, joined, gone)
}

// A large is a large pool in an emulator, and its table in PostgreSQL.
type large struct {
	e                *environment
	url              string // of the emulator
	databaseURL      string
	secretARN, id    string
	stack            *stack.Stack
	cognito          *idp.Client
	subs             []string          // in the order of the user names
	versions         map[string]string // of the rows, by sub: another one means that the row was written
	removed, changed []string          // subs
}

func (l *large) prove(ctx context.Context) {
	l.cognito = idp.NewFromConfig(emulator(l.url))
	l.id = *must(l.cognito.CreateUserPool(ctx, &idp.CreateUserPoolInput{PoolName: aws.String("large")})).UserPool.Id
	during("create users", func() { l.subs = l.create(ctx, 0, largePool) })
	during("first dry run", func() {
		l.reconcile(ctx, false, map[string]int{"inserted": largePool})
		if n := len(l.rows(ctx)); n > 0 {
			fail("a dry run wrote %d rows", n)
		}
	})
	during("first run", func() {
		l.reconcile(ctx, true, map[string]int{"inserted": largePool})
		l.compare(ctx)
	})
	during("change users", func() { l.change(ctx) })
	during("second dry run", func() {
		l.reconcile(ctx, false, map[string]int{"same": largePool - edited - disabled - gone, "updated": edited + disabled, "inserted": joined, "marked": gone})
	})
	during("second run", func() {
		l.reconcile(ctx, true, map[string]int{"same": largePool - edited - disabled - gone, "updated": edited + disabled, "inserted": joined, "marked": gone})
		l.compare(ctx)
		l.compareWritten(ctx)
	})
	during("user show, sync and erase", func() { l.oneUser(ctx) })
}

// create creates users and returns their subs.
func (l *large) create(ctx context.Context, first, n int) []string {
	subs := make([]string, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for i := range n {
		group.Go(func() error {
			name := fmt.Sprintf("user%04d", first+i)
			out, err := l.cognito.AdminCreateUser(ctx, &idp.AdminCreateUserInput{UserPoolId: &l.id, Username: &name, MessageAction: types.MessageActionTypeSuppress,
				UserAttributes: []types.AttributeType{attribute("email", name+"@example.com"), attribute("email_verified", "true"), attribute("name", "Jane "+name)}})
			if err != nil {
				return err
			}
			subs[i] = valueOf(out.User.Attributes, "sub")
			return nil
		})
	}
	check(group.Wait())
	return subs
}

func valueOf(attributes []types.AttributeType, name string) string {
	for _, a := range attributes {
		if aws.ToString(a.Name) == name {
			return aws.ToString(a.Value)
		}
	}
	return ""
}

// change edits, disables, deletes and creates users, and makes the rows old enough to be marked.
func (l *large) change(ctx context.Context) {
	name := func(i int) *string { return aws.String(fmt.Sprintf("user%04d", i)) }
	for i := range edited {
		must(l.cognito.AdminUpdateUserAttributes(ctx, &idp.AdminUpdateUserAttributesInput{UserPoolId: &l.id, Username: name(i),
			UserAttributes: []types.AttributeType{attribute("name", "Edited")}}))
	}
	for i := range disabled {
		must(l.cognito.AdminDisableUser(ctx, &idp.AdminDisableUserInput{UserPoolId: &l.id, Username: name(100 + i)}))
	}
	for i := range gone {
		must(l.cognito.AdminDeleteUser(ctx, &idp.AdminDeleteUserInput{UserPoolId: &l.id, Username: name(200 + i)}))
	}
	l.removed = l.subs[200 : 200+gone]
	l.changed = slices.Concat(l.subs[:edited], l.subs[100:100+disabled], l.removed, l.create(ctx, largePool, joined))
	l.exec(ctx, "UPDATE users SET synced_at = synced_at - interval '10 minutes'")
	l.versions = l.column(ctx, "xmin::text")
}

// run runs the command line on the pool.
func (l *large) run(ctx context.Context, args ...string) (out string, exitCode int) {
	cmd := command(ctx, append([]string{l.e.commandLine}, args...)...)
	cmd.Env = append(cmd.Env, "AWS_ENDPOINT_URL="+l.url, "GRAPHQL_DOMAIN="+l.stack.Hasura.URL, "SECRETS_ARN="+l.secretARN,
		"RECONCILE_HASURA_ROLE=cognito_reconcile")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	text, err := cmd.Output()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		check(err)
	}
	if code := cmd.ProcessState.ExitCode(); code > 1 {
		fail("%s: exit code %d\n%s", strings.Join(args, " "), code, &stderr)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// reconcile runs reconcile and compares the counts that it prints.
func (l *large) reconcile(ctx context.Context, apply bool, want map[string]int) {
	args := []string{"reconcile", "--pool", l.id, "--user-id", "sub", "--on-delete", "mark", "--rate", "30", "--json"}
	if apply {
		args = append(args, "--apply")
	}
	text, _ := l.run(ctx, args...)
	var result struct {
		Complete bool
		Counts   map[string]int
	}
	check(json.Unmarshal([]byte(text), &result))
	if !result.Complete || !maps.Equal(result.Counts, want) {
		fail("complete %t, counts %v, want %v", result.Complete, result.Counts, want)
	}
}

func (l *large) exec(ctx context.Context, statement string) {
	conn := must(pgx.Connect(ctx, l.databaseURL))
	defer conn.Close(ctx)
	must(conn.Exec(ctx, statement))
}

// column reads an expression for every row, by the id.
func (l *large) column(ctx context.Context, expression string) map[string]string {
	conn := must(pgx.Connect(ctx, l.databaseURL))
	defer conn.Close(ctx)
	values := make(map[string]string)
	var id, value string
	must(pgx.ForEachRow(must(conn.Query(ctx, "SELECT id::text, "+expression+" FROM users")), []any{&id, &value}, func() error {
		values[id] = value
		return nil
	}))
	return values
}

// rows reads what the rows say, by the id.
func (l *large) rows(ctx context.Context) map[string]string {
	return l.column(ctx, "concat_ws('|', username, email, email_verified, name, status, enabled, (deleted_at IS NOT NULL)::text)")
}

// compare compares every row with what the emulator lists.
func (l *large) compare(ctx context.Context) {
	rows := l.rows(ctx)
	pages := idp.NewListUsersPaginator(l.cognito, &idp.ListUsersInput{UserPoolId: &l.id})
	listed := 0
	for pages.HasMorePages() {
		for _, u := range must(pages.NextPage(ctx)).Users {
			listed++
			sub := valueOf(u.Attributes, "sub")
			flag := func(b bool) string { return fmt.Sprint(b)[:1] }
			want := strings.Join([]string{aws.ToString(u.Username), valueOf(u.Attributes, "email"), flag(valueOf(u.Attributes, "email_verified") == "true"),
				valueOf(u.Attributes, "name"), string(u.UserStatus), flag(u.Enabled), "false"}, "|")
			if rows[sub] != want {
				fail("the row is %q, want %q", rows[sub], want)
			}
			delete(rows, sub)
		}
	}
	if listed < largePool-gone {
		fail("the emulator lists %d users", listed)
	}
	for id, row := range rows {
		if !slices.Contains(l.removed, id) || !strings.HasSuffix(row, "|true") {
			fail("a row that belongs to no user is not marked: %q", row)
		}
	}
	if len(rows) != len(l.removed) {
		fail("%d rows are marked, want %d", len(rows), len(l.removed))
	}
}

// compareWritten expects that exactly the rows of changed users were written.
func (l *large) compareWritten(ctx context.Context) {
	for id, version := range l.column(ctx, "xmin::text") {
		if written := l.versions[id] != version; written != slices.Contains(l.changed, id) {
			fail("written is %t for the row of %s", written, id)
		}
	}
}

// oneUser runs the commands about one user.
func (l *large) oneUser(ctx context.Context) {
	sub := l.subs[300]
	about := func(command, who string) string {
		out, _ := l.run(ctx, "user", command, "--pool", l.id, "--user-id", "sub", who)
		return out
	}
	l.exec(ctx, "UPDATE users SET name = 'Wrong', synced_at = synced_at - interval '10 minutes' WHERE id = '"+sub+"'")
	if out := about("show", sub); strings.Count(out, "differs") != 1 || !regexp.MustCompile(`(?m)^name +differs$`).MatchString(out) {
		fail("user show prints %q, want that the name alone differs", out)
	}
	about("sync", sub)
	if row := l.rows(ctx)[sub]; !strings.Contains(row, "|Jane user0300|") {
		fail("after user sync the row is %q", row)
	}
	l.exec(ctx, "UPDATE users SET synced_at = synced_at - interval '10 minutes'")
	erased := l.removed[0]
	l.run(ctx, "user", "erase", "--pool", l.id, "--user-id", "sub", "--yes", erased)
	if row := l.rows(ctx)[erased]; strings.Contains(row, "example.com") || strings.Contains(row, "Jane") {
		fail("after user erase the row is %q", row)
	}
}

// follow shows the deployed reconcile and follow functions: the schedule, the rule, the queues and the functions behind them.
func (e *environment) follow(ctx context.Context) string {
	p := e.pools["acme-own"]
	cfg := emulator(e.ministack)
	queues, events := sqs.NewFromConfig(cfg), eventbridge.NewFromConfig(cfg)
	queueURL := func(name string) string {
		return *must(queues.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &name})).QueueUrl
	}
	reconcileQueue := queueURL(p.name + "-hasura-cognito-reconcile")
	during("event source mappings", func() {
		for _, name := range []string{functions.Reconcile, functions.Follow} {
			out := must(lambda.NewFromConfig(cfg).ListEventSourceMappings(ctx, &lambda.ListEventSourceMappingsInput{FunctionName: aws.String(p.name + "-" + name)}))
			if len(out.EventSourceMappings) != 1 {
				fail("%s has %d mappings, want 1", name, len(out.EventSourceMappings))
			}
		}
	})
	u := p.signUp(ctx) // MiniStack calls no function for a sign-up
	during("schedule", func() {
		out := must(scheduler.NewFromConfig(cfg).GetSchedule(ctx, &scheduler.GetScheduleInput{Name: aws.String(p.name + "-hasura-cognito-reconcile")}))
		if aws.ToString(out.ScheduleExpression) != "rate(1 day)" || !strings.HasSuffix(aws.ToString(out.Target.Arn), ":"+p.name+"-hasura-cognito-reconcile") {
			fail("the schedule is %s, its target %s", aws.ToString(out.ScheduleExpression), aws.ToString(out.Target.Arn))
		}
		// MiniStack keeps schedules and runs none. So its message is sent here.
		must(queues.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &reconcileQueue, MessageBody: out.Target.Input}))
		p.awaitColumns(ctx, u, map[string]string{"email": u.email, "name": "Jane Doe"})
	})
	during("rule", func() {
		must(p.cognito.AdminUpdateUserAttributes(ctx, &idp.AdminUpdateUserAttributesInput{UserPoolId: &p.id, Username: &u.username,
			UserAttributes: []types.AttributeType{attribute("name", "Jane Roe")}}))
		record := string(must(json.Marshal(map[string]any{"eventSource": "cognito-idp.amazonaws.com", "eventName": "AdminUpdateUserAttributes", "readOnly": false,
			"eventTime": time.Now().UTC().Format(time.RFC3339), "eventID": "1c9e4b60-8d72-4a1e-9b3f-7f5a2c6d8e01",
			"requestParameters": map[string]string{"userPoolId": p.id}, "additionalEventData": map[string]string{"sub": u.sub}})))
		out := must(events.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: []eventtypes.PutEventsRequestEntry{{Source: aws.String("aws.cognito-idp"),
			DetailType: aws.String("AWS API Call via CloudTrail"), Detail: &record}}}))
		if out.FailedEntryCount > 0 {
			fail("MiniStack refuses the event: %s", aws.ToString(out.Entries[0].ErrorCode))
		}
		p.awaitColumns(ctx, u, map[string]string{"name": "Jane Roe"})
	})
	return "a row by the schedule's message, a change by the rule"
}

// awaitColumns waits until the user's row has the values.
func (p *pool) awaitColumns(ctx context.Context, u *user, want map[string]string) {
	check(poll(ctx, func() error { return attempt(func() { p.checkColumns(ctx, u, want) }) }))
}
