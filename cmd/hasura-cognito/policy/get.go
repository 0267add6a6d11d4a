package policy

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Get reads the policy of a function, or of the alias or version that an ARN ends with: each has its policy. Without a policy,
// the result has no statement.
func Get(ctx context.Context, client *lambda.Client, arn string) (Policy, error) {
	function, qualifier := Split(arn)
	in := &lambda.GetPolicyInput{FunctionName: &function}
	if qualifier != "" {
		in.Qualifier = &qualifier
	}
	out, err := client.GetPolicy(ctx, in)
	var none *types.ResourceNotFoundException
	switch {
	case errors.As(err, &none):
		return Policy{}, nil
	case err != nil:
		return Policy{}, err
	}
	return Parse(aws.ToString(out.Policy))
}

// Split returns a function's ARN without alias or version, and that alias or version, "" if there is none.
func Split(arn string) (function, qualifier string) {
	if part := strings.Split(arn, ":"); len(part) == 8 {
		return strings.Join(part[:7], ":"), part[7]
	}
	return arn, ""
}
