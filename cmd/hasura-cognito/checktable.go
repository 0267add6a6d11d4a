package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

func checkTableCommand(g *globals) *cobra.Command {
	var o struct{ hasura, secretFile, role, schema string }
	cmd := &cobra.Command{
		Use:   "check-table",
		Short: "Check whether Hasura's users table fits the description in pkg/users, with hints",
		Long: `check-table compares the users table in Hasura with the description in pkg/users/description.go and the operation in
graphql/upsertUser.graphql. It says which columns and permissions are missing, which columns have another type, which NOT NULL columns
can stay empty, and which unique constraints refuse users. It changes nothing in Hasura.

With --print-schema it first writes Hasura's schema to a file, such as graphql/schema.graphql.

Environment variable:
  HASURA_GRAPHQL_ADMIN_SECRET  the admin secret, if --admin-secret-file is not given

Verdicts are ok, warn and FAIL. FAIL makes the exit code 1.`,
		Example: `  hasura-cognito check-table --hasura http://127.0.0.1:8080 --admin-secret-file admin-secret
  pass show hasura | hasura-cognito check-table --hasura https://api.example.com --admin-secret-file - --print-schema graphql/schema.graphql`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.hasura == "" {
				return errors.New("--hasura: missing. Set it to Hasura's URL, for example http://127.0.0.1:8080")
			}
			endpoint, err := settings.NewEndpoint(o.hasura, "")
			if err != nil {
				return fmt.Errorf("--hasura: %w", err)
			}
			secret, err := adminSecret(o.secretFile, cmd.InOrStdin())
			if err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			table := doctor.Table{Endpoint: endpoint, Secret: secrets.New(secret), Role: o.role}
			if o.schema != "" {
				text, err := table.Schema(ctx)
				if err == nil {
					err = os.WriteFile(o.schema, []byte(text), 0o644)
				}
				if err != nil {
					return fmt.Errorf("print the schema: %w", err)
				}
			}
			return g.print(cmd, table.Check(ctx))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.hasura, "hasura", "", "Hasura's URL, for example http://127.0.0.1:8080")
	flags.StringVar(&o.secretFile, "admin-secret-file", "", "file with the admin secret, or - for standard input")
	flags.StringVar(&o.role, "role", "cognito_sync", `role of the sync function, HASURA_ROLE; "" means admin`)
	flags.StringVar(&o.schema, "print-schema", "", "file to write Hasura's schema to, for example graphql/schema.graphql")
	return cmd
}

// adminSecret reads the admin secret. It is no flag: other users of the machine can see command lines.
func adminSecret(file string, stdin io.Reader) (string, error) {
	text := []byte(os.Getenv("HASURA_GRAPHQL_ADMIN_SECRET"))
	var err error
	switch file {
	case "":
	case "-":
		text, err = io.ReadAll(stdin)
	default:
		text, err = os.ReadFile(file)
	}
	secret := strings.TrimSpace(string(text))
	if err == nil && secret == "" {
		err = errors.New("no admin secret. Give --admin-secret-file, or set HASURA_GRAPHQL_ADMIN_SECRET")
	}
	return secret, err
}

// print prints a report. The error is errFound if a check failed.
func (g *globals) print(cmd *cobra.Command, report doctor.Report) error {
	out := cmd.OutOrStdout()
	if g.json {
		if err := printJSON(out, report); err != nil {
			return err
		}
	} else {
		report.Print(out, out == color.Output && !color.NoColor)
	}
	if report.Failed() {
		return errFound
	}
	return nil
}
