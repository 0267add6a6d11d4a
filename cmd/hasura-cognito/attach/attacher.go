package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
)

// An attacher changes the triggers of one pool.
type attacher struct {
	pool   string // id
	client *cognitoidentityprovider.Client
	sleep  func(ctx context.Context, attempt int) error
	out    io.Writer
}

// A state is a pool at one time.
type state struct {
	pool *types.UserPoolType
	mfa  *cognitoidentityprovider.GetUserPoolMfaConfigOutput
}

// with returns the state that a change of the triggers alone makes of s.
func (s state) with(t triggers) state {
	pool := *s.pool
	pool.LambdaConfig = t.in(pool.LambdaConfig)
	return state{&pool, s.mfa}
}

func (a attacher) read(ctx context.Context) (s state, err error) {
	described, err := a.client.DescribeUserPool(ctx, &cognitoidentityprovider.DescribeUserPoolInput{UserPoolId: &a.pool})
	if err != nil {
		return s, err
	}
	s.pool = described.UserPool
	s.mfa, err = a.client.GetUserPoolMfaConfig(ctx, &cognitoidentityprovider.GetUserPoolMfaConfigInput{UserPoolId: &a.pool})
	return s, err
}

// attach does what the command line says.
func (a attacher) attach(ctx context.Context, o options, stdin io.Reader) error {
	before, err := a.read(ctx)
	if err != nil {
		return err
	}
	want, err := a.plan(before, o)
	if err != nil {
		return err
	}
	after := before.with(want)
	if len(differences(before.flat(), after.flat())) == 0 {
		fmt.Fprintf(a.out, "%s is as it should be: nothing to change.\n", a.pool)
		return nil
	}
	fmt.Fprintf(a.out, "%s (%s) would change in this, and in nothing else:\n", a.pool, *before.pool.Name)
	show(a.out, before.flat(), after.flat())
	if !o.apply {
		fmt.Fprintln(a.out, "Nothing was changed. To change it, run the same with -apply (make attach … ARGS=-apply).")
		return nil
	}
	if !o.yes && !a.confirmed(stdin) {
		return errors.New("nothing was changed: the answer was not yes")
	}
	file, err := backup{a.pool, time.Now().UTC(), triggersOf(before.pool), want, updateOf(before.pool)}.write(o.dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "What there was is in %s, for -undo.\n", file)
	if err := a.write(ctx, before, after); err != nil {
		return err
	}
	return a.verify(ctx, before, after)
}

// plan returns the triggers that the pool is to have.
func (a attacher) plan(s state, o options) (triggers, error) {
	if o.undo != nil {
		if found := differences(flatten(mirrored(triggersOf(s.pool))), flatten(mirrored(o.undo.After))); len(found) > 0 {
			return triggers{}, fmt.Errorf("the triggers were changed since then (%s): undo by hand what is to be undone", strings.Join(found, ", "))
		}
		return o.undo.Before, nil
	}
	want, foreign, err := o.target.attach(s.pool)
	if err == nil && len(foreign) > 0 && !o.replace {
		err = fmt.Errorf("other functions are on these triggers, and Cognito has room for one on each:\n  %s\nNothing was changed. Have them called by the suite's place, or take their place with -replace",
			strings.Join(foreign, "\n  "))
	}
	return want, err
}

// mirrored fills in the older key of pre token generation, which Cognito does by
// itself.
func mirrored(t triggers) triggers {
	if t.PreTokenGenerationConfig != nil {
		t.PreTokenGeneration = t.PreTokenGenerationConfig.LambdaArn
	}
	return t
}

func (a attacher) confirmed(stdin io.Reader) bool {
	fmt.Fprint(a.out, "Change it? Type yes: ")
	answer, _ := bufio.NewReader(stdin).ReadString('\n')
	fmt.Fprintln(a.out)
	return strings.TrimSpace(answer) == "yes"
}

// attempts is how often a change is tried that meets another one.
const attempts = 5

