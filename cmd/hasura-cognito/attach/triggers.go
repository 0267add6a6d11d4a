package attach

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/functions"
)

// The triggers that the suite has functions for, by ARN. The other triggers of a pool stay as they are.
type triggers struct {
	PreTokenGeneration       string     `json:",omitempty"` // the older key: Cognito wants the ARN of the newer one in it
	PreTokenGenerationConfig *versioned `json:",omitempty"`
	PostConfirmation         string     `json:",omitempty"`
	PostAuthentication       string     `json:",omitempty"`
}

type versioned struct{ LambdaArn, LambdaVersion string }

var triggerNames = []string{"PreTokenGeneration", "PreTokenGenerationConfig", "PostConfirmation", "PostAuthentication"}

// mirrored fills in the older key of pre token generation, as Cognito does.
func (t triggers) mirrored() triggers {
	if t.PreTokenGenerationConfig != nil {
		t.PreTokenGeneration = t.PreTokenGenerationConfig.LambdaArn
	}
	return t
}

// functions returns the ARNs of the functions, each once.
func (t triggers) functions() []string {
	arns := []string{t.mirrored().PreTokenGeneration, t.PostConfirmation, t.PostAuthentication}
	slices.Sort(arns)
	return slices.DeleteFunc(slices.Compact(arns), func(arn string) bool { return arn == "" })
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
		fault("--prefix is missing. Set --prefix, or PREFIX with make, to the beginning of the functions' names, for example acme-prod. Or set both ARNs with --trigger and --sync")
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
func (t Target) arns(pool string) (trigger, sync string, err error) {
	if t.Prefix == "" {
		return t.Trigger, t.Sync, nil
	}
	part := strings.Split(pool, ":")
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
func (t Target) attach(s state) (want triggers, foreign []string, err error) {
	trigger, sync, err := t.arns(s.text("Arn"))
	if err != nil {
		return want, nil, err
	}
	have := s.triggers()
	preToken := have.mirrored().PreTokenGeneration
	version := cmp.Or(t.Version, "V2_0")
	if c := have.PreTokenGenerationConfig; c != nil && t.Version == "" && function(preToken) == function(trigger) {
		version = c.LambdaVersion
	}
	want = triggers{PreTokenGenerationConfig: &versioned{trigger, version}, PostConfirmation: sync, PostAuthentication: sync}
	if have.PreTokenGeneration != "" {
		want.PreTokenGeneration = trigger
	}
	for _, slot := range []struct{ name, have, want string }{
		{"pre token generation", preToken, trigger},
		{"post confirmation", have.PostConfirmation, sync},
		{"post authentication", have.PostAuthentication, sync},
	} {
		if slot.have != "" && function(slot.have) != function(slot.want) {
			foreign = append(foreign, slot.name+" is "+slot.have)
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
