package pool

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/smithy-go/middleware"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
)

const poolID = "us-east-1_ExaMPle01"

func sub(n int) string { return fmt.Sprintf("%x%07x-0000-4000-8000-000000000000", n%16, n) }

// serve returns a pool over the real SDK client and a stand-in with n users.
func serve(t *testing.T, s *cognitoidp.Server, n int) *Pool {
	t.Helper()
	s.Pool = cognitoidp.Object{"Id": poolID, "EstimatedNumberOfUsers": n}
	if s.Users == nil {
		s.Users = new(cognitoidp.Users)
	}
	for i := range n {
		s.Users.Put(cognitoidp.User{Username: fmt.Sprint("u", i), Status: "CONFIRMED", Enabled: i%2 == 0,
			Attributes: map[string]string{"sub": sub(i), "email": fmt.Sprintf("u%d@example.com", i)}})
	}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": server.URL, "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "key",
		"AWS_CONFIG_FILE": "/nonexistent", "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent", "AWS_REGION": "",
	} {
		t.Setenv(name, value)
	}
	p, err := Open(t.Context(), poolID, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// listing returns the subs of a listing, and how often each was listed.
func listing(t *testing.T, p *Pool, prefix string) (map[string]int, error) {
	t.Helper()
	subs := make(map[string]int)
	err := p.List(t.Context(), prefix, func(page Page) error {
		if since := time.Since(page.At); since < 0 || since > time.Minute {
			t.Errorf("a page is from %v", page.At)
		}
		for _, u := range page.Users {
			subs[u.ID]++
		}
		return nil
	})
	return subs, err
}

// Whatever the pages look like, a listing that ends without an error has each user of its
// prefix, and no other.
func TestListIsComplete(t *testing.T) {
	const n = 700
	rows := []struct {
		name  string
		users *cognitoidp.Users
	}{
		{"full pages", &cognitoidp.Users{}},
		{"short and empty pages", &cognitoidp.Users{Short: true}},
		{"users on two pages", &cognitoidp.Users{Repeat: true}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := serve(t, &cognitoidp.Server{Users: row.users}, n)
			for _, prefix := range []string{"", "3", "30000", "ff"} {
				got, err := listing(t, p, prefix)
				var want []string
				for i := range n {
					if strings.HasPrefix(sub(i), prefix) {
						want = append(want, sub(i))
					}
				}
				slices.Sort(want)
				if err != nil || !slices.Equal(slices.Sorted(maps.Keys(got)), want) {
					t.Errorf("prefix %q: %d users, %v; want %d", prefix, len(got), err, len(want))
				}
			}
		})
	}
}

