// Command hasura-cognito is for operators of the suite: hasura-cognito --help.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"runtime/debug"
	"syscall"

	"github.com/fatih/color"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/attach"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/usertable"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, color.Output, os.Stderr}))
}

type streams struct {
	in       io.Reader
	out, err io.Writer
}

// Exit codes, as the help text says.
const (
	ok      = 0
	found   = 1
	invalid = 2
)

// errFound makes a command exit with 1 without a message: its report says why.
var errFound = errors.New("found")

// errIncomplete does the same with 2: the report says what did not end.
var errIncomplete = errors.New("incomplete")

func run(ctx context.Context, args []string, s streams) int {
	root := newRoot()
	root.SetArgs(longFlags(args))
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.InitDefaultCompletionCmd(args...) // which needs the streams
	for _, c := range root.Commands() {
		if c.HasSubCommands() { // else cobra shows the help for an unknown one, and the exit code is 0
			c.Args, c.RunE = cobra.NoArgs, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		}
	}
	err := root.ExecuteContext(ctx)
	var refused attach.Refusal
	var finding usertable.Finding
	switch {
	case err == nil:
		return ok
	case errors.Is(err, errFound):
		return found
	case errors.Is(err, errIncomplete):
		return invalid
	}
	fmt.Fprintln(s.err, err)
	if errors.As(err, &refused) || errors.As(err, &finding) || errors.Is(err, errRefused) {
		return found
	}
	return invalid
}

// globals are the flags of every command.
type globals struct {
	region, profile string
	json            bool
}

func newRoot() *cobra.Command {
	var g globals
	root := &cobra.Command{
		Use:   "hasura-cognito",
		Short: "Operate the functions between an Amazon Cognito user pool and Hasura",
		Long: `hasura-cognito operates the functions between an Amazon Cognito user pool and Hasura.

Exit codes:
  0  all is well
  1  a finding (doctor, check-table, smoke, reconcile, user), or the pool is not as asked (attach)
  2  wrong usage, or the command could not run, for example without AWS credentials`,
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			if g.profile == "" {
				return nil
			}
			return account.UseProfile(g.profile)
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&g.region, "region", "", "AWS Region, for example of a replica of a multi-Region pool (default: AWS_REGION, else the Region in the pool's id)")
	flags.StringVar(&g.profile, "profile", "", "AWS profile (default: AWS_PROFILE)")
	flags.BoolVar(&g.json, "json", false, "print JSON")
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return fmt.Errorf("%w. See %s --help", err, cmd.CommandPath())
	})
	root.AddCommand(doctorCommand(&g), attachCommand(&g), smokeCommand(&g), checkTableCommand(&g), reconcileCommand(&g), userCommand(&g))
	root.SetGlobalNormalizationFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "user-pool-id" { // as the AWS CLI calls it
			name = "pool"
		}
		return pflag.NormalizedName(name)
	})
	return root
}

// poolIsAFlag refuses arguments.
func poolIsAFlag(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%q: %s takes only flags, such as --pool us-east-1_ExaMPle01. See --help", args[0], cmd.CommandPath())
	}
	return nil
}

// release is the version that make release builds, "" otherwise.
var release string

func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}

var single = regexp.MustCompile(`^-[a-z]{2}`)

// longFlags turns -pool into --pool. Until version 1, doctor and attach took flags with one dash; scripts still have them.
func longFlags(args []string) []string {
	var long []string
	for _, arg := range args {
		if single.MatchString(arg) {
			arg = "-" + arg
		}
		long = append(long, arg)
	}
	return long
}

func printJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
