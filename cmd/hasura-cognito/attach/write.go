package attach

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"
	"github.com/aws/smithy-go"
)

// attempts is how often attach tries a change while another change of the pool is under way.
const attempts = 5

// write changes the pool from before to after. UpdateUserPool has no condition, so write reads the pool again right before each
// attempt: it would overwrite what others changed since the plan was shown. The SDK retries when Cognito throttles.
func (a attacher) write(ctx context.Context, before, after state) error {
	update, _, _, err := after.requests()
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		now, err := a.read(ctx)
		if err != nil {
			return refuse("%w. Nothing was changed", brief(err))
		}
		if found := differences(before.flat(), now.flat()); len(found) > 0 {
			return refuse("another change was made to the pool meanwhile (%s). Nothing was changed. Run the command again", strings.Join(found, ", "))
		}
		_, err = a.cognito.UpdateUserPool(ctx, &update)
		var answered smithy.APIError
		var concurrent *types.ConcurrentModificationException
		switch {
		case err == nil:
			return nil
		case !errors.As(err, &answered) || answered.ErrorFault() == smithy.FaultServer || ctx.Err() != nil:
			return a.outcome(ctx, before, after)
		case !errors.As(err, &concurrent) || attempt == attempts-1:
			return Refusal{explain(err)}
		}
		if err := a.sleep(ctx, attempt); err != nil {
			return refuse("%w. Nothing was changed", err)
		}
	}
}

// outcome says what state the pool is in after Ctrl-C, a lost connection or a failure of Cognito: the change may have been made.
func (a attacher) outcome(ctx context.Context, before, after state) error {
	why := "Cognito gave no answer"
	if ctx.Err() != nil {
		why = "interrupted"
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	now, err := a.read(ctx)
	switch {
	case err != nil:
		return refuse("%s during the change, and the pool cannot be read. The change may have been made. Run the command again without --apply to see", why)
	case len(differences(before.flat(), now.flat())) == 0:
		return refuse("%s during the change. The pool has not changed so far. Run the command again without --apply to make sure", why)
	case len(a.wrong(after, now)) == 0:
		return refuse("%s during the change. The pool has the new triggers, and all other settings are as before", why)
	}
	a.result.Wrong = a.wrong(after, now)
	fmt.Fprintln(a.Out, "The pool now differs from its settings before the command:")
	show(a.Out, changes(before.flat(), now.flat()))
	return refuse("%s during the change. The settings above have changed. Compare them, and set them by hand from the backup", why)
}

// wrong returns the settings that differ from those wanted. Cognito copies the pre token generation ARN by itself, and with
// --lossy the settings that were named are lost.
func (a attacher) wrong(want, got state) []Change {
	wanted, now := want.flat(), got.flat()
	ignored := slices.Clone(a.result.Lost)
	if want.triggers().PreTokenGenerationConfig != nil {
		ignored = append(ignored, "LambdaConfig.PreTokenGeneration")
	}
	for _, path := range ignored {
		delete(wanted, path)
		delete(now, path)
	}
	return changes(wanted, now)
}

// verify reads the pool again and compares all settings.
func (a attacher) verify(ctx context.Context, before, after state) error {
	now, err := a.read(ctx)
	if err != nil {
		return refuse("the pool was changed, but it cannot be read again: %w", brief(err))
	}
	if len(differences(flatten(before.mfa), flatten(now.mfa))) > 0 {
		_, mfa, _, err := before.requests()
		if err != nil {
			return err
		}
		if _, err := a.cognito.SetUserPoolMfaConfig(ctx, &mfa); err != nil {
			return refuse("the change reset multi-factor authentication, and setting it back failed: %w. Its settings are in the backup", brief(err))
		}
		if now, err = a.read(ctx); err != nil {
			return refuse("the pool was changed, but it cannot be read again: %w", brief(err))
		}
	}
	if a.result.Wrong = a.wrong(after, now); len(a.result.Wrong) > 0 {
		fmt.Fprintln(a.Out, "These settings are wrong. - is the wanted value, + is what the pool has now:")
		show(a.Out, a.result.Wrong)
		return refuse("the pool has other settings than attach sent. Compare the above, and set them by hand from Settings in the backup")
	}
	fmt.Fprintf(a.Out, "Done. All %d settings were read again: the triggers are as wanted, the others are as before.\n", len(now.flat()))
	return nil
}
