package lambda_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

func service(t testing.TB, functions ...lambda.Function) (*lambda.Service, *httptest.Server) {
	t.Helper()
	s, err := lambda.NewService(functions...)
	if err != nil {
		t.Fatalf("NewService: %v", err)
	}
	server := httptest.NewServer(s)
	t.Cleanup(func() {
		s.Close()
		server.Close()
	})
	return s, server
}

func post(t testing.TB, url, name, body string) (*http.Response, string) {
	t.Helper()
	resp, err := http.Post(url+"/2015-03-31/functions/"+name+"/invocations", "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	payload, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(payload)
}

func TestInvokeAPI(t *testing.T) {
	_, server := service(t, function(t))
	rows := []struct {
		name, function, event string
		status                int
		body                  string
		functionError, kind   string // headers
	}{
		{name: "by name", function: "f", event: `{"do":"echo"}`, status: 200, body: `{"do":"echo","millis":0,"bytes":0}`},
		{name: "by name and qualifier", function: "f:$LATEST", event: `{"do":"echo"}`, status: 200, body: `{"do":"echo","millis":0,"bytes":0}`},
		{name: "by ARN", function: "arn:aws:lambda:us-east-1:123456789012:function:f", event: `{"do":"echo"}`, status: 200, body: `{"do":"echo","millis":0,"bytes":0}`},
		{name: "an error of the function", function: "f", event: `{"do":"error"}`, status: 200,
			functionError: "Unhandled", body: `{"errorMessage":"said the handler","errorType":"errorString"}`},
		{name: "an unknown function", function: "g", event: `{}`, status: 404, kind: "ResourceNotFoundException",
			body: `{"Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:g","Type":"User"}` + "\n"},
		{name: "an event that is not JSON", function: "f", event: `{`, status: 400, kind: "InvalidRequestContentException",
			body: `{"Message":"Could not parse request body into json","Type":"User"}` + "\n"},
		{name: "an event that is too large", function: "f", event: strings.Repeat(" ", 6_291_557), status: 413, kind: "RequestTooLargeException",
			body: `{"Message":"the event is larger than Lambda allows","Type":"User"}` + "\n"},
	}
	for _, row := range rows {
		resp, body := post(t, server.URL, row.function, row.event)
		if resp.StatusCode != row.status || body != row.body {
			t.Errorf("%s: answer = %d %s, want %d %s", row.name, resp.StatusCode, body, row.status, row.body)
		}
		if got := resp.Header.Get("X-Amz-Function-Error"); got != row.functionError {
			t.Errorf("%s: X-Amz-Function-Error = %q, want %q", row.name, got, row.functionError)
		}
		if got := resp.Header.Get("X-Amzn-ErrorType"); got != row.kind {
			t.Errorf("%s: X-Amzn-ErrorType = %q, want %q", row.name, got, row.kind)
		}
	}
}

func TestGetFunctionConfiguration(t *testing.T) {
	f := function(t)
	f.Env = map[string]string{"A": "1"}
	_, server := service(t, f)
	for name, want := range map[string]string{
		"arn:aws:lambda:us-east-1:123456789012:function:f:live": `{"Environment":{"Variables":{"A":"1"}},"FunctionName":"f"}`,
		"g": `{"Message":"Function not found: arn:aws:lambda:us-east-1:123456789012:function:g","Type":"User"}`,
	} {
		resp, err := http.Get(server.URL + "/2015-03-31/functions/" + name + "/configuration")
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || strings.TrimSpace(string(body)) != want {
			t.Errorf("%s: answer = %s, %v, want %s", name, body, err, want)
		}
	}
}

func TestConcurrentCalls(t *testing.T) {
	s, _ := service(t, function(t))
	const calls = 8
	for range 2 { // the second round finds them idle
		var running sync.WaitGroup
		for i := range calls {
			running.Go(func() {
				event := fmt.Sprintf(`{"do":"sleep","millis":400,"bytes":%d}`, i)
				r, err := s.Invoke(t.Context(), "f", []byte(event))
				if err != nil || string(r.Payload) != fmt.Sprintf(`{"do":"sleep","millis":400,"bytes":%d}`, i) {
					t.Errorf("call %d = %s, %v, want its own answer", i, r.Payload, err)
				}
			})
		}
		running.Wait()
	}
	if got := s.Environments("f"); got < 2 || got > calls {
		t.Errorf("%d calls at once ran in %d environments", calls, got)
	}
	if got := s.Environments("g"); got != 0 {
		t.Errorf("an unknown function has %d environments", got)
	}
}

func TestReservedConcurrency(t *testing.T) {
	t.Parallel()
	f := function(t)
	f.Concurrency = 1
	began := make(chan struct{})
	f.Stdout = writerFunc(func([]byte) { close(began) })
	s, server := service(t, f)
	var running sync.WaitGroup
	running.Go(func() {
		// It ends when the service is closed.
		if r, err := s.Invoke(t.Context(), "f", []byte(`{"do":"sleep","millis":60000}`)); err != nil || r.FunctionError == "" {
			t.Errorf("the call that was running at Close = %+v, %v, want a failure", r, err)
		}
	})
	<-began
	if resp, body := post(t, server.URL, "f", `{}`); resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("X-Amzn-ErrorType") != "TooManyRequestsException" {
		t.Errorf("second call = %d %s, want 429 TooManyRequestsException", resp.StatusCode, body)
	}
	s.Close()
	running.Wait()
	if _, err := s.Invoke(t.Context(), "f", []byte(`{}`)); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("error of a call after Close = %v, want ErrClosed", err)
	}
}

