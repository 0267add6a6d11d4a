package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/usertable"
	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// dryRun prints what hasura-cognito reconcile --on-delete mark prints.
func (e *everyone) dryRun(ctx context.Context) error {
	t, err := e.open(ctx)
	if err != nil {
		return err
	}
	t.DryRun = true
	total, err := t.Total(ctx, "")
	if err != nil {
		return err
	}
	result := t.Run(ctx, "", total)
	got, want := facts{"complete": fmt.Sprint(result.Complete)}, facts{"complete": "true"}
	for outcome, n := range result.Counts {
		got["users "+string(outcome)] = fmt.Sprint(n)
	}
	for outcome, n := range e.counts() {
		want["users "+string(outcome)] = fmt.Sprint(n)
	}
	if err := e.check(ctx, "hasura-cognito reconcile --on-delete mark", "", differences(got, want)); err != nil {
		return err
	}
	var report strings.Builder
	result.Print(&report, t.OnDelete)
	for line := range strings.Lines(report.String()) {
		e.printer.line("%s", strings.TrimRight("    "+plain(strings.TrimSuffix(line, "\n")), " "))
	}
	return nil
}

// open opens pool and table as the command line does: with the variables of the reconcile function.
func (e *everyone) open(ctx context.Context) (_ *usertable.Table, err error) {
	variables := e.stack.Function(functions.Reconcile).Env
	maps.Copy(variables, map[string]string{"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_REGION": "us-east-1"})
	for name, value := range variables {
		before, was := os.LookupEnv(name)
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
		defer func() {
			if was {
				err = errors.Join(err, os.Setenv(name, before))
			} else {
				err = errors.Join(err, os.Unsetenv(name))
			}
		}()
	}
	return usertable.Open(ctx, aws.Config{Region: variables["AWS_REGION"]}, usertable.Options{
		Pool: stack.PoolID, UserID: "sub", OnDelete: settings.Mark, MaxGone: 0.05, Rate: 30,
	}, slog.New(slog.NewTextHandler(io.Discard, nil)))
}
