package deploy_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	suite "github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	queues "github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// A simulation runs the built functions and counts the minutes with a simulated clock. It collects what CloudWatch would see.
type simulation struct {
	t        *testing.T
	template template
	filters  []metricFilter
	alarms   map[string]alarm
	stack    *stack.Stack
	sqs      *sqs.Client
	urls     map[string]string // of the queues, by logical id
	cognito  *stack.Front      // a user pool without users

	binaries    string            // folder with <function>/bootstrap
	env         map[string]string // variables that differ, of every function
	concurrency int
	canary      bool // the calls go to a new version behind the alias

	service *lambda.Service // nil until the first call of a minute
	logs    map[string]*bytes.Buffer
	minutes atomic.Int64
	start   time.Time
	data    []datapoint
	rang    map[string]bool
}

func (s *simulation) now() time.Time {
	return s.start.Add(time.Duration(s.minutes.Load()) * time.Minute)
}

func (s *simulation) record(value float64, namespace, name string, dimensions ...string) {
	s.data = append(s.data, datapoint{metric(namespace, name, dimensions...), s.now(), value})
}

// functions starts the functions. Their execution environments last until the next wait.
func (s *simulation) functions() *lambda.Service {
	if s.service != nil {
		return s.service
	}
	var all []lambda.Function
	for id, name := range functions {
		f := s.stack.Function(name)
		if slices.Contains(suite.Optional(), name) { // the stack does not have it
			f = s.stack.Function(suite.Replay)
			f.Name, f.Timeout = name, time.Minute
			maps.Copy(f.Env, map[string]string{"USER_POOL_ID": stack.PoolID, "RECONCILE_QUEUE_URL": s.urls[map[string]string{suite.Reconcile: "ReconcileQueue", suite.Follow: "FollowQueue"}[name]],
				"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": s.cognito.URL})
		}
		f.Path, f.Concurrency = filepath.Join(s.binaries, name, "bootstrap"), s.concurrency
		for name := range s.template.variables(id) {
			if value, ok := s.env[name]; ok {
				f.Env[name] = value
			}
		}
		s.logs[id] = new(bytes.Buffer)
		f.Stdout, f.Stderr = s.logs[id], s.logs[id]
		all = append(all, f)
	}
	var err error
	if s.service, err = lambda.NewService(all...); err != nil {
		s.t.Fatal(err)
	}
	return s.service
}

// call invokes a function and records what Lambda counts.
func (s *simulation) call(id, event string) {
	s.t.Helper()
	result, err := s.functions().Invoke(s.t.Context(), functions[id], []byte(event))
	if errors.Is(err, lambda.ErrThrottled) {
		s.record(1, "AWS/Lambda", "Throttles", "FunctionName="+id)
		return
	}
	if err != nil {
		s.t.Fatal(err)
	}
	failed := 0.0
	if result.FunctionError != "" {
		failed = 1
	}
	s.record(failed, "AWS/Lambda", "Errors", "FunctionName="+id)
	if s.canary {
		s.record(failed, "AWS/Lambda", "Errors", "FunctionName="+id, "Resource=${"+id+"}:live", "ExecutedVersion="+id+".Version.Version")
	}
}

func (s *simulation) event(name string) string {
	return string(readFile(s.t, filepath.Join("events", name+".json")))
}

func (s *simulation) signIn() { s.call("HasuraCognitoSyncUsers", s.event("post-authentication")) }

func (s *simulation) token() {
	s.call("HasuraCognitoTrigger", s.event("pre-token-generation-v2-authentication"))
}

// throttle calls a function while its only execution environment starts.
func (s *simulation) throttle(id, event string) {
	s.concurrency = 1
	service := s.functions()
	first := make(chan struct{})
	go func() {
		defer close(first)
		_, _ = service.Invoke(s.t.Context(), functions[id], []byte(event)) // how it ends does not matter
	}()
	for service.Environments(functions[id]) == 0 {
		time.Sleep(time.Millisecond)
	}
	s.call(id, event)
	<-first
}

