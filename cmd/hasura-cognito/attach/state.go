package attach

import (
	"context"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// A state is a pool at one time: as AWS sent it, and what the SDK's types know of that.
type state struct {
	sent    object // UserPool of DescribeUserPool
	sentMFA object // GetUserPoolMfaConfig
	pool    *types.UserPoolType
	mfa     *cognitoidentityprovider.GetUserPoolMfaConfigOutput
}

type object = map[string]any

func (a attacher) read(ctx context.Context) (s state, err error) {
	var body struct{ UserPool object }
	described, err := a.cognito.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &a.Pool}, received(&body))
	if err != nil {
		return s, err
	}
	s.pool, s.sent = described.UserPool, body.UserPool
	s.mfa, err = a.cognito.GetUserPoolMfaConfig(ctx, &cognitoidentityprovider.GetUserPoolMfaConfigInput{UserPoolId: &a.Pool}, received(&s.sentMFA))
	return s, err
}

func (s state) name() string { return aws.ToString(s.pool.Name) }

func (s state) triggers() triggers {
	c := s.pool.LambdaConfig
	if c == nil {
		return triggers{}
	}
	return triggers{c.PreTokenGeneration, c.PreTokenGenerationConfig, c.PostConfirmation, c.PostAuthentication}
}

// with returns the state that a change of the triggers alone makes of s.
func (s state) with(t triggers) state {
	pool := *s.pool
	pool.LambdaConfig = t.in(pool.LambdaConfig)
	config := object{}
	if c, ok := s.sent["LambdaConfig"].(object); ok {
		maps.Copy(config, c)
	}
	for _, name := range []string{"PreTokenGeneration", "PreTokenGenerationConfig", "PostConfirmation", "PostAuthentication"} {
		delete(config, name)
	}
	maps.Copy(config, tree(t))
	sent := maps.Clone(s.sent)
	sent["LambdaConfig"] = config
	return state{sent, s.sentMFA, &pool, s.mfa}
}

// flat returns all settings of the pool except those that change by themselves.
func (s state) flat() flat {
	f := flatten(s.sent)
	for _, path := range []string{"LastModifiedDate", "EstimatedNumberOfUsers"} {
		delete(f, path)
	}
	for path, value := range flatten(s.sentMFA) {
		f["MFA."+path] = value
	}
	return f
}