// write changes the pool from before to after. The API has no condition for that, so
// the pool is read anew right before each attempt: what somebody else changed since it
// was shown would be lost otherwise. (Throttling is the SDK's to retry.)
func (a attacher) write(ctx context.Context, before, after state) error {
	for attempt := 0; ; attempt++ {
		now, err := a.read(ctx)
		if err != nil {
			return err
		}
		if found := differences(before.flat(), now.flat()); len(found) > 0 {
			return fmt.Errorf("somebody else changed the pool meanwhile (%s): nothing was written. Run it again", strings.Join(found, ", "))
		}
		_, err = a.client.UpdateUserPool(ctx, updateOf(after.pool))
		var concurrent *types.ConcurrentModificationException
		if !errors.As(err, &concurrent) || attempt == attempts-1 {
			return err
		}
		if err := a.sleep(ctx, attempt); err != nil {
			return err
		}
	}
}

// verify reads the pool again and compares all of it.
func (a attacher) verify(ctx context.Context, before, after state) error {
	now, err := a.read(ctx)
	if err != nil {
		return fmt.Errorf("the pool was changed, but cannot be read again: %w", err)
	}
	if len(differences(flatten(before.mfa), flatten(now.mfa))) > 0 {
		if _, err := a.client.SetUserPoolMfaConfig(ctx, mfaOf(a.pool, before.mfa)); err != nil {
			return fmt.Errorf("the change reset multi-factor authentication, and it cannot be set back: %w", err)
		}
		if now, err = a.read(ctx); err != nil {
			return fmt.Errorf("the pool was changed, but cannot be read again: %w", err)
		}
	}
	want, got := after.flat(), now.flat()
	if c := after.pool.LambdaConfig.PreTokenGenerationConfig; c != nil {
		want["LambdaConfig.PreTokenGeneration"], got["LambdaConfig.PreTokenGeneration"] = "", "" // Cognito's mirror of the ARN
	}
	if len(differences(want, got)) > 0 {
		fmt.Fprintln(a.out, "These settings are not as they should be; - is what was wanted, + what the pool has now:")
		show(a.out, want, got)
		return errors.New("the pool has other settings than it was sent: compare the above, and set them by hand or from Settings in the backup")
	}
	fmt.Fprintf(a.out, "Done. %d settings read again: the triggers are as wanted, and all others as they were.\n", len(got))
	return nil
}

// explain adds what to do about an error of Cognito's, where that is known.
func explain(err error) string {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err.Error()
	}
	cure := map[string]string{
		"AccessDeniedException":                 "attach needs cognito-idp:DescribeUserPool, GetUserPoolMfaConfig, UpdateUserPool and SetUserPoolMfaConfig on the pool",
		"ConcurrentModificationException":       "somebody else is changing the pool; nothing was written. Run it again later",
		"FeatureUnavailableInTierException":     "V2_0 and V3_0 need the Essentials or Plus plan; with -version V1_0 the claims are in ID tokens alone",
		"InvalidParameterException":             "nothing was written",
		"ResourceNotFoundException":             "there is no such pool in this account and region",
		"TooManyRequestsException":              "nothing was written. Run it again later",
		"UserPoolAddOnNotEnabledException":      "V2_0 and V3_0 need the Essentials or Plus plan; with -version V1_0 the claims are in ID tokens alone",
		"InvalidLambdaResponseException":        "check the functions' ARNs",
		"UnrecognizedClientException":           "the AWS credentials are not those of the pool's account",
		"InvalidSmsRoleAccessPolicyException":   "the role with which the pool sends SMS no longer may; the pool cannot be changed at all before that is mended",
		"InvalidEmailRoleAccessPolicyException": "the pool no longer may send its e-mail; it cannot be changed at all before that is mended",
	}[api.ErrorCode()]
	text := fmt.Sprintf("Cognito says %s: %s", api.ErrorCode(), api.ErrorMessage())
	if cure != "" {
		text += "\n" + cure
	}
	return text
}
