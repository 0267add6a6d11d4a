// Package pool reads the users of a user pool with ListUsers, within a rate.
//
// ListUsers is the only operation that reads users here. AdminGetUser would make each user
// a monthly active user, who is billed. AttributesToGet fails if a user lacks a value.
package pool

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"golang.org/x/time/rate"

	"github.com/phenom-earth/hasura-cognito/pkg/awsroots"
	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

// Quota is how many requests per second of the category UserList an account may send in a
// Region, for all of its pools together. It cannot be raised ("Quotas in Amazon Cognito",
// Amazon Cognito Developer Guide).
const Quota = 30

// pageSize is the most that ListUsers returns.
const pageSize = 60

// A Pool is one user pool. It is safe for concurrent use: all requests share one rate.
type Pool struct {
	ID      string
	client  *cognitoidentityprovider.Client
	limiter *rate.Limiter
}

// Open returns the pool with an id. It sends at most perSecond requests per second. The
// Region is that of the environment, or else the one that the id begins with. Open sends
// nothing. The error comes from loading the AWS configuration.
func Open(ctx context.Context, id string, perSecond float64) (*Pool, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithHTTPClient(awshttp.NewBuildableClient().
			WithTimeout(attemptTime).
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = attemptTime / 2 })),
		config.WithLogger(logging.Nop{}),                                   // its warnings have addresses
		config.WithRetryer(func() aws.Retryer { return aws.NopRetryer{} }), // see call
	)
	if err != nil {
		return nil, errors.New("load the AWS configuration: it is invalid") // the SDK's text can hold values
	}
	if region, _, ok := strings.Cut(id, "_"); ok && cfg.Region == "" {
		cfg.Region = region
	}
	awsroots.First(&cfg)
	cfg.HTTPClient = whole{cfg.HTTPClient}
	return New(cognitoidentityprovider.NewFromConfig(cfg, func(o *cognitoidentityprovider.Options) {
		o.APIOptions = append(o.APIOptions, decodeUsers)
	}), id, perSecond), nil
}

// whole reads a response to its end before the SDK sees it. The SDK closes the request's
// body as soon as the response begins. If net/http has not noticed by then that the body was
// sent, it closes the connection, and the rest of the response is lost.
type whole struct{ aws.HTTPClient }

func (w whole) Do(request *http.Request) (*http.Response, error) {
	response, err := w.HTTPClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	const limit = 16 << 20 // 60 users with 50 custom attributes of 2,048 characters each have 6 MB
	body, err := io.ReadAll(io.LimitReader(response.Body, limit))
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// New returns the pool with an id over a client of the SDK that does not retry.
func New(client *cognitoidentityprovider.Client, id string, perSecond float64) *Pool {
	return &Pool{ID: id, client: client, limiter: rate.NewLimiter(rate.Limit(perSecond), 1)}
}

// A User is a user as ListUsers returns it. The status stands in the attributes as
// cognito:user_status, where an event of Cognito has it too.
type User struct {
	cognito.User
	Enabled bool
}

// IsUnconfirmed reports whether the user has not confirmed the sign-up.
func (u User) IsUnconfirmed() bool {
	return u.Attributes["cognito:user_status"] == string(types.UserStatusTypeUnconfirmed)
}

// A Page is one response of ListUsers. It may have no users.
type Page struct {
	At    time.Time // just before the request was sent
	Users []User
}

// List calls each with each page of the users whose sub begins with a prefix, "" for all
// users. It returns nil only if the listing is complete. A user can be on several pages: a
// listing begins again if the pool refuses its pagination token. An error is that of each,
// or an [*Error].
func (p *Pool) List(ctx context.Context, prefix string, each func(Page) error) error {
	filter := ""
	if prefix != "" {
		if !isHex(prefix) {
			return &Error{Code: CodeInvalidSub}
		}
		filter = `sub ^= "` + prefix + `"`
	}
	matching := func(page Page) error {
		page.Users = slices.DeleteFunc(page.Users, func(u User) bool { return !strings.HasPrefix(u.ID, prefix) })
		return each(page)
	}
	const restarts = 3
	for n := 0; ; n++ {
		err := p.list(ctx, filter, matching)
		if e, ok := errors.AsType[*Error](err); !ok || e.Code != CodeTokenRefused || n == restarts {
			return err
		}
	}
}

// Lookup returns the user with a sub. found is false if the pool does not list the user;
// the listing can be some seconds old. at is just before the request was sent.
func (p *Pool) Lookup(ctx context.Context, sub string) (user User, found bool, at time.Time, err error) {
	if !isHex(sub) {
		return User{}, false, time.Time{}, &Error{Code: CodeInvalidSub}
	}
	err = p.list(ctx, `sub = "`+sub+`"`, func(page Page) error {
		if at.IsZero() {
			at = page.At
		}
		for _, u := range page.Users {
			if u.ID == sub {
				user, found = u, true
			}
		}
		return nil
	})
	return user, found, at, err
}

// Find returns the users with an e-mail address.
func (p *Pool) Find(ctx context.Context, email string) (users []User, err error) {
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(email)
	err = p.list(ctx, `email = "`+quoted+`"`, func(page Page) error {
		users = append(users, page.Users...)
		return nil
	})
	return users, err
}

// Estimate returns about how many users the pool has.
func (p *Pool) Estimate(ctx context.Context) (users int, err error) {
	err = p.call(ctx, func(ctx context.Context) error {
		out, err := p.client.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &p.ID})
		if err == nil && out.UserPool != nil {
			users = int(out.UserPool.EstimatedNumberOfUsers)
		}
		return err
	})
	return users, err
}