func (s *simulation) replay() { s.deliver("ParkedSyncs", "HasuraCognitoReplaySyncs") }

// reconcile sends the message of the schedule, and then what the function sends itself.
func (s *simulation) reconcile() {
	s.t.Helper()
	s.send("ReconcileQueue", fmt.Sprint(at(s.template.Resources["Schedule"].Properties, "Target", "Input")))
	for visible := 1.0; visible > 0; visible, _ = s.queued("ReconcileQueue") {
		s.deliver("ReconcileQueue", "HasuraCognitoReconcileUsers")
		s.wait(0) // ends the environment, for the next deliver
	}
}

// follow sends a recorded event to the follow function.
func (s *simulation) follow(event string) {
	s.t.Helper()
	text := string(readFile(s.t, "functions/hasura-cognito-follow-users/testdata/"+event))
	s.send("FollowQueue", regexp.MustCompile(`eu-north-1_\w+`).ReplaceAllString(text, stack.PoolID))
	s.deliver("FollowQueue", "HasuraCognitoFollowUsers")
}

func (s *simulation) send(queue, body string) {
	s.t.Helper()
	url := s.urls[queue]
	if _, err := s.sqs.SendMessage(s.t.Context(), &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}); err != nil {
		s.t.Fatal(err)
	}
}

// deliver gives every message that is visible in a queue to a function once.
func (s *simulation) deliver(queue, id string) {
	s.t.Helper()
	mapping := s.stack.Mapping()
	mapping.ShortPolling = true // a batch that was received gets to the function, also if the mapping is stopped
	mapping.Service, mapping.Function, mapping.QueueURL = s.functions(), functions[id], s.urls[queue]
	ctx, stop := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- mapping.Run(ctx) }()
	for visible, _ := s.queued(queue); visible > 0; visible, _ = s.queued(queue) {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
}

// queued returns how many messages of a queue are visible and how many are in flight.
func (s *simulation) queued(id string) (visible, inFlight float64) {
	s.t.Helper()
	url := s.urls[id]
	out, err := s.sqs.GetQueueAttributes(s.t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll}})
	if err != nil {
		s.t.Fatal(err)
	}
	visible, _ = strconv.ParseFloat(out.Attributes["ApproximateNumberOfMessages"], 64)
	inFlight, err = strconv.ParseFloat(out.Attributes["ApproximateNumberOfMessagesNotVisible"], 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return visible, inFlight
}

// wait lets minutes pass. It ends the execution environments, collects their logs and evaluates the alarms.
func (s *simulation) wait(minutes int) {
	s.t.Helper()
	if s.service != nil {
		s.service.Close()
		s.service = nil
		for _, f := range s.filters {
			for line := range bytes.Lines(s.logs[f.function].Bytes()) {
				if d, ok := f.count(line, s.now()); ok {
					s.data = append(s.data, d)
				}
			}
		}
	}
	for range minutes {
		for id := range s.urls {
			visible, inFlight := s.queued(id)
			s.record(visible, "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName="+id+".QueueName")
			s.record(inFlight, "AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName="+id+".QueueName")
		}
		s.minutes.Add(1)
		for id, a := range s.alarms {
			if now := s.now(); now.Equal(now.Truncate(a.period)) && a.rings(s.data, now) {
				s.rang[id] = true
			}
		}
	}
}

func (s *simulation) set(front *stack.Front, fault stack.Fault) {
	s.t.Helper()
	if err := front.Set(fault); err != nil {
		s.t.Fatal(err)
	}
}

