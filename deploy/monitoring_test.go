package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
	queues "github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

const namespace = "HasuraCognito/${Prefix}"

// A metricFilter counts log lines of a function.
type metricFilter struct {
	function     string // logical id
	name, value  string
	dimension    string // "" for none
	field        string // of the log line that the pattern looks at
	operator     string
	operand      string // * for any value
	namespace    string
	defaultValue any
}

func (t template) filters(test *testing.T) (all []metricFilter) {
	test.Helper()
	pattern := regexp.MustCompile(`^\{ \$\.(\w+) (=|>=) (\*|"[^"]*"|\d+) \}$`)
	for id, r := range t.Resources {
		if r.Type != "AWS::Logs::MetricFilter" {
			continue
		}
		parts := pattern.FindStringSubmatch(fmt.Sprint(r.Properties["FilterPattern"]))
		if parts == nil {
			test.Fatalf("%s has the pattern %v, which this test does not understand", id, r.Properties["FilterPattern"])
		}
		transformation := r.Properties["MetricTransformations"].([]any)[0]
		f := metricFilter{
			function: strings.TrimSuffix(fmt.Sprint(r.Properties["LogGroupName"]), "Logs"),
			field:    parts[1], operator: parts[2], operand: strings.Trim(parts[3], `"`),
			namespace: fmt.Sprint(at(transformation, "MetricNamespace")),
			name:      fmt.Sprint(at(transformation, "MetricName")), value: fmt.Sprint(at(transformation, "MetricValue")),
			defaultValue: at(transformation, "DefaultValue"),
		}
		if dimensions, ok := at(transformation, "Dimensions").([]any); ok {
			f.dimension = fmt.Sprint(at(dimensions[0], "Key"), "=", at(dimensions[0], "Value"))
		}
		all = append(all, f)
	}
	return all
}

// A datapoint is a value of a metric at a time.
type datapoint struct {
	metric string // namespace, name and dimensions
	at     time.Time
	value  float64
}

func metric(namespace, name any, dimensions ...string) string {
	slices.Sort(dimensions)
	return fmt.Sprint(namespace, " ", name, " ", strings.Join(dimensions, " "))
}

// count returns the datapoint that the filter makes of a log line, as CloudWatch Logs does.
func (f metricFilter) count(line []byte, at time.Time) (datapoint, bool) {
	var fields map[string]any
	if json.Unmarshal(line, &fields) != nil || fields[f.field] == nil {
		return datapoint{}, false // a pattern for JSON matches no other text
	}
	number, isNumber := fields[f.field].(float64)
	operand, _ := strconv.ParseFloat(f.operand, 64)
	if matches := f.operand == "*" || f.operator == "=" && fields[f.field] == f.operand || f.operator == ">=" && isNumber && number >= operand; !matches {
		return datapoint{}, false
	}
	value, err := strconv.ParseFloat(f.value, 64)
	if field, ok := strings.CutPrefix(f.value, "$."); ok {
		value, ok = fields[field].(float64)
		if !ok {
			return datapoint{}, false
		}
	} else if err != nil {
		return datapoint{}, false
	}
	if f.dimension == "" {
		return datapoint{metric(f.namespace, f.name), at, value}, true
	}
	key, field, _ := strings.Cut(f.dimension, "=$.")
	return datapoint{metric(f.namespace, f.name, fmt.Sprint(key, "=", fields[field])), at, value}, true
}

// An alarm rings if enough of its last periods are over its threshold. Its metrics are added up.
type alarm struct {
	metrics            []string
	statistic          string
	period             time.Duration
	periods, datapoint int
	threshold          float64
}

func (t template) alarms(test *testing.T) map[string]alarm {
	test.Helper()
	all := map[string]alarm{}
	for id, r := range t.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		p := r.Properties
		number := func(value any) float64 { n, _ := value.(float64); return n }
		a := alarm{periods: int(number(p["EvaluationPeriods"])), datapoint: int(number(p["DatapointsToAlarm"])), threshold: number(p["Threshold"])}
		if a.datapoint == 0 {
			a.datapoint = a.periods
		}
		add := func(m any, statistic, period any) {
			var dimensions []string
			list, _ := at(m, "Dimensions").([]any)
			for _, d := range list {
				dimensions = append(dimensions, fmt.Sprint(at(d, "Name"), "=", at(d, "Value")))
			}
			a.metrics = append(a.metrics, metric(at(m, "Namespace"), at(m, "MetricName"), dimensions...))
			a.statistic, a.period = fmt.Sprint(statistic), time.Duration(number(period))*time.Second
		}
		if list, ok := p["Metrics"].([]any); ok {
			for _, m := range list {
				switch stat := at(m, "MetricStat"); {
				case stat != "":
					add(at(stat, "Metric"), at(stat, "Stat"), at(stat, "Period"))
				case at(m, "Expression") != "SUM(METRICS())":
					test.Fatalf("%s has the expression %v, which this test does not understand", id, at(m, "Expression"))
				}
			}
		} else {
			statistic := p["Statistic"]
			if statistic == nil {
				statistic = p["ExtendedStatistic"]
			}
			add(p, statistic, p["Period"])
		}
		if p["ComparisonOperator"] != "GreaterThanThreshold" || p["TreatMissingData"] != "notBreaching" || p["AlarmActions"] == nil || a.period == 0 {
			test.Fatalf("%s has properties that this test does not understand: %v", id, p)
		}
		all[id] = a
	}
	return all
}

