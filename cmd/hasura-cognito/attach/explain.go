package attach

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/smithy-go"
)

// hints say what to do about an error of AWS.
var hints = map[string]string{
	"AccessDeniedException": "attach needs cognito-idp:DescribeUserPool, GetUserPoolMfaConfig, UpdateUserPool and SetUserPoolMfaConfig on the pool, " +
		"and lambda:GetFunctionConfiguration and GetPolicy on the functions.",
	"ConcurrentModificationException":       "Another change of the pool is under way. Nothing was changed. Run the command again later.",
	"FeatureUnavailableInTierException":     planHint,
	"UserPoolAddOnNotEnabledException":      planHint,
	"InvalidParameterException":             "Nothing was changed.",
	"InvalidLambdaResponseException":        "Check the functions' ARNs.",
	"ResourceNotFoundException":             "This account has no such pool in this Region. Check the pool's id, --region, AWS_REGION and --profile.",
	"TooManyRequestsException":              "Nothing was changed. Run the command again later.",
	"UnrecognizedClientException":           "The AWS credentials do not belong to the pool's account.",
	"InvalidSmsRoleAccessPolicyException":   "The role that sends the pool's SMS has lost its permission. The pool cannot be changed until it has it again.",
	"InvalidEmailRoleAccessPolicyException": "The pool has lost its permission to send e-mail. The pool cannot be changed until it has it again.",
}

const planHint = "V2_0 and V3_0 need the Essentials or Plus plan. With --version V1_0 the claims are in ID tokens only."

// explain returns an error of the SDK as a sentence, with a hint where there is one.
func explain(err error) error {
	short := brief(err)
	var api smithy.APIError
	if errors.As(err, &api) && hints[api.ErrorCode()] != "" {
		return fmt.Errorf("%w\n%s", short, hints[api.ErrorCode()])
	}
	return short
}

// brief returns what AWS answers, without the SDK's text about the request.
func brief(err error) error {
	var api smithy.APIError
	var call *smithy.OperationError
	switch {
	case errors.As(err, &api):
		return fmt.Errorf("AWS answers %s: %s", api.ErrorCode(), api.ErrorMessage())
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted")
	case errors.As(err, &call):
		return errors.New("AWS cannot be reached. Check the network and the Region")
	}
	return err
}
