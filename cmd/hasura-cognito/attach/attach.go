// Package attach puts the suite's functions on the triggers of an existing user pool, and takes them off again.
//
// UpdateUserPool resets every setting that a request leaves out. So attach reads all settings of the pool and sends them back
// with three triggers changed: pre token generation, post confirmation and post authentication. Before the change it writes the
// old settings to a backup file, which undo reads. After the change it reads the pool again and compares all settings.
package attach

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Options say what to change, and how.
type Options struct {
	Pool    string // id
	Target  Target
	Undo    *Backup // if not nil, the change to take back; Target is not used
	Replace bool    // also replace other functions on these triggers
	Lossy   bool    // also change a pool that has settings which would be lost
	Apply   bool    // change the pool; otherwise only show the change
	Yes     bool    // do not ask
	Dir     string  // of the backup file
}

// Streams are what attach reads and writes. Out has the plan and its result, and Err the question.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// A Result is what attach has found and done, for programs.
type Result struct {
	UserPoolID string   `json:"userPoolId"`
	Region     string   `json:"region"`
	Changes    []Change `json:"changes"`         // that the command line asks for
	Lost       []string `json:"lost,omitempty"`  // settings that this version cannot send back
	Wrong      []Change `json:"wrong,omitempty"` // settings that differ after the change, from the wanted value to the pool's
	Applied    bool     `json:"applied"`         // the changes were written and verified
	Backup     string   `json:"backup,omitempty"`
}

// A Refusal is an error that says why the pool is not as the command line asks. Other errors mean that attach could not run.
type Refusal struct{ error }

func (r Refusal) Unwrap() error { return r.error }

func refuse(format string, args ...any) error { return Refusal{fmt.Errorf(format, args...)} }

// An attacher changes the triggers of one pool.
type attacher struct {
	Options
	Streams
	cognito *cognitoidentityprovider.Client
	lambda  *lambda.Client
	region  string
	result  *Result
	sleep   func(ctx context.Context, attempt int) error
}

// Run does what the options say. An error is a sentence for the user.
func Run(ctx context.Context, cfg aws.Config, o Options, s Streams) (Result, error) {
	a := attacher{Options: o, Streams: s, region: cfg.Region, sleep: pause,
		cognito: cognitoidentityprovider.NewFromConfig(cfg), lambda: lambda.NewFromConfig(cfg),
		result: &Result{UserPoolID: o.Pool, Region: cfg.Region, Changes: []Change{}}}
	err := a.run(ctx)
	return *a.result, err
}

func (a attacher) run(ctx context.Context) error {
	result := a.result
	before, err := a.read(ctx)
	if err != nil {
		return explain(err)
	}
	want, err := a.plan(before)
	if err != nil {
		return err
	}
	if err := a.checkFunctions(ctx, before, want); err != nil {
		return err
	}
	after := before.with(want)
	if result.Changes = changes(before.flat(), after.flat()); len(result.Changes) == 0 {
		fmt.Fprintf(a.Out, "%s in %s has these triggers already. Nothing to change.\n", a.Pool, a.region)
		return nil
	}
	fmt.Fprintf(a.Out, "These settings of %s (%s) in %s would change, and no others:\n", a.Pool, before.text("Name"), a.region)
	show(a.Out, result.Changes)
	if _, _, result.Lost, err = before.requests(); err != nil {
		return err
	}
	if len(result.Lost) > 0 {
		text := fmt.Sprintf("This version of hasura-cognito cannot send these settings back, so Cognito would reset them:\n  %s\n", strings.Join(result.Lost, "\n  "))
		if !a.Lossy {
			return refuse("%sNothing was changed. Use a newer version. With --lossy they are lost; the backup file has their values", text)
		}
		fmt.Fprint(a.Out, text)
	}
	if !a.Apply {
		fmt.Fprintln(a.Out, "Nothing was changed. To change the pool, add --apply (make attach … ARGS=--apply).")
		return nil
	}
	if !a.Yes && !a.confirmed(ctx) {
		return refuse("nothing was changed: the answer was not yes")
	}
	if result.Backup, err = a.backup(before, want); err != nil {
		return err
	}
	fmt.Fprintf(a.Out, "The old settings are in %s. To go back: --undo %[1]s --apply\n", result.Backup)
	if err := a.write(ctx, before, after); err != nil {
		return err
	}
	// The pool has changed: even after Ctrl-C, say whether all of it is right.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := a.verify(ctx, before, after); err != nil {
		return err
	}
	result.Applied = true
	return nil
}

// plan returns the triggers that the pool is to have.
func (a attacher) plan(s state) (triggers, error) {
	if a.Undo != nil {
		if found := differences(flatten(s.triggers().mirrored()), flatten(a.Undo.After.mirrored())); len(found) > 0 {
			return triggers{}, refuse("the triggers have changed since the backup (%s). Nothing was changed. Set them by hand", strings.Join(found, ", "))
		}
		return a.Undo.Before, nil
	}
	want, foreign, err := a.Target.attach(s)
	if err == nil && len(foreign) > 0 && !a.Replace {
		err = refuse("other functions are on these triggers, and Cognito calls one function per trigger:\n  %s\n"+
			"Nothing was changed. Call the other function from your own, or replace it with --replace", strings.Join(foreign, "\n  "))
	}
	return want, err
}

// confirmed asks for a yes. Ctrl-C is a no.
func (a attacher) confirmed(ctx context.Context) bool {
	fmt.Fprint(a.Err, "Change the pool? Type yes: ")
	defer fmt.Fprintln(a.Err)
	answer := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(a.In).ReadString('\n')
		answer <- text
	}()
	select {
	case text := <-answer:
		return strings.TrimSpace(text) == "yes"
	case <-ctx.Done():
		return false
	}
}

// patience bounds what attach still does after Ctrl-C.
const patience = 30 * time.Second

// pause waits before another attempt, twice as long each time.
var pause = func(ctx context.Context, attempt int) error {
	select {
	case <-time.After(time.Second << attempt):
		return nil
	case <-ctx.Done():
		return errors.New("interrupted")
	}
}
