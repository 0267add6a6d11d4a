package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/usertable"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

const userArgument = `The user is named by the sub or by the e-mail address. An address that is not in the pool is looked up in the rows. If several
users have the address, their subs are listed and the exit code is 1.`

// rate is how many requests per second a command about one user sends.
const rate = 6

func userCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "user", Short: "Show, sync or erase the row of one user", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	var showValues, yes bool
	show := oneUser(g, &cobra.Command{
		Use:   "show <sub or e-mail>",
		Short: "Show a user of the pool beside the row, column by column",
		Long: `show reads the user in the pool and the row in Hasura, and says for each column whether they are equal. Values are shown on a
terminal, or with --values.

` + userArgument + `

` + hasuraVariables + `

Exit code 1: the row is not equal to the pool.`,
		Example: `  hasura-cognito user show --pool us-east-1_ExaMPle01 1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15
  hasura-cognito user show --pool us-east-1_ExaMPle01 jane@example.com --values --json`,
	}, func(cmd *cobra.Command, t *usertable.Table, sub string) error {
		out := cmd.OutOrStdout()
		view, err := t.Show(cmd.Context(), sub, showValues || isTerminal(out) && !g.json)
		if err != nil {
			return err
		}
		if g.json {
			if err := printJSON(out, view); err != nil {
				return err
			}
		} else {
			view.Print(out)
		}
		if !view.Equal() {
			return errFound
		}
		return nil
	})
	show.Flags().BoolVar(&showValues, "values", false, "show the values, which are personal data, also where output is not a terminal")

	sync := oneUser(g, &cobra.Command{
		Use:   "sync <sub or e-mail>",
		Short: "Make the row of one user equal to the pool now",
		Long: `sync reads the user in the pool and writes the row if it differs. A row that a sync wrote less than a minute ago stays: then the
result is newer.

` + userArgument + `

` + hasuraVariables,
		Example: `  hasura-cognito user sync --pool us-east-1_ExaMPle01 jane@example.com`,
	}, func(cmd *cobra.Command, t *usertable.Table, sub string) error {
		outcome, err := t.Sync(cmd.Context(), sub)
		if err != nil {
			return err
		}
		return g.printOutcome(cmd, sub, string(outcome))
	})

	erase := oneUser(g, &cobra.Command{
		Use:   "erase <sub or e-mail>",
		Short: "Empty the row of one user who is gone from the pool",
		Long: `erase empties the personal columns of the row and sets deleted_at. The key stays for the foreign keys of other tables. The user must
be deleted in the pool first, and the last sync must be five minutes old. The pool is asked twice, a minute apart. No parked sync from
before can bring a value back.

Parked syncs, dead letters and logs are other places with personal data: docs/privacy.md.

` + userArgument + `

` + hasuraVariables,
		Example: `  hasura-cognito user erase --pool us-east-1_ExaMPle01 1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15`,
	}, func(cmd *cobra.Command, t *usertable.Table, sub string) error {
		if err := t.CheckErase(cmd.Context(), sub); err != nil {
			return err
		}
		if !yes && !confirmed(cmd.Context(), cmd.InOrStdin(), cmd.ErrOrStderr(), "Empty the row of "+sub+"?") {
			return errRefused
		}
		fmt.Fprintln(cmd.ErrOrStderr(), "The pool is asked twice. This takes a minute.")
		if err := t.Erase(cmd.Context(), sub); err != nil {
			return err
		}
		return g.printOutcome(cmd, sub, "erased")
	})
	erase.Flags().BoolVar(&yes, "yes", false, "do not ask")
	cmd.AddCommand(show, sync, erase)
	return cmd
}

// errRefused is a finding: nothing was wrong, and nothing was done.
var errRefused = errors.New("nothing was changed: the answer was not yes")

// oneUser adds to a command what all of them need: the pool, and the sub of the user who is named.
func oneUser(g *globals, cmd *cobra.Command, do func(*cobra.Command, *usertable.Table, string) error) *cobra.Command {
	o := usertable.Options{Rate: rate, OnDelete: settings.Report}
	tableFlags(cmd, &o)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) != 1 {
			return errors.New("name one user, by the sub or by the e-mail address")
		}
		return nil
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := account.CheckPool(o.Pool); err != nil {
			return err
		}
		t, err := openTable(cmd.Context(), g, o, cmd.ErrOrStderr())
		if err != nil {
			return err
		}
		sub, err := t.Find(cmd.Context(), args[0])
		if err != nil {
			return err
		}
		return do(cmd, t, sub)
	}
	return cmd
}

// printOutcome prints the outcome for one user.
func (g *globals) printOutcome(cmd *cobra.Command, sub, outcome string) error {
	if g.json {
		return printJSON(cmd.OutOrStdout(), map[string]string{"sub": sub, "outcome": outcome})
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\n", sub, outcome)
	return err
}

// confirmed asks for a yes. Ctrl-C is a no.
func confirmed(ctx context.Context, in io.Reader, out io.Writer, question string) bool {
	fmt.Fprint(out, question+" Type yes: ")
	defer fmt.Fprintln(out)
	answer := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(in).ReadString('\n')
		answer <- text
	}()
	select {
	case text := <-answer:
		return strings.TrimSpace(text) == "yes"
	case <-ctx.Done():
		return false
	}
}
