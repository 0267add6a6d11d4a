package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/smoke"
)

func smokeCommand(g *globals) *cobra.Command {
	var o smoke.Options
	var out string
	cmd := &cobra.Command{
		Use:   "smoke",
		Short: "Sign a throwaway user in to a real deployment, check tokens and row, delete both",
		Long: `smoke makes a throwaway user in the pool, signs the user in, checks both tokens by Hasura's rules, asks the real Hasura with
each, checks the row, refreshes, and checks the new tokens. Then it deletes the user and the row, also after a failure and after
Ctrl-C. If it cannot delete them, it says what is left. Cognito sends no message. Cognito bills the user as an active one.

The app client needs ALLOW_USER_PASSWORD_AUTH or ALLOW_ADMIN_USER_PASSWORD_AUTH, and ALLOW_REFRESH_TOKEN_AUTH or rotation of refresh
tokens. The pool must not require MFA. The credentials need cognito-idp:DescribeUserPool, DescribeUserPoolClient, AdminCreateUser,
AdminSetUserPassword and AdminDeleteUser, lambda:GetFunctionConfiguration, and secretsmanager:GetSecretValue; AdminInitiateAuth if the
app client has no ALLOW_USER_PASSWORD_AUTH; kms:Decrypt for a secret with a key of your own. docs/evidence.md has a policy.

Environment variables:
  GRAPHQL_DOMAIN  where Hasura is reached from here, if --hasura is not set
  CLIENT_SECRET   secret of the app client, if Cognito does not show it

It prints no token, no password and no secret. FAIL makes the exit code 1.`,
		Example: `  hasura-cognito smoke --pool us-east-1_ExaMPle01 --client-id 1example23456789example012
  hasura-cognito smoke --pool us-east-1_ExaMPle01 --client-id 1example23456789example012 --hasura http://127.0.0.1:8080 --out smoke.json`,
		Args: poolIsAFlag,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := checkSmoke(o); err != nil {
				return err
			}
			// Before anything is made, so that a wrong path costs nothing.
			var file *os.File
			if out != "" {
				if file, err = os.OpenFile(out, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
					return err
				}
				defer func() { err = errors.Join(err, file.Close()) }()
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), patience+o.Wait)
			defer cancel()
			cfg, err := account.Config(ctx, account.Region(g.region, o.Pool))
			if err != nil {
				return err
			}
			o.Domain, o.ClientSecret = cmp.Or(o.Domain, os.Getenv("GRAPHQL_DOMAIN")), os.Getenv("CLIENT_SECRET")
			result := struct {
				Version string `json:"version"`
				smoke.Result
			}{version(), smoke.Run(ctx, cfg, o)}
			if file != nil {
				if err := printJSON(file, result); err != nil {
					return err
				}
			}
			stdout := cmd.OutOrStdout()
			if g.json {
				if err := printJSON(stdout, result); err != nil {
					return err
				}
			} else {
				result.Checks.Print(stdout, stdout == color.Output && !color.NoColor)
				if len(result.Left) > 0 {
					fmt.Fprintf(stdout, "\nNot deleted: %s\n", strings.Join(result.Left, ", "))
				}
			}
			if result.Failed() {
				return errFound
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Pool, "pool", "", "id of the user pool, for example us-east-1_ExaMPle01")
	flags.StringVar(&o.Client, "client-id", "", "id of the app client that the user signs in with")
	flags.StringVar(&o.Domain, "hasura", "", "where Hasura is reached from here (default: GRAPHQL_DOMAIN, else the sync function's setting)")
	flags.DurationVar(&o.Wait, "wait", 15*time.Second, "how long to wait for the row")
	flags.StringVar(&out, "out", "", "file that the result is written to as JSON")
	_ = cmd.MarkFlagFilename("out", "json") // this fails only for a flag that is not defined
	return cmd
}

func checkSmoke(o smoke.Options) error {
	var missing error
	if o.Client == "" {
		missing = errors.New("--client-id is missing. Set it to the id of an app client of the pool, for example 1example23456789example012")
	}
	return errors.Join(account.CheckPool(o.Pool), missing)
}