// Every alarm rings for its reason, and no other alarm does. The functions are the built ones, their logs and queues are
// real, and filters, statistics, periods and thresholds are those of template.yaml.
func TestAlarmsRing(t *testing.T) {
	template := readTemplate(t)
	built := t.TempDir()
	panics := t.TempDir()
	for _, name := range functions {
		if err := stack.Build(".", "functions/"+name, filepath.Join(built, name, "bootstrap")); err != nil {
			t.Fatal(err)
		}
		if err := stack.Build(".", "deploy/testdata/panics", filepath.Join(panics, name, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	const invalid = `"no event"`
	refused := []string{"ReconcileRefusedAlarm"}
	if users.Description.Sub == "" {
		refused = nil // nobody can be looked for by the sub, so nobody is missing
	}
	denied := stack.Status(http.StatusBadRequest, `{"__type":"AccessDeniedException"}`)
	// The functions do not retry after this error, so the rows take no time.
	refuses := stack.Status(http.StatusOK, `{"errors":[{"message":"no","extensions":{"path":"$","code":"data-exception"}}]}`)
	rows := []struct {
		name  string
		env   map[string]string
		run   func(*simulation)
		rings []string
	}{
		{"all is well", nil, func(s *simulation) {
			for range 4 {
				s.token()
				s.signIn()
				s.replay()
				s.wait(5)
			}
		}, nil},
		{"Hasura refuses user rows for five minutes", nil, func(s *simulation) {
			s.set(s.stack.Hasura, refuses)
			s.signIn()
			s.wait(4)
			s.set(s.stack.Hasura, stack.Fault{})
			s.signIn()
			s.replay()
			s.wait(16)
		}, nil},
		{"Hasura is down for ten minutes", nil, func(s *simulation) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			s.wait(5)
			s.signIn()
			s.wait(5)
			s.set(s.stack.Hasura, stack.Fault{})
			s.replay()
			s.wait(10)
		}, []string{"ParkedAlarm"}},
		{"Hasura refuses a parked sync for a quarter of an hour, and no other user signs in", nil, func(s *simulation) {
			s.set(s.stack.Hasura, refuses)
			s.signIn()
			for range 5 {
				s.replay() // received more than three times
				s.wait(3)
			}
		}, []string{"ParkedSyncsAgeAlarm"}},
		{"a parked sync becomes a dead letter", nil, func(s *simulation) {
			s.set(s.stack.Hasura, refuses)
			s.signIn()
			for range 3 {
				s.replay()
				s.wait(3)
			}
			s.wait(1)
		}, []string{"ParkedSyncsDeadLettersAlarm"}},
		{"neither Hasura nor the queue can be reached", nil, func(s *simulation) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.set(s.stack.SQS, stack.Refuse)
			s.signIn()
			s.set(s.stack.SQS, stack.Fault{})
			s.wait(5)
		}, []string{"UnsyncedAlarm"}},
		{"a user cannot be written at all", nil, func(s *simulation) {
			s.call("HasuraCognitoSyncUsers", s.event("post-confirmation-no-sub"))
			s.wait(5)
		}, []string{"UnsyncedAlarm"}},
		{"Hasura refuses user rows, so sign-ins are refused", map[string]string{"SYNC_ON_FAILURE": "refuse"}, func(s *simulation) {
			s.set(s.stack.Hasura, refuses)
			s.signIn()
			s.wait(5)
		}, []string{"RefusedAlarm", "SyncErrorsAlarm"}},
		{"a setting of the claims function is invalid", map[string]string{"ROLES": "admins"}, func(s *simulation) {
			s.token()
			s.wait(5)
		}, []string{"MisconfiguredAlarm"}},
		{"a setting of the sync function is invalid", map[string]string{"SYNC_BUDGET": "9s"}, func(s *simulation) {
			s.signIn()
			s.wait(5)
		}, []string{"MisconfiguredAlarm"}},
		{"a setting of the replay function is invalid", nil, func(s *simulation) {
			s.set(s.stack.Hasura, refuses)
			s.signIn()
			s.wait(1)
			s.env = map[string]string{"HASURA_ROLE": "rôle"}
			s.replay()
			s.wait(4)
		}, []string{"MisconfiguredAlarm"}},
		{"the secret cannot be read", nil, func(s *simulation) {
			s.set(s.stack.SecretsManager, stack.Refuse)
			s.signIn()
			s.wait(3)
			s.replay()
			s.wait(2)
		}, []string{"SecretAlarm"}},
		{"the secret cannot be read once", nil, func(s *simulation) {
			s.set(s.stack.SecretsManager, stack.Refuse)
			s.signIn()
			s.set(s.stack.SecretsManager, stack.Fault{})
			s.replay()
			s.wait(10)
		}, nil},
		{"the secret lacks the key", map[string]string{"SECRETS_KEY": "NONE"}, func(s *simulation) {
			s.signIn()
			s.wait(3)
			s.replay()
			s.wait(2)
		}, []string{"SecretAlarm"}},
		{"the replay function cannot read the secret", nil, func(s *simulation) {
			s.set(s.stack.Hasura, refuses)
			s.signIn()
			s.wait(1)
			s.set(s.stack.SecretsManager, stack.Refuse)
			s.replay()
			s.wait(3)
			s.replay()
			s.wait(1)
		}, []string{"SecretAlarm"}},
		{"Hasura is slow", map[string]string{"SYNC_BUDGET": "4.5s", "SYNC_QUEUE_URL": ""}, func(s *simulation) {
			s.set(s.stack.Hasura, stack.If(stack.Slow(1100*time.Millisecond), func(r *http.Request, _ []byte) bool { return r.Method == http.MethodPost }))
			for range 3 {
				s.signIn()
				s.wait(5)
			}
		}, []string{"SyncSlowAlarm"}},
		{"an event for the claims function is invalid", nil, func(s *simulation) {
			s.call("HasuraCognitoTrigger", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "TriggerErrorsAlarm"}},
		{"an event for the sync function is invalid", nil, func(s *simulation) {
			s.call("HasuraCognitoSyncUsers", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "SyncErrorsAlarm"}},
		{"the claims function panics", nil, func(s *simulation) {
			s.binaries = panics
			s.token()
			s.wait(5)
		}, []string{"FaultsAlarm"}},
		{"the sync function panics", nil, func(s *simulation) {
			s.binaries = panics
			s.signIn()
			s.wait(5)
		}, []string{"FaultsAlarm"}},
		{"the pool is reconciled every hour, and a change is followed", nil, func(s *simulation) {
			for range 4 {
				s.reconcile()
				s.follow("sign-up.json")
				s.wait(60)
			}
		}, nil},
		{"the schedule stops", nil, func(s *simulation) {
			s.reconcile()
			s.wait(180)
		}, []string{"ReconcileMissingAlarm"}},
		{"the reconcile function may not read the pool", nil, func(s *simulation) {
			s.set(s.cognito, denied)
			s.reconcile()
			s.wait(5)
		}, []string{"ReconcileFailedAlarm"}},
		{"the follow function may not read the pool", nil, func(s *simulation) {
			s.set(s.cognito, denied)
			s.follow("sign-up.json")
			s.wait(5)
		}, []string{"ReconcileFailedAlarm"}},
		{"the pool lists no user, but the table has an old row", nil, func(s *simulation) {
			const sub = "306c72e8-c0a1-7051-44d0-e8b19f6a2573"
			old := map[string]string{users.Sub.Name: sub, users.UserID.Name: sub, users.SyncTime.Name: "2026-01-02T03:04:05.000000+00:00"}
			if err := s.stack.Insert(s.t.Context(), old); err != nil {
				s.t.Fatal(err)
			}
			s.reconcile()
			s.wait(5)
		}, refused},
		{"a message for the reconcile function becomes a dead letter", nil, func(s *simulation) {
			s.send("ReconcileQueue", `{"version":2}`)
			for range 3 {
				s.deliver("ReconcileQueue", "HasuraCognitoReconcileUsers")
				s.wait(3)
			}
			s.wait(1)
		}, []string{"ReconcileDeadLettersAlarm", "ReconcileFailedAlarm"}},
		{"a change for the follow function becomes a dead letter", nil, func(s *simulation) {
			s.set(s.cognito, denied)
			s.follow("sign-up.json")
			for range 2 {
				s.wait(3)
				s.deliver("FollowQueue", "HasuraCognitoFollowUsers")
			}
			s.wait(4)
		}, []string{"ReconcileDeadLettersAlarm", "ReconcileFailedAlarm"}},
		{"a setting of the reconcile function is invalid", map[string]string{"RECONCILE_MAX_GONE": "5"}, func(s *simulation) {
			s.call("HasuraCognitoReconcileUsers", "{}")
			s.wait(5)
		}, []string{"MisconfiguredAlarm"}},
		{"a setting of the follow function is invalid", map[string]string{"RECONCILE_ON_DELETE": "delete"}, func(s *simulation) {
			s.call("HasuraCognitoFollowUsers", "{}")
			s.wait(5)
		}, []string{"MisconfiguredAlarm"}},
		{"the new version of the claims function fails", nil, func(s *simulation) {
			s.canary = true
			s.call("HasuraCognitoTrigger", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "TriggerErrorsAlarm", "TriggerVersionErrorsAlarm"}},
		{"the new version of the sync function fails", nil, func(s *simulation) {
			s.canary = true
			s.call("HasuraCognitoSyncUsers", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "SyncErrorsAlarm", "SyncVersionErrorsAlarm"}},
		{"the claims function has too little concurrency", nil, func(s *simulation) {
			s.throttle("HasuraCognitoTrigger", s.event("pre-token-generation-v2-authentication"))
			s.wait(5)
		}, []string{"TriggerThrottlesAlarm"}},
		{"the sync function has too little concurrency", nil, func(s *simulation) {
			s.throttle("HasuraCognitoSyncUsers", s.event("post-authentication"))
			s.wait(5)
		}, []string{"SyncThrottlesAlarm"}},
	}
	caused := map[string]bool{"ReconcileRefusedAlarm": refused == nil}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			config := stack.Config{Functions: built, Project: os.DirFS("graphql"), Queue: queues.Queue{Visibility: 3 * time.Minute}}
			if slices.Contains(row.rings, "ParkedSyncsDeadLettersAlarm") {
				config.Queue.MaxReceive = 2
			}
			s := &simulation{t: t, template: template, filters: template.filters(t), alarms: template.alarms(t), binaries: built, env: row.env,
				logs: map[string]*bytes.Buffer{}, start: time.Now().Truncate(time.Hour), rang: map[string]bool{}}
			var err error
			if s.stack, err = stack.Start(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			s.stack.Queues.Now = s.now
			mapping := s.stack.Mapping()
			s.sqs = mapping.SQS
			s.urls = map[string]string{"ParkedSyncs": mapping.QueueURL, "ParkedSyncsDeadLetters": mapping.QueueURL + "-dead-letters"}
			for id, name := range map[string]string{"ReconcileDeadLetters": "", "ReconcileQueue": "ReconcileDeadLetters", "FollowQueue": "ReconcileDeadLetters"} {
				s.urls[id] = s.stack.SQS.URL + s.stack.Queues.Create(queues.Queue{Name: id, DeadLetters: name, MaxReceive: 2, Visibility: 3 * time.Minute})
			}
			if s.cognito, err = stack.NewFront(&cognitoidp.Server{Pool: cognitoidp.Object{"Id": stack.PoolID}, Users: new(cognitoidp.Users)}); err != nil {
				t.Fatal(err)
			}
			row.run(s)
			if err := s.cognito.Close(); err != nil {
				t.Error(err)
			}
			if err := s.stack.Close(); err != nil {
				t.Error(err)
			}
			if got := slices.Sorted(maps.Keys(s.rang)); !slices.Equal(got, row.rings) {
				t.Errorf("%v ring, want %v\nlogs: %s", got, row.rings, s.logs)
			}
			for _, id := range row.rings {
				caused[id] = true
			}
		})
	}
	for id := range template.alarms(t) {
		if !caused[id] {
			t.Errorf("no row makes %s ring", id)
		}
	}
}