func (p *Pool) list(ctx context.Context, filter string, each func(Page) error) error {
	in := &cognitoidentityprovider.ListUsersInput{UserPoolId: &p.ID, Limit: aws.Int32(pageSize)}
	if filter != "" {
		in.Filter = &filter
	}
	for {
		var out *cognitoidentityprovider.ListUsersOutput
		var at time.Time
		err := p.call(ctx, func(ctx context.Context) (err error) {
			at = time.Now()
			out, err = p.client.ListUsers(ctx, in)
			return err
		})
		if e, ok := errors.AsType[*Error](err); ok && e.Code == "InvalidParameterException" && in.PaginationToken != nil {
			e.Code = CodeTokenRefused
		}
		if err != nil {
			return err
		}
		if err := each(Page{At: at, Users: read(out.Users)}); err != nil {
			return err
		}
		if aws.ToString(out.PaginationToken) == "" {
			return nil
		}
		if aws.ToString(out.PaginationToken) == aws.ToString(in.PaginationToken) {
			return &Error{Code: CodeTokenRepeated}
		}
		in.PaginationToken = out.PaginationToken
	}
}

// read returns the users that have a sub.
func read(list []types.UserType) []User {
	users := make([]User, 0, len(list))
	for i := range list {
		from := &list[i]
		u := User{User: cognito.User{Username: aws.ToString(from.Username)}, Enabled: from.Enabled}
		u.Attributes = make(map[string]string, len(from.Attributes)+1)
		for _, a := range from.Attributes {
			if name, value := aws.ToString(a.Name), aws.ToString(a.Value); value != "" {
				u.Attributes[name] = value
			}
		}
		if from.UserStatus != "" {
			u.Attributes["cognito:user_status"] = string(from.UserStatus)
		}
		if u.ID = u.Attributes["sub"]; u.ID != "" {
			users = append(users, u)
		}
	}
	return users
}

// Bounds of one request and of its repetitions.
const (
	attemptTime = 10 * time.Second
	attempts    = 9
	minPause    = 200 * time.Millisecond
	maxPause    = 10 * time.Second
)

// call sends one request, with retries where these can help. Each attempt waits for its
// turn in the rate.
func (p *Pool) call(ctx context.Context, send func(context.Context) error) error {
	for attempt := 1; ; attempt++ {
		if err := p.limiter.Wait(ctx); err != nil {
			return &Error{Code: CodeTimeout, err: err}
		}
		err := send(ctx)
		if err == nil {
			return nil
		}
		e := newError(ctx, err)
		if !e.Transient() || attempt == attempts {
			return e
		}
		pause := min(minPause<<(attempt-1), maxPause)
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-ctx.Done():
			return e
		}
	}
}

// Codes of failures that have no code of Cognito.
const (
	CodeTimeout       = "timeout"
	CodeUnreachable   = "unreachable"
	CodeInvalidSub    = "invalid-sub"    // what is asked for is not the beginning of a sub
	CodeTokenRefused  = "token-refused"  // a pagination token, four times
	CodeTokenRepeated = "token-repeated" // the listing does not end
)

// An Error is a failed request. Its text can be logged: no message of Cognito is in it.
type Error struct {
	Status int    // of HTTP; 0 if there was no response
	Code   string // of Cognito, such as TooManyRequestsException, or one of the Codes
	err    error
}

func (e *Error) Error() string {
	if e.Status != 0 {
		return fmt.Sprintf("cognito-idp: status %d, code %s", e.Status, e.Code)
	}
	return "cognito-idp: code " + e.Code
}

// Unwrap returns the SDK's error. It must not be logged.
func (e *Error) Unwrap() error { return e.err }

// Transient reports whether a retry can help.
func (e *Error) Transient() bool {
	switch e.Code {
	case CodeTimeout, CodeUnreachable, CodeTokenRefused, "InternalErrorException":
		return true
	case CodeInvalidSub, CodeTokenRepeated:
		return false
	}
	_, throttled := retry.DefaultThrottleErrorCodes[e.Code]
	return throttled || e.Status >= http.StatusInternalServerError
}

func newError(ctx context.Context, err error) *Error {
	e := &Error{Code: CodeUnreachable, err: err}
	if response, ok := errors.AsType[*awshttp.ResponseError](err); ok {
		e.Status = response.HTTPStatusCode()
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		e.Code = logs.Code(api.ErrorCode())
	} else if ctx.Err() != nil || errors.Is(err, context.DeadlineExceeded) {
		e.Code = CodeTimeout
	} else if e.Status >= http.StatusBadRequest {
		e.Code = logs.Unrecognized
	}
	return e
}

// isHex reports whether a text has the characters of a sub only, so that it cannot change
// the meaning of a filter.
func isHex(text string) bool { return text != "" && strings.Trim(text, "0123456789abcdef-") == "" }
