package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A load lets users sign in, or tokens be issued.
type load func(context.Context, *environment) error

// A row of the table is a fault, the sign-ins that meet it, and the expectation.
type row struct {
	name string

	hasura, secrets, sqs stack.Fault
	settings             map[string]string        // of the sync function
	begin, end           func(*environment) error // of another fault; nil means none
	load                 load                     // nil means five users, one after the other
	crowd                crowdLoad                // of reconcile and follow; nil means that users sign in
	stream               bool

	receives   int           // after which a parked sync is a dead letter; 0 means 100
	visibility time.Duration // of a parked sync that was received; 0 means 1 s
	want       want
}

// A want is what a row promises beside what it promises in every row; see judge.
type want struct {
	logged      []string // messages; each must be logged
	never       string   // message that must not be logged
	class       string   // failure class of the first parked sync; empty means any
	refused     int      // sign-ins
	lossy       bool     // syncs can be lost if each is logged as "sync lost"
	deadLetters int      // before they are redriven
}

// An environment is the stack of one row, and the sign-ins there.
type environment struct {
	*stack.Stack
	row  row
	size size

	mu      sync.Mutex
	signIns []signIn
}

// start starts an environment whose secrets contain the canary.
func start(ctx context.Context, built string, r row, s size) (*environment, error) {
	services, err := stack.Start(ctx, stack.Config{
		Functions: built, Project: os.DirFS("graphql"), AdminSecret: firstSecret,
		Env:   map[string]map[string]string{functions.Sync: r.settings},
		Queue: sqs.Queue{Visibility: cmp.Or(r.visibility, time.Second), MaxReceive: r.receives},
	})
	return &environment{Stack: services, row: r, size: s}, err
}

const firstSecret, secondSecret = canary + "-first-admin-secret", canary + "-second-admin-secret"

// call invokes the sync function in as many execution environments as there are calls at once.
func (e *environment) call(ctx context.Context, event []byte) (lambda.Result, error) {
	return e.Lambda.Invoke(ctx, functions.Sync, event)
}

// fault begins or ends what is wrong.
func (e *environment) fault(on bool) error {
	faults, other := [3]stack.Fault{}, e.row.end
	if on {
		faults, other = [3]stack.Fault{e.row.hasura, e.row.secrets, e.row.sqs}, e.row.begin
	}
	err := errors.Join(e.Hasura.Set(faults[0]), e.SecretsManager.Set(faults[1]), e.SQS.Set(faults[2]))
	if other != nil {
		err = errors.Join(err, other(e))
	}
	return err
}

// run plays the row, ends the fault, replays the queue and judges.
func (rep *report) run(ctx context.Context, built string, s size) {
	try := rep.try
	if rep.row.crowd != nil {
		try = rep.tryCrowd
	}
	if err := try(ctx, built, s); err != nil {
		rep.wrong = append(rep.wrong, err.Error())
	}
}

func (rep *report) try(ctx context.Context, built string, s size) (err error) {
	e, err := start(ctx, built, rep.row, s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	load := rep.row.load
	if load == nil {
		load = few
	}
	err = load(ctx, e)
	e.settle(ctx)
	err = errors.Join(err, e.fault(false))
	replaying, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	err = errors.Join(err, e.Replay(replaying))
	if dead := len(e.Queues.Bodies(stack.DeadLetters)); dead != rep.row.want.deadLetters {
		err = errors.Join(err, fmt.Errorf("%d dead letters, want %d", dead, rep.row.want.deadLetters))
	}
	e.Queues.Redrive(stack.Queue)
	err = errors.Join(err, e.Replay(replaying))
	rep.judge(ctx, e)
	return err
}

// settle waits until every call has logged its outcome. The oracle finds what is missing after that time.
func (e *environment) settle(ctx context.Context) {
	calls := 0
	for _, s := range e.signIns {
		calls += s.calls
		if strings.Contains(s.refused, "Runtime.") {
			calls-- // the process has ended without a log record
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	e.Log.Wait(ctx, func(lines []stack.Line) bool {
		n := 0
		for _, line := range lines {
			if line.Outcome() {
				n++
			}
		}
		return n >= calls
	})
}
