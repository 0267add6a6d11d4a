package secrets

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"github.com/phenom-earth/hasura-cognito/pkg/awsroots"
)

// Open returns a cache over the secret with an ARN, in the Region of that ARN. key is the
// admin secret's key in the secret's JSON object; "" means [Keys]. Open fetches nothing.
// The error comes from loading the AWS configuration.
func Open(ctx context.Context, log *slog.Logger, arn, key string) (*Cache, error) {
	cfg, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(region(arn)),
		config.WithHTTPClient(httpClient()),
		// By default the SDK makes three attempts with pauses of up to four seconds.
		// Cognito waits five seconds for a trigger.
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.MaxAttempts = 2
				o.MaxBackoff = 50 * time.Millisecond
			})
		}),
	)
	if err != nil {
		return nil, fmt.Errorf("load the AWS configuration: %w", callError(arn, err))
	}
	awsroots.First(&cfg)
	client := secretsmanager.NewFromConfig(cfg)
	return newCache(log, func(ctx context.Context) (Secret, error) {
		out, err := client.GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return Secret{}, callError(arn, err)
		}
		value := aws.ToString(out.SecretString)
		if value == "" {
			value = string(out.SecretBinary)
		}
		secret, err := parse(value, key)
		if err != nil {
			return Secret{}, &Error{ARN: arn, Code: CodeInvalidForm, Hint: err.Error()}
		}
		return secret, nil
	}), nil
}

// region returns the Region of a secret's ARN, or "".
func region(arn string) string {
	if part := strings.Split(arn, ":"); len(part) > 3 {
		return part[3]
	}
	return ""
}

// attemptTime bounds one attempt. A call inside the function's network takes some 20 ms.
// Two attempts with their pause stay within the budget of a sign-in.
const attemptTime = 1200 * time.Millisecond

// httpClient returns the SDK's own client, so that AWS_CA_BUNDLE is honoured, with bounds.
func httpClient() *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().
		WithTimeout(attemptTime).
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = attemptTime }).
		WithTransportOptions(func(t *http.Transport) { t.TLSHandshakeTimeout = attemptTime })
}
