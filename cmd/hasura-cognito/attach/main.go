// Command attach puts the suite's functions on a user pool that is there already,
// and takes them off again:
//
//	make attach USER_POOL_ID=us-east-1_ExaMPle01 PREFIX=acme-prod
//	make attach USER_POOL_ID=us-east-1_ExaMPle01 PREFIX=acme-prod ARGS=-apply
//	make attach ARGS='-undo attach-us-east-1_ExaMPle01-20260102T150405Z.json -apply'
//
// It shows what it would change and changes nothing; with -apply it asks first, and
// with -yes too it does not ask.
//
// UpdateUserPool resets every setting that a request leaves out. So everything that
// the pool has is read and sent back, with three triggers changed (pre token
// generation, post confirmation, post authentication), and afterwards read again and
// compared setting by setting. Before that, what there was is written to a file,
// which -undo takes.
//
// A trigger that belongs to another function is left alone, and so is the whole pool
// then, unless -replace says otherwise: Cognito has one function for each trigger.
//
// It exits with 1 when something failed or the pool is not as it should be, and with 2
// when it was called wrongly.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/account"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(stderr, err)
		}
		return 2
	}
	cfg, err := account.Of(ctx, o.pool)
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	a := attacher{
		pool:   o.pool,
		client: cognitoidentityprovider.NewFromConfig(cfg),
		sleep:  pause,
		out:    stdout,
	}
	if err := a.attach(ctx, o, stdin); err != nil {
		fmt.Fprintln(stderr, explain(err))
		return 1
	}
	return 0
}

// options are the command line.
type options struct {
	pool    string
	target  target
	undo    *backup // nil means attach
	replace bool
	apply   bool
	yes     bool
	dir     string // of the backup
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("attach", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.pool, "pool", "", "the user pool's id, such as us-east-1_ExaMPle01")
	flags.StringVar(&o.target.prefix, "prefix", "", "what begins the functions' names, such as acme-prod, where they are in the pool's account and region")
	flags.StringVar(&o.target.alias, "alias", "", "the functions' alias that Cognito is to call, if it is to call one")
	flags.StringVar(&o.target.trigger, "trigger", "", "ARN of the pre token generation function, instead of -prefix")
	flags.StringVar(&o.target.sync, "sync", "", "ARN of the post confirmation and post authentication function, instead of -prefix")
	flags.StringVar(&o.target.version, "version", "", "Lambda version of the pre token generation trigger: V1_0, V2_0 or V3_0; by default the one that it has, or V2_0")
	flags.BoolVar(&o.replace, "replace", false, "take the place of other functions that are on these triggers")
	flags.BoolVar(&o.apply, "apply", false, "change the pool, after asking")
	flags.BoolVar(&o.yes, "yes", false, "with -apply, do not ask")
	flags.StringVar(&o.dir, "backup", ".", "folder for the file that -undo takes")
	undo := flags.String("undo", "", "file written by an earlier -apply, whose change to undo")
	if err := flags.Parse(args); err != nil {
		return o, flag.ErrHelp
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not understood: everything is said by flags, see -help", flags.Arg(0))
	}
	if *undo != "" {
		if o.undo, err = readBackup(*undo); err != nil {
			return o, err
		}
		if o.pool != "" && o.pool != o.undo.UserPoolID {
			return o, fmt.Errorf("%s is of the pool %s, not of %s", *undo, o.undo.UserPoolID, o.pool)
		}
		o.pool = o.undo.UserPoolID
		return o, nil
	}
	return o, errors.Join(account.CheckPool(o.pool), o.target.check())
}

// pause waits before another attempt, twice as long each time. Tests do not.
var pause = func(ctx context.Context, attempt int) error {
	select {
	case <-time.After(time.Second << attempt):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