func TestListFails(t *testing.T) {
	calls := 0
	fail := func(exceptions ...string) func(string) string {
		calls = 0
		return func(string) string {
			if calls++; calls <= len(exceptions) {
				return exceptions[calls-1]
			}
			return ""
		}
	}
	throttled := slices.Repeat([]string{"TooManyRequestsException"}, 3)
	rows := []struct {
		name      string
		intercept []string
		code      string // "" means that the listing is complete
		calls     int
	}{
		{"throttling ends", throttled, "", 7},
		{"a server error ends", []string{"", "InternalErrorException"}, "", 5},
		{"the right is missing", []string{"NotAuthorizedException"}, "NotAuthorizedException", 1},
		{"a page fails for good", []string{"", "", "ResourceNotFoundException"}, "ResourceNotFoundException", 3},
		{"a token expires, then the listing begins again", []string{"", "InvalidParameterException"}, "", 6},
		{"each token expires", slices.Repeat([]string{"", "InvalidParameterException"}, 4), CodeTokenRefused, 8},
		{"the first request is refused", []string{"InvalidParameterException"}, "InvalidParameterException", 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := &cognitoidp.Server{}
			p := serve(t, s, 200) // four pages
			s.Intercept = fail(row.intercept...)
			got, err := listing(t, p, "")
			e, _ := errors.AsType[*Error](err)
			switch {
			case calls != row.calls:
				t.Errorf("%d requests, want %d", calls, row.calls)
			case row.code == "" && (err != nil || len(got) != 200):
				t.Errorf("%d users, %v; want all", len(got), err)
			case row.code != "" && (e == nil || e.Code != row.code || strings.Contains(e.Error(), "Intercept")):
				t.Errorf("got %v, want code %s", err, row.code)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	s := &cognitoidp.Server{}
	p := serve(t, s, 20)
	before := time.Now()
	u, found, at, err := p.Lookup(t.Context(), sub(6))
	if err != nil || !found || u.ID != sub(6) || u.Username != "u6" || !u.Enabled || u.Attributes["cognito:user_status"] != "CONFIRMED" ||
		u.Attributes["email"] != "u6@example.com" || at.Before(before) || u.IsUnconfirmed() {
		t.Errorf("%#v %v, found %t at %v: %v", u, u.Attributes, found, at, err)
	}
	if _, found, at, err := p.Lookup(t.Context(), sub(99)); err != nil || found || at.IsZero() {
		t.Errorf("a user who is not in the pool: found %t at %v, %v", found, at, err)
	}
	for _, text := range []string{"", `" or`, "ABC"} {
		if _, _, _, err := p.Lookup(t.Context(), text); err == nil {
			t.Errorf("%q is looked up", text)
		}
	}
	if users, err := p.Find(t.Context(), "u7@example.com"); err != nil || len(users) != 1 || users[0].ID != sub(7) {
		t.Errorf("found %v, %v", users, err)
	}
	if n, err := p.Estimate(t.Context()); err != nil || n != 20 {
		t.Errorf("about %d users, %v", n, err)
	}
	if slices.Contains(s.Calls(), "AdminGetUser") {
		t.Error("AdminGetUser was called")
	}
}

// A listing that does not end is no complete one.
func TestContextEnds(t *testing.T) {
	p := serve(t, &cognitoidp.Server{Users: &cognitoidp.Users{}}, 200)
	ctx, cancel := context.WithCancel(t.Context())
	pages := 0
	err := p.List(ctx, "", func(Page) error {
		if pages++; pages == 2 {
			cancel()
		}
		return nil
	})
	if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeTimeout || pages != 2 {
		t.Errorf("%d pages, %v", pages, err)
	}
	ended := errors.New("ended")
	if err := p.List(t.Context(), "", func(Page) error { return ended }); err != ended {
		t.Errorf("got %v, want the error of each", err)
	}
}

// latency answers each request of ListUsers after 150 ms with a full page, pages times for
// each filter.
type latency struct {
	pages int
	mu    sync.Mutex
	seen  map[string]int // by filter
	times []time.Time
}

func (l *latency) Do(request *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return nil, err
	}
	var in struct{ Filter string }
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	l.mu.Lock()
	l.times = append(l.times, time.Now())
	l.seen[in.Filter]++
	token := ""
	if l.seen[in.Filter] < l.pages {
		token = fmt.Sprintf(`"PaginationToken":"%d",`, l.seen[in.Filter])
	}
	l.mu.Unlock()
	time.Sleep(150 * time.Millisecond)
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{` + token + `"Users":[]}`))}, nil
}

// Parts that run side by side use the rate that they share, and no second has more.
func TestRateIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond, parts = 24, 16
		l := &latency{pages: 60, seen: make(map[string]int)}
		p := New(cognitoidentityprovider.New(cognitoidentityprovider.Options{
			Region: "us-east-1", HTTPClient: l, Retryer: aws.NopRetryer{}, Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
		}), poolID, perSecond)
		start := time.Now()
		var running sync.WaitGroup
		for i := range parts {
			running.Go(func() {
				if err := p.List(t.Context(), fmt.Sprintf("%x", i), func(Page) error { return nil }); err != nil {
					t.Error(err)
				}
			})
		}
		running.Wait()
		requests := len(l.times)
		if used := float64(requests) / time.Since(start).Seconds() / perSecond; requests != parts*l.pages || used < 0.95 {
			t.Errorf("%d requests in %v: %.0f %% of the rate, want 95 %%", requests, time.Since(start), 100*used)
		}
		for i := range l.times[perSecond+1:] {
			if d := l.times[i+perSecond+1].Sub(l.times[i]); d < time.Second {
				t.Fatalf("%d requests in %v", perSecond+2, d)
			}
		}
	})
}

// The decoder of this package gives what that of the SDK gives, also for errors.
func TestDecoderAgreesWithTheSDK(t *testing.T) {
	bodies := []struct {
		status int
		body   string
	}{
		{200, `{"PaginationToken":null,"Users":[{"Username":"é\"","Attributes":[{"Name":"sub","Value":"` + sub(1) + `"},{"Name":"name"},{"Name":"email","Value":null}],` +
			`"Enabled":true,"UserStatus":"CONFIRMED","UserCreateDate":1.7E9,"UserLastModifiedDate":1700000000.123,"MFAOptions":[{"DeliveryMedium":"SMS"}],"New":{"a":[1]}}]}`},
		{200, `{"Users":[{"Attributes":[{"Name":"sub","Value":"` + sub(2) + `"}]},{"Username":"no sub"}]}`},
		{200, `{"Users":null}`},
		{200, `{}`},
		{200, `{"Users":[`},
		{400, `{"__type":"ResourceNotFoundException","message":"no pool"}`},
		{400, `{"__type":"com.amazonaws.cognito#NotAuthorizedException"}`},
	}
	for _, row := range bodies {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(row.status)
			io.WriteString(w, row.body)
		}))
		options := cognitoidentityprovider.Options{Region: "us-east-1", BaseEndpoint: &server.URL, Retryer: aws.NopRetryer{},
			Credentials: credentials.NewStaticCredentialsProvider("id", "key", "")}
		var users [2][]User
		var codes [2]string
		for i, with := range []func(*cognitoidentityprovider.Options){
			func(*cognitoidentityprovider.Options) {},
			func(o *cognitoidentityprovider.Options) { o.APIOptions = append(o.APIOptions, decodeUsers) },
		} {
			client := cognitoidentityprovider.New(options, with)
			out, err := client.ListUsers(t.Context(), &cognitoidentityprovider.ListUsersInput{UserPoolId: aws.String(poolID)})
			if err != nil {
				codes[i] = newError(t.Context(), err).Error()
			} else {
				users[i] = read(out.Users)
			}
		}
		server.Close()
		if fmt.Sprintf("%#v", users[0]) != fmt.Sprintf("%#v", users[1]) || codes[0] != codes[1] || len(users[0]) > 0 && !maps.Equal(users[0][0].Attributes, users[1][0].Attributes) {
			t.Errorf("%s: the SDK has %v, %s; got %v, %s", row.body, users[0], codes[0], users[1], codes[1])
		}
	}
}

// The SDK still has the decoder that is replaced.
func TestDecoderIsInUse(t *testing.T) {
	var stack *middleware.Stack
	client := cognitoidentityprovider.New(cognitoidentityprovider.Options{Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("id", "key", ""),
		HTTPClient: &latency{pages: 1, seen: make(map[string]int)}}, func(o *cognitoidentityprovider.Options) {
		o.APIOptions = append(o.APIOptions, decodeUsers, func(s *middleware.Stack) error { stack = s; return nil })
	})
	if _, err := client.ListUsers(t.Context(), &cognitoidentityprovider.ListUsersInput{UserPoolId: aws.String(poolID), Filter: aws.String("x")}); err != nil {
		t.Fatal(err)
	}
	m, ok := stack.Deserialize.Get("OperationDeserializer")
	if _, replaced := m.(decoder); !ok || !replaced {
		t.Errorf("the decoder is %T", m)
	}
}
