package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
)

// The triggers that are the suite's. All others of a pool are not touched.
type triggers struct {
	PreTokenGeneration       *string                                    `json:",omitempty"` // the older key; Cognito wants it equal to the newer one's ARN
	PreTokenGenerationConfig *types.PreTokenGenerationVersionConfigType `json:",omitempty"`
	PostConfirmation         *string                                    `json:",omitempty"`
	PostAuthentication       *string                                    `json:",omitempty"`
}

func triggersOf(p *types.UserPoolType) triggers {
	c := p.LambdaConfig
	if c == nil {
		return triggers{}
	}
	return triggers{c.PreTokenGeneration, c.PreTokenGenerationConfig, c.PostConfirmation, c.PostAuthentication}
}

// in returns a pool's triggers with these in place of its own.
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

// A target is what to attach, as the command line says it.
type target struct {
	prefix, alias string
	trigger, sync string // ARNs
	version       string // "" keeps what there is
}

func (t target) check() error {
	var faults []error
	switch {
	case t.prefix == "" && (t.trigger == "" || t.sync == ""):
		faults = append(faults, errors.New("PREFIX is not set: it is what begins the functions' names, such as acme-prod; or give both ARNs, with -trigger and -sync"))
	case t.prefix != "" && (t.trigger != "" || t.sync != ""):
		faults = append(faults, errors.New("-prefix and the ARNs of -trigger and -sync say the same: give the one or the others"))
	}
	for _, arn := range []string{t.trigger, t.sync} {
		if arn != "" && function(arn) == "" {
			faults = append(faults, fmt.Errorf("%q is not the ARN of a Lambda function, such as arn:aws:lambda:us-east-1:123456789012:function:acme-prod-hasura-cognito-trigger:live", arn))
		}
	}
	if versions := types.PreTokenGenerationLambdaVersionType("").Values(); t.version != "" && !slices.Contains(versions, types.PreTokenGenerationLambdaVersionType(t.version)) {
		faults = append(faults, fmt.Errorf("-version %q is none of %v", t.version, versions))
	}
	return errors.Join(faults...)
}

// arns returns the functions' ARNs. Those that are known by a prefix are in the
// account, region and partition of the pool, which alone may call them.
func (t target) arns(pool *types.UserPoolType) (trigger, sync string, err error) {
	if t.prefix == "" {
		return t.trigger, t.sync, nil
	}
	part := strings.Split(aws.ToString(pool.Arn), ":")
	if len(part) != 6 {
		return "", "", errors.New("the pool's ARN is not known: give the functions' with -trigger and -sync")
	}
	arn := func(name string) string {
		arn := strings.Join([]string{"arn", part[1], "lambda", part[3], part[4], "function", t.prefix + "-" + name}, ":")
		if t.alias != "" {
			arn += ":" + t.alias
		}
		return arn
	}
	return arn("hasura-cognito-trigger"), arn("hasura-cognito-sync-users"), nil
}

// attach returns the triggers that a pool is to have, and what stands in the way:
// other functions, each in a sentence.
func (t target) attach(pool *types.UserPoolType) (want triggers, foreign []string, err error) {
	trigger, sync, err := t.arns(pool)
	if err != nil {
		return want, nil, err
	}
	have := triggersOf(pool)
	preToken := aws.ToString(have.PreTokenGeneration)
	version := types.PreTokenGenerationLambdaVersionTypeV20
	if c := have.PreTokenGenerationConfig; c != nil {
		preToken = aws.ToString(c.LambdaArn)
		if function(preToken) == function(trigger) {
			version = c.LambdaVersion
		}
	}
	if t.version != "" {
		version = types.PreTokenGenerationLambdaVersionType(t.version)
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

// function returns a function's ARN without its alias or version, "" for what is not
// one.
func function(arn string) string {
	part := strings.Split(arn, ":")
	if len(part) < 7 || len(part) > 8 || part[0] != "arn" || part[2] != "lambda" || part[5] != "function" || slices.Contains(part, "") {
		return ""
	}
	return strings.Join(part[:7], ":")
}
