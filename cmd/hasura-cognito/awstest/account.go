// Package awstest is a stand-in for the AWS account that the commands look at: Cognito, Lambda, SQS, CloudWatch, Secrets
// Manager, EventBridge and CloudTrail behind one endpoint, for the SDK's own clients.
package awstest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

// An Object is a JSON object.
type Object = map[string]any

// An Account holds what its services return. Fill in the fields before Start.
type Account struct {
	Cognito   *cognitoidp.Server
	Secrets   http.Handler
	Functions map[string]Object // GetFunctionConfiguration, by ARN
	Policies  map[string]string // GetPolicy, by ARN
	Queues    map[string]Object // GetQueueAttributes, by name
	Alarms    []Object          // DescribeAlarms
	Age       float64           // ApproximateAgeOfOldestMessage of every queue; 0 means no data
	Sources   map[string]Object // ListEventSourceMappings, one for each function, by ARN
	Schedules map[string]Object // GetSchedule, by name
	Rules     map[string]*Rule  // by name
	Trails    []Trail
	Logs      map[string][]Line // by log group
	Denied    []string          // actions that end with AccessDenied

	LogRetention int // days that the log groups keep their lines; 0 means for ever

	mu      sync.Mutex
	regions []string
}

// Start serves the account and makes the SDK use it.
func (a *Account) Start(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(a)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL":                           server.URL,
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": "",
		"AWS_ACCESS_KEY_ID":                          "test",
		"AWS_SECRET_ACCESS_KEY":                      "test",
		"AWS_SESSION_TOKEN":                          "",
		"AWS_PROFILE":                                "",
		"AWS_REGION":                                 "",
		"AWS_MAX_ATTEMPTS":                           "2",
	} {
		t.Setenv(name, value)
	}
}

// Regions returns the Regions for which requests were signed, each once.
func (a *Account) Regions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	slices.Sort(a.regions)
	return slices.Compact(slices.Clone(a.regions))
}

func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if region := region(r); region != "" {
		a.mu.Lock()
		a.regions = append(a.regions, region)
		a.mu.Unlock()
	}
	service, action, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	switch {
	case service == "AmazonSQS":
		a.sqs(w, r, action)
	case service == "secretsmanager":
		a.Secrets.ServeHTTP(w, r)
	case service == "AWSEvents":
		a.eventBridge(w, r, action)
	case service == "CloudTrail_20131101":
		a.cloudTrail(w, r, action)
	case service == "Logs_20140328":
		a.logs(w, r, action)
	case service != "":
		a.Cognito.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, "/2015-03-31/functions/"):
		a.lambda(w, r)
	case r.URL.Path == "/2015-03-31/event-source-mappings":
		a.sources(w, r)
	case strings.HasPrefix(r.URL.Path, "/schedules/"):
		schedule, found := a.Schedules[path.Base(r.URL.Path)]
		a.answer(w, "GetSchedule", schedule, found)
	default:
		a.cloudWatch(w, r)
	}
}

// region returns the Region for which a request is signed, "" without one.
func region(r *http.Request) string {
	if scope := strings.Split(r.Header.Get("Authorization"), "/"); len(scope) > 2 {
		return scope[2]
	}
	return ""
}

func (a *Account) denies(action string) bool { return slices.Contains(a.Denied, action) }

func (a *Account) lambda(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	arn, action := part[2], "GetFunctionConfiguration"
	if q := r.URL.Query().Get("Qualifier"); q != "" {
		arn += ":" + q
	}
	function, found := a.Functions[arn]
	answer := Object(function)
	if part[3] == "policy" {
		action = "GetPolicy"
		var policy string
		policy, found = a.Policies[arn]
		answer = Object{"Policy": policy}
	}
	a.answer(w, action, answer, found)
}

// sources answers ListEventSourceMappings.
func (a *Account) sources(w http.ResponseWriter, r *http.Request) {
	list := []Object{}
	if source, found := a.Sources[r.URL.Query().Get("FunctionName")]; found {
		list = append(list, source)
	}
	a.answer(w, "ListEventSourceMappings", Object{"EventSourceMappings": list}, true)
}

// answer writes an answer in JSON, or the error that there is no such thing.
func (a *Account) answer(w http.ResponseWriter, action string, answer Object, found bool) {
	w.Header().Set("Content-Type", "application/json")
	switch {
	case a.denies(action):
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(http.StatusForbidden)
		answer = Object{"Message": "denied"}
	case !found:
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		answer = Object{"Message": "not found"}
	}
	json.NewEncoder(w).Encode(answer)
}

func (a *Account) sqs(w http.ResponseWriter, r *http.Request, action string) {
	var in struct {
		QueueURL  string `json:"QueueUrl"`
		QueueName string
	}
	json.NewDecoder(r.Body).Decode(&in)
	name := in.QueueName + in.QueueURL[strings.LastIndex(in.QueueURL, "/")+1:]
	attributes, found := a.Queues[name]
	answer := Object{"Attributes": attributes, "QueueUrl": "http://" + r.Host + "/123456789012/" + name}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	switch {
	case a.denies(action):
		w.WriteHeader(http.StatusForbidden)
		answer = Object{"__type": "com.amazon.coral.service#AccessDeniedException", "message": "denied"}
	case !found:
		w.WriteHeader(http.StatusBadRequest)
		answer = Object{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "The specified queue does not exist."}
	}
	json.NewEncoder(w).Encode(answer)
}