func TestNewServiceErrors(t *testing.T) {
	f := lambda.Function{Name: "f", Path: binary}
	if _, err := lambda.NewService(f, f); err == nil || err.Error() != `function "f": given twice` {
		t.Errorf("error = %v, want an error about the name", err)
	}
	if _, err := lambda.NewService(lambda.Function{}); err == nil || err.Error() != `function "": a function needs a name` {
		t.Errorf("error = %v, want an error about the missing name", err)
	}
}

// The call that runs keeps the old variables; the next one has the new ones.
func TestConfigure(t *testing.T) {
	f := function(t, "A=1")
	began := make(chan struct{}, 10)
	f.Stdout = writerFunc(func([]byte) { began <- struct{}{} })
	s, _ := service(t, f)
	variable := func() string {
		t.Helper()
		r, err := s.Invoke(t.Context(), "f", []byte(`{"do":"environ"}`))
		var environ []string
		if err != nil || json.Unmarshal(r.Payload, &environ) != nil {
			t.Fatalf("%s, %v", r.Payload, err)
		}
		for _, text := range environ {
			if value, ok := strings.CutPrefix(text, "A="); ok {
				return value
			}
		}
		return ""
	}
	var running sync.WaitGroup
	running.Go(func() {
		r, err := s.Invoke(t.Context(), "f", []byte(`{"do":"sleep","millis":500}`))
		if err != nil || r.FunctionError != "" {
			t.Errorf("the call that was running = %+v, %v", r, err)
		}
	})
	<-began // its process
	env := maps.Clone(f.Env)
	env["A"] = "2"
	if err := s.Configure("f", env); err != nil {
		t.Fatal(err)
	}
	if got := variable(); got != "2" {
		t.Errorf("A = %q afterwards, want 2", got)
	}
	running.Wait()
	if got := variable(); got != "2" {
		t.Errorf("A = %q after the old call, want 2", got)
	}
	if got := s.Environments("f"); got != 1 {
		t.Errorf("%d environments, want only the new one", got)
	}
	for name, env := range map[string]map[string]string{"g": nil, "f": {"AWS_REGION": "eu-west-1"}} {
		if err := s.Configure(name, env); err == nil {
			t.Errorf("Configure(%q, %v): no error", name, env)
		}
	}
	s.Close()
	if err := s.Configure("f", nil); !errors.Is(err, lambda.ErrClosed) {
		t.Errorf("error after Close = %v, want ErrClosed", err)
	}
}
