package secrets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/smithy-go"

	"github.com/phenom-earth/hasura-cognito/pkg/awsroots"
)

// AdminSecretKeys are the keys under which a bag is searched for Hasura's admin
// secret when none is named: the variable of Hasura's own server, and the two
// shorter names that applications give it.
var AdminSecretKeys = []string{"HASURA_GRAPHQL_ADMIN_SECRET", "HASURA_ADMIN_SECRET", "ADMIN_SECRET"}

// CheckARN reports whether arn is the ARN of a secret, in any partition.
func CheckARN(arn string) bool {
	_, ok := region(arn)
	return ok
}

func region(arn string) (string, bool) {
	part := strings.SplitN(arn, ":", 7)
	ok := len(part) == 7 && part[0] == "arn" && part[2] == "secretsmanager" && part[3] != "" && part[4] != "" &&
		part[5] == "secret" && part[6] != ""
	if !ok {
		return "", false
	}
	return part[3], true
}

// Open returns a bag over the secret with an ARN, in that ARN's region. keys are
// tried in order. It reads nothing yet; the error is one of the environment's AWS
// configuration. log is told when the secret has changed or has grown old.
func Open(ctx context.Context, log *slog.Logger, arn string, keys ...string) (*Bag, error) {
	region, _ := region(arn)
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(region),
		config.WithHTTPClient(httpClient()),
		// The SDK's own three attempts wait up to four seconds between them, which
		// is most of what Cognito gives a trigger.
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 2
				o.MaxBackoff = 50 * time.Millisecond
			})
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", redact(arn, err))
	}
	awsroots.First(&cfg)
	client := secretsmanager.NewFromConfig(cfg)
	return newBag(log, func(ctx context.Context) (Secret, error) {
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return Secret{}, redact(arn, err)
		}
		value := aws.ToString(out.SecretString)
		if value == "" {
			value = string(out.SecretBinary)
		}
		return pick(arn, value, keys)
	}), nil
}

// attempt bounds one attempt at Secrets Manager. A call inside the function's
// network takes some 20 ms; two attempts and the back-off stay under the budget.
const attempt = 1200 * time.Millisecond

// httpClient is the SDK's own, so that AWS_CA_BUNDLE goes on working, with bounds.
func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(attempt).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = attempt }).
		WithTransportOptions(func(t *http.Transport) { t.TLSHandshakeTimeout = attempt })
}

// pick takes the secret out of a bag's text. The errors name the keys and the ARN,
// never a value; the decoder's own is not wrapped because it can quote the input.
func pick(arn, text string, keys []string) (Secret, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return Secret{}, fmt.Errorf("secret %s is empty", arn)
	}
	var bag map[string]json.RawMessage
	if json.Unmarshal([]byte(text), &bag) != nil {
		if strings.ContainsRune(`{["`, rune(text[0])) {
			return Secret{}, fmt.Errorf("secret %s is not a JSON object", arn)
		}
		return sendable("secret "+arn, text)
	}
	for _, key := range keys {
		raw, ok := bag[key]
		if !ok {
			continue
		}
		name := fmt.Sprintf("key %s of secret %s", key, arn)
		var value string
		if json.Unmarshal(raw, &value) != nil {
			return Secret{}, fmt.Errorf("%s is not a string", name)
		}
		return sendable(name, value)
	}
	return Secret{}, fmt.Errorf("secret %s has no key %s", arn, strings.Join(keys, " or "))
}

// sendable returns the secret that value is, if a header can carry it. Blanks
// around it, such as the line's end of a file that it was stored from, are not it.
func sendable(name, value string) (Secret, error) {
	value = strings.TrimSpace(value)
	if value == "" {
		return Secret{}, fmt.Errorf("%s is empty", name)
	}
	if strings.ContainsFunc(value, unicode.IsControl) {
		return Secret{}, fmt.Errorf("%s has a control character in it", name)
	}
	return New(value), nil
}

// redact keeps of an SDK's error what helps and is safe: the service's code, or
// whether time ran out. The SDK's own text has hosts and request IDs in it.
func redact(arn string, err error) error {
	var api smithy.APIError
	switch {
	case errors.As(err, &api):
		return &Error{arn, api.ErrorCode(), err}
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return &Error{arn, "timeout", err}
	default:
		return &Error{arn, "unreachable", err}
	}
}

// An Error is a secret that could not be read.
type Error struct {
	ARN  string
	Code string // Secrets Manager's, such as AccessDeniedException, or timeout or unreachable
	err  error
}

func (e *Error) Error() string { return fmt.Sprintf("read secret %s: %s", e.ARN, e.Code) }

// Passes reports whether the failure may pass by itself within a call's time.
func (e *Error) Passes() bool {
	switch e.Code {
	case "timeout", "unreachable", "InternalServiceError", "InternalFailure", "ServiceUnavailable":
		return true
	}
	return strings.Contains(e.Code, "Throttl")
}

// Unwrap returns what the SDK said, for errors.As; it is not for logs.
func (e *Error) Unwrap() error { return e.err }
