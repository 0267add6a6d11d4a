package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/attach"
)

func attachCommand(g *globals) *cobra.Command {
	var o attach.Options
	var undo string
	cmd := &cobra.Command{
		Use:   "attach",
		Short: "Put the functions on the triggers of an existing user pool, or undo that",
		Long: `attach puts the functions on three triggers of an existing user pool: pre token generation, post confirmation and post
authentication. Without --apply it shows what would change and changes nothing.

All other settings stay. UpdateUserPool resets every setting that a request leaves out, so attach sends all of them back, reads
the pool again and compares. A setting that this version does not know is named, and nothing is changed. Before the change, attach
writes a backup file for --undo. It refuses functions that do not exist or that Cognito may not call for the pool, and a pool with
other functions on these triggers.

Where Terraform or CloudFormation defines the pool, change it there: they would remove the triggers again.`,
		Example: `  hasura-cognito attach --pool us-east-1_ExaMPle01 --prefix acme-prod
  hasura-cognito attach --pool us-east-1_ExaMPle01 --prefix acme-prod --alias live --apply
  hasura-cognito attach --undo attach-us-east-1_ExaMPle01-20260102T150405Z.json --apply
  hasura-cognito attach --pool us-east-1_ExaMPle01 --prefix acme-prod --region us-west-2`,
		Args: poolIsAFlag,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkAttach(&o, g, undo); err != nil {
				return err
			}
			cfg, err := account.Config(cmd.Context(), account.Region(g.region, o.Pool))
			if err != nil {
				return err
			}
			s := attach.Streams{In: cmd.InOrStdin(), Out: cmd.OutOrStdout(), Err: cmd.ErrOrStderr()}
			if g.json {
				s.Out = io.Discard
			}
			result, err := attach.Run(cmd.Context(), cfg, o, s)
			if g.json {
				err = errors.Join(err, printJSON(cmd.OutOrStdout(), result))
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Pool, "pool", "", "id of the user pool, for example us-east-1_ExaMPle01")
	flags.StringVar(&o.Target.Prefix, "prefix", "", "beginning of the functions' names, for example acme-prod, in the pool's account and Region")
	flags.StringVar(&o.Target.Alias, "alias", "", "alias of the functions that Cognito calls, for example live")
	flags.StringVar(&o.Target.Trigger, "trigger", "", "ARN of the claims function, instead of --prefix")
	flags.StringVar(&o.Target.Sync, "sync", "", "ARN of the sync function, instead of --prefix")
	flags.StringVar(&o.Target.Version, "version", "", "Lambda version of pre token generation: V1_0, V2_0 or V3_0 (default: the pool's, else V2_0)")
	flags.BoolVar(&o.Replace, "replace", false, "replace other functions on these triggers")
	flags.BoolVar(&o.Lossy, "lossy", false, "change the pool although settings would be lost that this version cannot send back")
	flags.BoolVar(&o.Apply, "apply", false, "change the pool, after a question")
	flags.BoolVar(&o.Yes, "yes", false, "with --apply: do not ask")
	flags.StringVar(&o.Dir, "backup", ".", "folder of the backup file")
	flags.StringVar(&undo, "undo", "", "backup file of an earlier --apply, to take its change back")
	_ = cmd.MarkFlagFilename("undo", "json") // these fail only for flags that are not defined
	_ = cmd.MarkFlagDirname("backup")
	_ = cmd.RegisterFlagCompletionFunc("version", cobra.FixedCompletions([]cobra.Completion{"V1_0", "V2_0", "V3_0"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// checkAttach checks the command line, and reads pool and Region from the backup for --undo.
func checkAttach(o *attach.Options, g *globals, undo string) (err error) {
	if undo == "" {
		return errors.Join(account.CheckPool(o.Pool), o.Target.Check())
	}
	if o.Undo, err = attach.ReadBackup(undo); err != nil {
		return err
	}
	b := o.Undo
	if b.Region == "" {
		b.Region = account.PoolRegion(b.UserPoolID)
	}
	if cmp.Or(o.Pool, b.UserPoolID) != b.UserPoolID || cmp.Or(g.region, b.Region) != b.Region {
		return fmt.Errorf("%s is a backup of %s in %s. Leave out --pool and --region", undo, b.UserPoolID, b.Region)
	}
	o.Pool, g.region = b.UserPoolID, b.Region
	return nil
}
