package main

import (
	"context"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
)

// patience bounds all checks together.
const patience = 2 * time.Minute

func doctorCommand(g *globals) *cobra.Command {
	var o doctor.Options
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Check a deployment from the user pool to Hasura, with hints",
		Long: `doctor checks a deployment from the outside: the pool's triggers, the functions, who may call them, their settings, the roles
of the pool's groups, the secret, Hasura and its users table, the queues, reconcile and follow, and the alarms. It only
reads. It prints neither secrets nor anything about users.

Environment variables:
  GRAPHQL_DOMAIN  where Hasura is reached from here, for example the end of a tunnel, http://127.0.0.1:8080
  TOKEN           an ID token of the pool to show to Hasura: it proves that Hasura's issuer, audience and keys fit

Verdicts are ok, warn, FAIL and unknown (it cannot be seen from here). FAIL makes the exit code 1.`,
		Example: `  hasura-cognito doctor --pool us-east-1_ExaMPle01
  TOKEN=$(cat id-token) hasura-cognito doctor --pool us-east-1_ExaMPle01 --from-vpc
  hasura-cognito doctor --pool us-east-1_ExaMPle01 --region us-west-2 --json`,
		Args: poolIsAFlag,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := account.CheckPool(o.Pool); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			cfg, err := account.Config(ctx, account.Region(g.region, o.Pool))
			if err != nil {
				return err
			}
			o.Domain, o.Token = os.Getenv("GRAPHQL_DOMAIN"), os.Getenv("TOKEN")
			return g.print(cmd, doctor.Run(ctx, cfg, o))
		},
	}
	cmd.Flags().StringVar(&o.Pool, "pool", "", "id of the user pool, for example us-east-1_ExaMPle01")
	cmd.Flags().BoolVar(&o.FromVPC, "from-vpc", false, "fail if Hasura cannot be reached from here")
	return cmd
}
