package attach

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/policy"
)

// checkFunctions refuses functions that do not exist or that Cognito may not call: with one, every sign-in fails. Undo goes back
// to functions that may belong to others, so it refuses only those that do not exist.
func (a attacher) checkFunctions(ctx context.Context, s state, t triggers) error {
	for _, arn := range t.functions() {
		var gone *types.ResourceNotFoundException
		_, err := a.lambda.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &arn})
		switch {
		case errors.As(err, &gone):
			return refuse("%s does not exist. Deploy it first, or correct --prefix, --alias and --region. Nothing was changed", arn)
		case a.Undo != nil:
			continue
		case err != nil:
			return explain(err)
		}
		p, err := policy.Get(ctx, a.lambda, arn)
		if err != nil {
			return explain(err)
		}
		if may, why := p.Pool(s.text("Arn")); may == policy.No {
			return refuse("Cognito may not call %s for this pool: %s. Deploy the function with this pool's id. Nothing was changed", arn, why)
		}
	}
	return nil
}
