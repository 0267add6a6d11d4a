package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// The failure classes, as the log has them.
const (
	transient = "transient"
	denied    = "access-denied"
	permanent = "permanent"
)

// rows is the table. untrusted is the URL of a server whose certificate is not from a public authority. invalid has
// invalid values of each setting.
func rows(untrusted string, invalid map[string][]string) []row {
	parked := func(class string) want { return want{logged: []string{"parked", "replayed"}, class: class} }
	lost := want{logged: []string{"sync lost"}, lossy: true}
	synced := want{logged: []string{"synced"}, never: "parked"}
	text := func(code int) stack.Fault { return stack.Status(code, canary) }
	down := text(http.StatusServiceUnavailable)

	all := []row{
		{name: "Hasura refuses the connection", hasura: stack.Refuse, want: parked(transient)},
		{name: "Hasura hangs after accept", hasura: stack.Hang, want: parked(transient)},
		{name: "Hasura hangs after headers", hasura: stack.HangAfterHeaders, want: parked(transient)},
		{name: "Hasura sends half a body, then resets", hasura: stack.HalfBody, want: parked(transient)},
		{name: "Hasura answers 500", hasura: text(500), want: parked(transient)},
		{name: "Hasura answers 502 in HTML", hasura: stack.Status(502, "<html>"+canary+"</html>"), want: parked(transient)},
		{name: "Hasura answers 503", hasura: down, want: parked(transient)},
		{name: "Hasura answers 504", hasura: text(504), want: parked(transient)},
		{name: "Hasura answers 429", hasura: text(429), want: parked(transient)},
		{name: "the CDN answers 521", hasura: text(521), want: parked(transient)},
		{name: "the CDN answers 522", hasura: text(522), want: parked(transient)},
		{name: "Hasura answers rate-limit-exceeded", hasura: hasuraError("rate-limit-exceeded", ""), want: parked(transient)},
		{name: "Hasura answers time-limit-exceeded", hasura: hasuraError("time-limit-exceeded", ""), want: parked(transient)},
		{name: "Hasura answers an unknown code", hasura: hasuraError("not-known-yet", ""), want: parked(transient)},
		{name: "Hasura answers access-denied", hasura: hasuraError("access-denied", ""), want: parked(denied)},
	}
	for _, code := range []string{"invalid-headers", "validation-failed", "constraint-violation", "permission-error",
		"data-exception", "parse-failed", "invalid-json", "constraint-error"} {
		all = append(all, row{name: "Hasura answers " + code, hasura: hasuraError(code, ""), want: parked(permanent)})
	}
	all = append(all,
		row{name: "Hasura answers postgres-error", hasura: hasuraError("postgres-error", ""), want: parked(transient)},
		row{name: "Hasura answers postgres-max-connections-error", hasura: hasuraError("postgres-max-connections-error", ""), want: parked(transient)},
		row{name: "Hasura answers unexpected", hasura: hasuraError("unexpected", ""), want: parked(transient)},
		row{name: "Hasura answers unexpected, a deadlock", hasura: hasuraError("unexpected", "40P01"), want: parked(transient)},
		row{name: "Hasura answers unexpected, P0001", hasura: hasuraError("unexpected", "P0001"), want: parked(permanent)},
		row{name: "Hasura answers 404", hasura: notFound, want: parked(permanent)},
		row{name: "one of several servers answers 404", hasura: stack.Once(notFound), want: synced},
		row{name: "one of several answers validation-failed", hasura: stack.Once(hasuraError("validation-failed", "")), want: synced},
		row{name: "Hasura redirects", hasura: stack.Redirect("http://127.0.0.1:1/" + canary), want: parked(permanent)},
		row{name: "Hasura answers with the secret as code", hasura: hasuraError(firstSecret, ""), want: parked(transient)},
		row{name: "Hasura answers with a code of 900 kB", hasura: hasuraError(strings.Repeat("x", 900_000), ""), want: parked(transient)},
		row{name: "Hasura answers with the secret as SQLSTATE", hasura: hasuraError("unexpected", firstSecret), want: parked(transient)},
		row{name: "Hasura redirects to a host of 900 kB", hasura: stack.Redirect("http://" + strings.Repeat("x", 900_000) + ".invalid/"), want: parked(permanent)},
		row{name: "Hasura writes the row, but answers too late", hasura: stack.LoseAnswers, want: want{logged: []string{"parked", "stale"}, class: transient}},
		row{name: "Hasura presents a bad certificate", settings: map[string]string{"GRAPHQL_DOMAIN": untrusted}, want: parked(permanent)},
		row{name: "Hasura's name does not resolve", settings: map[string]string{"GRAPHQL_DOMAIN": "http://hasura.invalid"}, want: parked(transient)},

		row{name: "Secrets Manager refuses the connection", secrets: stack.Refuse, want: parked(transient)},
		row{name: "Secrets Manager hangs", secrets: stack.Hang, want: parked(transient)},
		row{name: "Secrets Manager throttles", secrets: awsError("ThrottlingException"), want: parked(transient)},
		row{name: "Secrets Manager answers AccessDenied", secrets: awsError("AccessDeniedException"), want: parked(permanent)},
		row{name: "Secrets Manager answers with a code of spaces", secrets: awsError("a code: " + firstSecret), want: want{logged: []string{"parked", "replayed"}}},
		row{name: "the secret does not exist", secrets: awsError("ResourceNotFoundException"), want: parked(permanent)},
		secretIs("the secret lacks the key", `{"ANOTHER":"`+canary+`"}`, parked(permanent)),
		secretIs("the secret is YAML", "HASURA_GRAPHQL_ADMIN_SECRET: "+canary, parked(permanent)),

		row{name: "SQS answers with a code of spaces", hasura: stack.Refuse, sqs: awsError("a code: " + firstSecret), want: lost},
		row{name: "Hasura and SQS refuse the connection", hasura: stack.Refuse, sqs: stack.Refuse, want: lost},
		row{name: "Hasura refuses the connection, SQS hangs", hasura: stack.Refuse, sqs: stack.Hang, want: lost},
		row{name: "Hasura and SQS hang", hasura: stack.Hang, sqs: stack.Hang, want: lost},

		row{name: "three copies of one event at once", load: copies, want: synced},
		row{name: "dead letters, redriven after the fault", hasura: hasuraError("validation-failed", ""), load: replayDuringFault, receives: 3,
			want: want{logged: []string{"parked", "permanent failure", "replayed"}, deadLetters: users}},
		row{name: "events out of order", hasura: down, load: outOfOrder(nothing), want: want{logged: []string{"parked", "synced", "stale"}}},
		row{name: "the process dies between upsert and answer", load: killed, want: want{logged: []string{"synced"}, refused: 1}},
		row{name: "two answers lost, Cognito calls again", load: lostAnswers, want: synced},
		row{name: "a locked row, with SYNC_ON_FAILURE=refuse", hasura: lockedRows(1), settings: map[string]string{"SYNC_ON_FAILURE": "refuse"},
			want: want{logged: []string{"synced", "sign-in refused"}, refused: 1}},
		row{name: "Hasura is back, with SYNC_ON_FAILURE=refuse", hasura: down, load: recovers, settings: map[string]string{"SYNC_ON_FAILURE": "refuse"},
			want: want{logged: []string{"synced", "sign-in refused"}, refused: 1}},
		row{name: "three locked rows among 100 parked syncs", hasura: down, load: slowReplay, receives: 3, visibility: 5 * time.Second,
			want: want{logged: []string{"parked", "replayed", "will retry"}, deadLetters: 3}},
		row{name: "a parked sync from a clock a day ahead", hasura: down, load: outOfOrder(clockAhead), want: want{logged: []string{"parked", "synced", "stale"}}},
		row{name: "a synced_at a day ahead", load: aheadBy(24 * time.Hour), want: synced},
	)

	for _, s := range settings.All {
		misconfigured := want{logged: []string{"misconfigured"}}
		if strings.Contains(s.Functions, "claims") {
			all = append(all, row{name: "claims function: invalid " + s.Name, load: wrongClaims(s.Name, invalid[s.Name]), want: misconfigured})
		}
		if strings.Contains(s.Functions, "sync") {
			all = append(all, row{name: "sync function: invalid " + s.Name, load: wrongSync(s.Name, invalid[s.Name]), want: misconfigured})
		}
	}

	streams := []row{
		{name: "nothing is wrong", load: stream(4), want: synced},
		{name: "Hasura refuses the connection", hasura: stack.Refuse},
		{name: "Hasura hangs after accept", hasura: stack.Hang},
		{name: "Hasura hangs after headers", hasura: stack.HangAfterHeaders},
		{name: "Hasura sends half a body, then resets", hasura: stack.HalfBody},
		{name: "Hasura writes, but answers too late", hasura: stack.LoseAnswers},
		{name: "Hasura answers 503, replaying", hasura: down, load: whileReplaying(stream(4)), want: want{logged: []string{"synced", "parked", "replayed"}}},
		{name: "Hasura answers access-denied", hasura: hasuraError("access-denied", "")},
		{name: "Hasura answers validation-failed", hasura: hasuraError("validation-failed", "")},
		{name: "Secrets Manager refuses the connection", secrets: stack.Refuse, load: stream(4), want: synced},
		{name: "Secrets Manager hangs", secrets: stack.Hang, load: stream(4), want: synced},
		{name: "the secret rotates", load: stream(4), want: synced, begin: func(e *environment) error { return e.Rotate(secondSecret) }},
		// Each user signs in once, so that lost syncs and missing rows can be compared one by one.
		{name: "Hasura answers 503, SQS refuses", hasura: down, sqs: stack.Refuse, load: stream(1), want: want{logged: []string{"synced", "sync lost"}, lossy: true}},
		{name: "Hasura and SQS hang", hasura: stack.Hang, sqs: stack.Hang, load: stream(1), want: want{logged: []string{"synced", "sync lost"}, lossy: true}},
	}
	for _, r := range streams {
		r.name, r.stream = "stream: "+r.name, true
		if r.load == nil {
			r.load, r.want = stream(4), want{logged: []string{"synced"}}
		}
		all = append(all, r)
	}
	return all
}

