package lambda_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

func TestEnvironmentVariables(t *testing.T) {
	t.Setenv("OF_THE_SHELL", "must not be inherited")
	f := function(t, "OWN=1", "TZ=:Europe/Vienna")
	f.Memory = 256
	r := invoke(t, start(t, f), `{"do":"environ"}`)
	var list []string
	if err := json.Unmarshal(r.Payload, &list); err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, e := range list {
		name, value, _ := strings.Cut(e, "=")
		got[name] = value
	}
	want := map[string]string{
		"_HANDLER": "bootstrap", "LAMBDA_TASK_ROOT": filepath.Dir(binary), "LAMBDA_RUNTIME_DIR": "/var/runtime",
		"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
		"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
		"AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand", "AWS_LAMBDA_LOG_FORMAT": "JSON", "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
		"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "local",
		"LANG": "en_US.UTF-8", "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"TZ": ":Europe/Vienna", "OWN": "1", "GOCOVERDIR": f.Env["GOCOVERDIR"],
	}
	for _, varies := range []string{"AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME", "_X_AMZN_TRACE_ID"} {
		if got[varies] == "" {
			t.Errorf("%s is not set", varies)
		}
		delete(got, varies)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
}

func TestContext(t *testing.T) {
	r := invoke(t, start(t, function(t)), `{"do":"context"}`)
	var got struct {
		ID, ARN, Cwd, Header string
		Left                 int
	}
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != r.RequestID || got.ARN != "arn:aws:lambda:us-east-1:123456789012:function:f" || !strings.HasPrefix(got.Header, "Root=1-") {
		t.Errorf("context = %+v, want the request id %s, the function's ARN and a trace id", got, r.RequestID)
	}
	if got.Left <= 0 || got.Left > 20_000 {
		t.Errorf("time left = %d ms, want up to the timeout of 20,000", got.Left)
	}
	if want := filepath.Dir(binary); got.Cwd != want {
		t.Errorf("working directory = %s, want the task root %s", got.Cwd, want)
	}
}

func TestInvalidFunctions(t *testing.T) {
	_, err := lambda.Start(lambda.Function{Path: binary, Env: map[string]string{"AWS_REGION": "eu-west-1", "_HANDLER": "x"}})
	want := "a function needs a name\nAWS_REGION is reserved by Lambda\n_HANDLER is reserved by Lambda"
	if err == nil || err.Error() != want {
		t.Errorf("error = %v, want %s", err, want)
	}
	_, err = lambda.Start(lambda.Function{Name: "f", Path: "testdata/absent"})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error without a binary = %v, want os.ErrNotExist", err)
	}
}
