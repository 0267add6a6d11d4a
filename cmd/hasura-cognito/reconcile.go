package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/fatih/color"
	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/usertable"
	cognito "github.com/phenom-earth/hasura-cognito/pkg/pool"
	"github.com/phenom-earth/hasura-cognito/pkg/reconcile"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

const hasuraVariables = `Environment variables, each instead of the sync function's:
  GRAPHQL_DOMAIN         where Hasura is reached from here, for example the end of a tunnel, http://127.0.0.1:8080
  SECRETS_ARN            the secret with Hasura's admin secret. With both, the sync function is not read
  RECONCILE_HASURA_ROLE  the role to act as, for example cognito_reconcile (default: admin)

The credentials need cognito-idp:ListUsers and DescribeUserPool, secretsmanager:GetSecretValue, and lambda:GetFunctionConfiguration if the
sync function is read; kms:Decrypt for a secret with a key of your own. A user is never read with AdminGetUser, which Cognito bills.`

func reconcileCommand(g *globals) *cobra.Command {
	var o usertable.Options
	var prefix, onDelete, maxGone string
	var apply, onlyMissing, values bool
	cmd := &cobra.Command{
		Use:   "reconcile",
		Short: "Make the users table equal to the user pool; without --apply, say what differs",
		Long: `reconcile compares every user of the pool with the row in Hasura: users who never signed in, edited attributes, disabled and
deleted users. Without --apply it writes nothing. With --apply it writes the rows that differ, and no others.

The row of a user who is gone stays as it is, unless --on-delete says otherwise. It is changed only after two look-ups, a minute apart.
If too many users of a part are gone, nobody there is marked: --max-gone.

After Ctrl-C or a failure, run the same command again: it goes on, because rows that are equal to the pool are not written again.
The report has counts, column names and subs, no values.

Cognito allows an account 30 ListUsers requests per second in a Region. The reconcile and the follow function take 24 of them together.
So the default is 6. With --rate 24, the other two should not run.

` + hasuraVariables + `

Exit code 1: the table is not equal to the pool. 2: the comparison did not end.`,
		Example: `  hasura-cognito reconcile --pool us-east-1_ExaMPle01
  hasura-cognito reconcile --pool us-east-1_ExaMPle01 --on-delete mark --rate 24 --apply
  hasura-cognito reconcile --pool us-east-1_ExaMPle01 --prefix 3 --json`,
		Args: poolIsAFlag,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			reconcile.SetGC()
			out := cmd.OutOrStdout()
			var wrong, wrongShare error
			o.OnDelete, wrong = settings.ParseOnDelete(onDelete)
			o.MaxGone, wrongShare = settings.ParseMaxGone(maxGone)
			if err := errors.Join(account.CheckPool(o.Pool), flagError("--on-delete", wrong), flagError("--max-gone", wrongShare), checkReconcile(o, prefix)); err != nil {
				return err
			}
			if values && (g.json || !isTerminal(out)) {
				return errors.New("--values shows personal data, and only on a terminal and without --json")
			}
			log := &redirect{cmd.ErrOrStderr()}
			t, err := openTable(cmd.Context(), g, o, log)
			if err != nil {
				return err
			}
			t.DryRun, t.OnlyMissing = !apply, onlyMissing
			total, err := t.Total(cmd.Context(), prefix)
			if err != nil {
				return err
			}
			role := t.Role
			if role == "" {
				role = "admin"
			}
			fmt.Fprintf(cmd.ErrOrStderr(), "Pool %s, about %d users; Hasura at %s, role %s; at least %v at %g requests per second\n",
				o.Pool, total, t.Endpoint.URL, role, time.Duration(float64(total)/60/o.Rate*float64(time.Second)).Round(time.Second), o.Rate)
			switch reason := t.CanMark(); {
			case o.OnDelete == settings.Report:
			case reason != "":
				fmt.Fprintf(cmd.ErrOrStderr(), "No row can be marked: %s. See docs/hasura.md\n", reason)
			case apply:
				fmt.Fprintln(cmd.ErrOrStderr(), "Users who seem to be gone are looked up again after a minute")
			}
			progress := usertable.NewProgress(cmd.ErrOrStderr(), isTerminal(cmd.ErrOrStderr()), total)
			log.Writer, t.Progress = progress, progress.Add
			result := t.Run(cmd.Context(), prefix, total)
			progress.Close()
			if g.json {
				err = printJSON(out, result)
			} else {
				result.Print(out, o.OnDelete)
				if values {
					err = showSamples(cmd.Context(), out, t, result)
				}
			}
			switch {
			case err != nil:
				return err
			case !result.Complete:
				return errIncomplete
			case result.Findings():
				return errFound
			}
			return nil
		},
	}
	flags := cmd.Flags()
	tableFlags(cmd, &o)
	flags.BoolVar(&apply, "apply", false, "write the rows that differ")
	flags.BoolVar(&onlyMissing, "only-missing", false, "write only users without a row; nothing is updated or marked")
	flags.StringVar(&prefix, "prefix", "", "only users whose sub begins with this, for example 3")
	flags.StringVar(&onDelete, "on-delete", string(settings.Report), "rows of users who are gone: report leaves them, mark sets deleted_at, anonymize empties them")
	flags.StringVar(&maxGone, "max-gone", settings.ReconcileMaxGone.Default, "share of a part's users who may be gone; if more are gone, and more than 10, nobody is marked")
	flags.Float64Var(&o.Rate, "rate", 6, "requests to the pool per second, up to 30")
	flags.BoolVar(&values, "values", false, "also show the values of the sample, on a terminal")
	_ = cmd.RegisterFlagCompletionFunc("on-delete", cobra.FixedCompletions([]cobra.Completion{"report", "mark", "anonymize"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// tableFlags are the flags of the commands that read pool and table.
func tableFlags(cmd *cobra.Command, o *usertable.Options) {
	cmd.Flags().StringVar(&o.Pool, "pool", "", "id of the user pool, for example us-east-1_ExaMPle01")
	cmd.Flags().StringVar(&o.UserID, "user-id", "", "attribute with the user's id, or sub (default: the sync function's USER_ID)")
}

func flagError(flag string, err error) error {
	if err != nil {
		_, text, _ := strings.Cut(err.Error(), ": ") // without the name of the setting
		return fmt.Errorf("%s: %s", flag, text)
	}
	return nil
}

var prefixes = regexp.MustCompile(`^[0-9a-f]{0,8}$`)

func checkReconcile(o usertable.Options, prefix string) error {
	switch {
	case !prefixes.MatchString(prefix):
		return fmt.Errorf("--prefix %q is not one to eight hexadecimal digits in lower case", prefix)
	case !(o.Rate > 0 && o.Rate <= cognito.Quota):
		return fmt.Errorf("--rate %g is not above 0 and up to %d, the quota of ListUsers", o.Rate, cognito.Quota)
	}
	return nil
}

// openTable opens pool and table. Warnings are written to log.
func openTable(ctx context.Context, g *globals, o usertable.Options, log io.Writer) (*usertable.Table, error) {
	cfg, err := account.Config(ctx, account.Region(g.region, o.Pool))
	if err != nil {
		return nil, err
	}
	return usertable.Open(ctx, cfg, o, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime})))
}

func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// A redirect is a writer whose target changes when the progress bar appears.
type redirect struct{ io.Writer }

func showSamples(ctx context.Context, out io.Writer, t *usertable.Table, r usertable.Result) error {
	for _, d := range r.Samples {
		fmt.Fprintln(out)
		view, err := t.Show(ctx, d.Sub, true)
		if finding := (usertable.Finding{}); errors.As(err, &finding) {
			fmt.Fprintln(out, d.Sub+":", err)
			continue
		}
		if err != nil {
			return err
		}
		view.Print(out)
	}
	return nil
}

// isTerminal reports whether people read what is written.
func isTerminal(w io.Writer) bool {
	if w == color.Output {
		w = os.Stdout
	}
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}
