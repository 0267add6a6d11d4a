package attach

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/functions"
)

// The triggers that the suite has functions for. The other triggers of a pool stay as they are.
type triggers struct {
	PreTokenGeneration       *string                                    `json:",omitempty"` // the older key: Cognito wants the ARN of the newer one in it
	PreTokenGenerationConfig *types.PreTokenGenerationVersionConfigType `json:",omitempty"`
	PostConfirmation         *string                                    `json:",omitempty"`
	PostAuthentication       *string                                    `json:",omitempty"`
}

// mirrored fills in the older key of pre token generation, as Cognito does.
func mirrored(t triggers) triggers {
	if t.PreTokenGenerationConfig != nil {
		t.PreTokenGeneration = t.PreTokenGenerationConfig.LambdaArn
	}
	return t
}

// in returns the triggers of a pool with t in place of the same triggers there.
func (t triggers) in(c *types.LambdaConfigType) *types.LambdaConfigType {
	var out types.LambdaConfigType
	if c != nil {
		out = *c
	}
	out.PreTokenGeneration = t.PreTokenGeneration
	out.PreTokenGenerationConfig = t.PreTokenGenerationConfig
	out.PostConfirmation = t.PostConfirmation
	out.PostAuthentication = t.PostAuthentication
	return &out
}

// A Target says which functions to attach: by the prefix of their names, or by both ARNs.
type Target struct {
	Prefix, Alias string // Alias is optional
	Trigger, Sync string // ARNs
	Version       string // of pre token generation; "" keeps the pool's version, or means V2_0
}

// Versions are the Lambda versions of the pre token generation trigger.
var Versions = types.PreTokenGenerationLambdaVersionType("").Values()

// Check returns every fault of the command line, each as a sentence.
func (t Target) Check() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch {
	case t.Prefix == "" && (t.Trigger == "" || t.Sync == ""):
		fault("--prefix is missing. Set PREFIX or --prefix to the beginning of the functions' names, for example acme-prod. Or set both ARNs with --trigger and --sync")
	case t.Prefix != "" && (t.Trigger != "" || t.Sync != ""):
		fault("--prefix cannot be combined with --trigger and --sync: both name the functions")
	}
	for _, arn := range []string{t.Trigger, t.Sync} {
		if arn != "" && function(arn) == "" {
			fault("%q is not the ARN of a Lambda function, for example arn:aws:lambda:us-east-1:123456789012:function:acme-prod-hasura-cognito-trigger:live", arn)
		}
	}
	if t.Version != "" && !slices.Contains(Versions, types.PreTokenGenerationLambdaVersionType(t.Version)) {
		fault("--version %q is unknown. The versions are %v", t.Version, Versions)
	}
	return errors.Join(faults...)
}

// arns returns the functions' ARNs. Functions with the prefix are in the account, Region and partition of the pool: Cognito
// calls no others.
func (t Target) arns(pool *types.UserPoolType) (trigger, sync string, err error) {
	if t.Prefix == "" {
		return t.Trigger, t.Sync, nil
	}
	part := strings.Split(aws.ToString(pool.Arn), ":")
	if len(part) != 6 {
		return "", "", errors.New("the pool's ARN is not in Cognito's answer. Set the functions' ARNs with --trigger and --sync")
	}
	arn := func(name string) string {
		arn := strings.Join([]string{"arn", part[1], "lambda", part[3], part[4], "function", t.Prefix + "-" + name}, ":")
		if t.Alias != "" {
			arn += ":" + t.Alias
		}
		return arn
	}
	return arn(functions.Claims), arn(functions.Sync), nil
}

// attach returns the triggers that a pool is to have, and the other functions that are on them now, each as a sentence.
func (t Target) attach(pool *types.UserPoolType) (want triggers, foreign []string, err error) {
	trigger, sync, err := t.arns(pool)
	if err != nil {
		return want, nil, err
	}
	have := state{pool: pool}.triggers()
	preToken := aws.ToString(have.PreTokenGeneration)
	version := types.PreTokenGenerationLambdaVersionTypeV20
	if c := have.PreTokenGenerationConfig; c != nil {
		preToken = aws.ToString(c.LambdaArn)
		if function(preToken) == function(trigger) {
			version = c.LambdaVersion
		}
	}
	if t.Version != "" {
		version = types.PreTokenGenerationLambdaVersionType(t.Version)
	}
	want = triggers{
		PreTokenGenerationConfig: &types.PreTokenGenerationVersionConfigType{LambdaArn: &trigger, LambdaVersion: version},
		PostConfirmation:         &sync,
		PostAuthentication:       &sync,
	}
	if have.PreTokenGeneration != nil {
		want.PreTokenGeneration = &trigger
	}
	for _, slot := range []struct{ name, have, want string }{
		{"pre token generation", preToken, trigger},
		{"post confirmation", aws.ToString(have.PostConfirmation), sync},
		{"post authentication", aws.ToString(have.PostAuthentication), sync},
	} {
		if slot.have != "" && function(slot.have) != function(slot.want) {
			foreign = append(foreign, fmt.Sprintf("%s is %s", slot.name, slot.have))
		}
	}
	return want, foreign, nil
}

// function returns a function's ARN without alias or version, or "" if arn is not the ARN of a function.
func function(arn string) string {
	part := strings.Split(arn, ":")
	if len(part) < 7 || len(part) > 8 || part[0] != "arn" || part[2] != "lambda" || part[5] != "function" || slices.Contains(part, "") {
		return ""
	}
	return strings.Join(part[:7], ":")
}