// readInvalid reads the invalid values of the settings.
func readInvalid() (map[string][]string, error) {
	text, err := os.ReadFile("pkg/settings/testdata/values.json")
	if err != nil {
		return nil, err
	}
	var values map[string]struct{ Invalid []string }
	if err := json.Unmarshal(text, &values); err != nil {
		return nil, err
	}
	invalid := make(map[string][]string)
	for name, v := range values {
		invalid[name] = v.Invalid
	}
	return invalid, nil
}

// hasuraError is Hasura's answer to a failure, with PostgreSQL's SQLSTATE if there is one.
func hasuraError(code, state string) stack.Fault {
	internal := ""
	if state != "" {
		internal = fmt.Sprintf(`,"internal":{"statement":"INSERT %s","error":{"status_code":%q,"message":"%s"},"arguments":["%s"]}`, canary, state, canary, canary)
	}
	return stack.Status(http.StatusOK, fmt.Sprintf(`{"errors":[{"message":"%s","extensions":{"path":"$","code":%q%s}}]}`, canary, code, internal))
}

var notFound = stack.Status(http.StatusNotFound, `{"path":"$","error":"resource does not exist","code":"not-found"}`)

// awsError is the answer of an AWS service to a failure.
func awsError(name string) stack.Fault {
	return stack.Status(http.StatusBadRequest, fmt.Sprintf(`{"__type":%q,"message":"%s"}`, name, canary))
}

// secretIs is the fault of a secret with another text.
func secretIs(name, text string, w want) row {
	return row{name: name, want: w,
		begin: func(e *environment) error { e.Secrets.Put(stack.Secret, text); return nil },
		end:   func(e *environment) error { _, err := e.PutAdminSecret(firstSecret); return err },
	}
}