// rings evaluates the alarm at the end of a period. A period without a datapoint is within the threshold.
func (a alarm) rings(data []datapoint, end time.Time) bool {
	over := 0
	for n := range a.periods {
		to := end.Add(-time.Duration(n) * a.period)
		sum := 0.0
		for _, m := range a.metrics {
			var values []float64
			for _, d := range data {
				if d.metric == m && !d.at.Before(to.Add(-a.period)) && d.at.Before(to) {
					values = append(values, d.value)
				}
			}
			sum += statistic(a.statistic, values)
		}
		if sum > a.threshold {
			over++
		}
	}
	return over >= a.datapoint
}

func statistic(name string, values []float64) (result float64) {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	switch name {
	case "Maximum":
		return values[len(values)-1]
	case "p99":
		return values[int(math.Ceil(0.99*float64(len(values))))-1]
	case "Sum":
		for _, v := range values {
			result += v
		}
		return result
	}
	panic("unknown statistic " + name)
}

// A scene runs the built functions while a clock of its own counts the minutes. It collects what CloudWatch would see.
type scene struct {
	t        *testing.T
	template template
	filters  []metricFilter
	alarms   map[string]alarm
	stack    *stack.Stack
	sqs      *sqs.Client
	urls     map[string]string // of the queues, by logical id

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

func (s *scene) now() time.Time { return s.start.Add(time.Duration(s.minutes.Load()) * time.Minute) }

func (s *scene) record(value float64, namespace, name string, dimensions ...string) {
	s.data = append(s.data, datapoint{metric(namespace, name, dimensions...), s.now(), value})
}

// functions starts the functions. Their execution environments last until the next wait.
func (s *scene) functions() *lambda.Service {
	if s.service != nil {
		return s.service
	}
	var all []lambda.Function
	for id, name := range functions {
		f := s.stack.Function(name)
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
func (s *scene) call(id, event string) {
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

func (s *scene) event(name string) string {
	return string(readFile(s.t, filepath.Join("events", name+".json")))
}

func (s *scene) signIn() { s.call("HasuraCognitoSyncUsers", s.event("post-authentication")) }

func (s *scene) token() { s.call("HasuraCognitoTrigger", s.event("pre-token-generation-v2-authentication")) }

// throttle calls a function while its only execution environment starts.
func (s *scene) throttle(id, event string) {
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

// replay gives every message that is visible to the replay function once.
func (s *scene) replay() {
	s.t.Helper()
	mapping := s.stack.Mapping()
	mapping.Service = s.functions()
	ctx, stop := context.WithCancel(s.t.Context())
	done := make(chan error, 1)
	go func() { done <- mapping.Run(ctx) }()
	for visible, _ := s.queued("ParkedSyncs"); visible > 0; visible, _ = s.queued("ParkedSyncs") {
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		s.t.Fatal(err)
	}
}

// queued returns how many messages of a queue are visible and how many are in flight.
func (s *scene) queued(id string) (visible, inFlight float64) {
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
func (s *scene) wait(minutes int) {
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

func (s *scene) set(front *stack.Front, fault stack.Fault) {
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
	rows := []struct {
		name  string
		env   map[string]string
		run   func(*scene)
		rings []string
	}{
		{"all is well", nil, func(s *scene) {
			for range 4 {
				s.token()
				s.signIn()
				s.replay()
				s.wait(5)
			}
		}, nil},
		{"Hasura is down for five minutes", nil, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			s.wait(4)
			s.set(s.stack.Hasura, stack.Fault{})
			s.signIn()
			s.replay()
			s.wait(16)
		}, nil},
		{"Hasura is down for ten minutes", nil, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			s.wait(5)
			s.signIn()
			s.wait(5)
			s.set(s.stack.Hasura, stack.Fault{})
			s.replay()
			s.wait(10)
		}, []string{"ParkedAlarm"}},
		{"Hasura refuses a parked sync for a quarter of an hour, and no other user signs in", nil, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			for range 5 {
				s.replay() // received more than three times
				s.wait(3)
			}
		}, []string{"ParkedSyncsAgeAlarm"}},
		{"a parked sync becomes a dead letter", nil, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			for range 3 {
				s.replay()
				s.wait(3)
			}
			s.wait(1)
		}, []string{"ParkedSyncsDeadLettersAlarm"}},
		{"neither Hasura nor the queue can be reached", nil, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.set(s.stack.SQS, stack.Refuse)
			s.signIn()
			s.set(s.stack.SQS, stack.Fault{})
			s.wait(5)
		}, []string{"UnsyncedAlarm"}},
		{"a user cannot be written at all", nil, func(s *scene) {
			s.call("HasuraCognitoSyncUsers", s.event("post-confirmation-sub-not-uuid"))
			s.wait(5)
		}, []string{"UnsyncedAlarm"}},
		{"Hasura is down and sign-ins are refused", map[string]string{"SYNC_ON_FAILURE": "refuse"}, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			s.wait(5)
		}, []string{"RefusedAlarm", "SyncErrorsAlarm"}},
		{"a setting of the claims function is invalid", map[string]string{"ROLES": "admins"}, func(s *scene) {
			s.token()
			s.wait(5)
		}, []string{"MisconfiguredAlarm"}},
		{"a setting of the sync function is invalid", map[string]string{"SYNC_BUDGET": "9s"}, func(s *scene) {
			s.signIn()
			s.wait(5)
		}, []string{"MisconfiguredAlarm"}},
		{"a setting of the replay function is invalid", nil, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			s.wait(1)
			s.env = map[string]string{"HASURA_ROLE": "rôle"}
			s.replay()
			s.wait(4)
		}, []string{"MisconfiguredAlarm"}},
		{"the secret cannot be read", nil, func(s *scene) {
			s.set(s.stack.SecretsManager, stack.Refuse)
			s.signIn()
			s.wait(5)
		}, []string{"SecretAlarm"}},
		{"the replay function cannot read the secret", nil, func(s *scene) {
			s.set(s.stack.Hasura, stack.Refuse)
			s.signIn()
			s.wait(1)
			s.set(s.stack.SecretsManager, stack.Refuse)
			s.replay()
			s.wait(4)
		}, []string{"SecretAlarm"}},
		{"Hasura is slow", map[string]string{"SYNC_BUDGET": "4.5s", "SYNC_QUEUE_URL": ""}, func(s *scene) {
			s.set(s.stack.Hasura, stack.If(stack.Slow(1100*time.Millisecond), func(r *http.Request, _ []byte) bool { return r.Method == http.MethodPost }))
			for range 3 {
				s.signIn()
				s.wait(5)
			}
		}, []string{"SyncSlowAlarm"}},
		{"an event for the claims function is invalid", nil, func(s *scene) {
			s.call("HasuraCognitoTrigger", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "TriggerErrorsAlarm"}},
		{"an event for the sync function is invalid", nil, func(s *scene) {
			s.call("HasuraCognitoSyncUsers", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "SyncErrorsAlarm"}},
		{"the claims function panics", nil, func(s *scene) {
			s.binaries = panics
			s.token()
			s.wait(5)
		}, []string{"FaultsAlarm"}},
		{"the sync function panics", nil, func(s *scene) {
			s.binaries = panics
			s.signIn()
			s.wait(5)
		}, []string{"FaultsAlarm"}},
		{"the new version of the claims function fails", nil, func(s *scene) {
			s.canary = true
			s.call("HasuraCognitoTrigger", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "TriggerErrorsAlarm", "TriggerVersionErrorsAlarm"}},
		{"the new version of the sync function fails", nil, func(s *scene) {
			s.canary = true
			s.call("HasuraCognitoSyncUsers", invalid)
			s.wait(5)
		}, []string{"FaultsAlarm", "SyncErrorsAlarm", "SyncVersionErrorsAlarm"}},
		{"the claims function has too little concurrency", nil, func(s *scene) {
			s.throttle("HasuraCognitoTrigger", s.event("pre-token-generation-v2-authentication"))
			s.wait(5)
		}, []string{"TriggerThrottlesAlarm"}},
		{"the sync function has too little concurrency", nil, func(s *scene) {
			s.throttle("HasuraCognitoSyncUsers", s.event("post-authentication"))
			s.wait(5)
		}, []string{"SyncThrottlesAlarm"}},
	}
	caused := map[string]bool{}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			config := stack.Config{Functions: built, Project: os.DirFS("graphql"), Queue: queues.Queue{Visibility: 3 * time.Minute}}
			if slices.Contains(row.rings, "ParkedSyncsDeadLettersAlarm") {
				config.Queue.MaxReceive = 2
			}
			s := &scene{t: t, template: template, filters: template.filters(t), alarms: template.alarms(t), binaries: built, env: row.env,
				logs: map[string]*bytes.Buffer{}, start: time.Now().Truncate(time.Hour), rang: map[string]bool{}}
			var err error
			if s.stack, err = stack.Start(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			s.stack.Queues.Now = s.now
			mapping := s.stack.Mapping()
			s.sqs = mapping.SQS
			s.urls = map[string]string{"ParkedSyncs": mapping.QueueURL, "ParkedSyncsDeadLetters": mapping.QueueURL + "-dead-letters"}
			row.run(s)
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

// logged returns the messages that the Go code in a folder logs, and whether it logs them as errors. fields are the names
// of attributes.
func logged(t *testing.T, folder string) (messages map[string]bool, fields []string) {
	t.Helper()
	messages = map[string]bool{}
	method := regexp.MustCompile(`^(Info|Warn|Error)(Context)?$`)
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			var texts []string
			for _, arg := range call.Args {
				if literal, ok := arg.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					text, _ := strconv.Unquote(literal.Value)
					texts = append(texts, text)
				}
			}
			if method.MatchString(f.Sel.Name) && len(texts) > 0 {
				messages[texts[0]] = messages[texts[0]] || strings.HasPrefix(f.Sel.Name, "Error")
				texts = texts[1:]
			}
			fields = append(fields, texts...)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages, fields
}

// An alarm on a message that the code does not log never rings. An error that no alarm names is never noticed.
func TestAlarmsAndDashboardNameWhatTheCodeLogs(t *testing.T) {
	template := readTemplate(t)
	shared, sharedFields := logged(t, "pkg")
	messages := map[string]map[string]bool{} // by metric name
	for _, f := range template.filters(t) {
		own, fields := logged(t, filepath.Join("functions", functions[f.function]))
		messages[f.name] = maps.Clone(shared)
		maps.Copy(messages[f.name], own)
		for _, field := range []string{f.field, strings.TrimPrefix(f.value, "$.")} {
			if field != "message" && field != "1" && !slices.Contains(slices.Concat(fields, sharedFields), field) {
				t.Errorf("%s reads the field %s, which %s does not log", f.name, field, f.function)
			}
		}
		if f.namespace != namespace || f.dimension != "" && f.defaultValue != "" {
			t.Errorf("%s: CloudWatch refuses a default value beside dimensions, and the namespace is %s", f.name, f.namespace)
		}
	}
	named := map[string]bool{}
	check := func(where, metric, outcome string) {
		t.Helper()
		known, counted := messages[metric]
		if _, ok := known[outcome]; !counted || outcome != "" && !ok {
			t.Errorf("%s has the metric %s with the outcome %q, which nothing logs", where, metric, outcome)
		}
	}
	ours := regexp.MustCompile(`^` + regexp.QuoteMeta(namespace) + ` (\w+) (?:outcome=(.*))?$`)
	for id, a := range template.alarms(t) {
		for _, m := range a.metrics {
			if parts := ours.FindStringSubmatch(m); parts != nil {
				check(id, parts[1], parts[2])
				named[parts[2]] = true
			}
		}
	}
	for _, own := range messages {
		for message, isError := range own {
			if isError && !named[message] {
				t.Errorf("%q is logged as an error, and no alarm names it", message)
			}
		}
	}

	var dashboard struct {
		Widgets []struct {
			Properties struct{ Metrics [][]any }
		}
	}
	body := strings.ReplaceAll(fmt.Sprint(template.Resources["Dashboard"].Properties["DashboardBody"]), "${!", "${")
	parse(t, []byte(body), &dashboard)
	search := regexp.MustCompile(`^SEARCH\('\{"` + regexp.QuoteMeta(namespace) + `",outcome\} MetricName="(\w+)"', 'Sum', 300\)$`)
	for _, widget := range dashboard.Widgets {
		for _, m := range widget.Properties.Metrics {
			switch expression := at(m[0], "expression"); {
			case expression != "":
				if parts := search.FindStringSubmatch(fmt.Sprint(expression)); parts == nil {
					t.Errorf("the dashboard searches for %v", expression)
				} else {
					check("the dashboard", parts[1], "")
				}
			case m[0] == namespace && m[2] == "outcome":
				check("the dashboard", fmt.Sprint(m[1]), fmt.Sprint(m[3]))
			case m[0] == namespace:
				check("the dashboard", fmt.Sprint(m[1]), "")
			}
		}
	}
	if len(dashboard.Widgets) == 0 || len(named) == 0 {
		t.Error("there is no dashboard, or no alarm on an outcome")
	}
}
