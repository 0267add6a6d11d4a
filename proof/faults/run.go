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

	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A row of the table is a fault, the sign-ins that meet it, and the expectation.
type row struct {
	name string

	hasura, secrets, sqs stack.Fault
	settings             map[string]string                  // of the sync function
	begin                func(*environment) error           // for other faults; nil means none
	end                  func(*environment) error           // ends what begin began
	signIns              func(context.Context, *play) error // nil means five users, one after the other
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

// An environment is the stack of one row, and who has signed in there.
type environment struct {
	*stack.Stack

	mu      sync.Mutex
	signIns []signIn
}

// start starts an environment whose secrets contain the canary.
func start(ctx context.Context, functions string, r row) (*environment, error) {
	s, err := stack.Start(ctx, stack.Config{
		Functions: functions, Project: os.DirFS("graphql"), AdminSecret: firstSecret,
		Env:   map[string]map[string]string{stack.SyncUsers: r.settings},
		Queue: sqs.Queue{Visibility: cmp.Or(r.visibility, time.Second), MaxReceive: r.receives},
	})
	return &environment{Stack: s}, err
}

const firstSecret, secondSecret = canary + "-first-admin-secret", canary + "-second-admin-secret"

// call invokes the sync function in as many execution environments as there are calls at once.
func (e *environment) call(ctx context.Context, event []byte) (lambda.Result, error) {
	return e.Lambda.Invoke(ctx, stack.SyncUsers, event)
}

// A play is one run of a row.
type play struct {
	*environment
	row  row
	size size
}

// fault begins or ends what is wrong.
func (p *play) fault(on bool) error {
	faults, other := [3]stack.Fault{}, p.row.end
	if on {
		faults, other = [3]stack.Fault{p.row.hasura, p.row.secrets, p.row.sqs}, p.row.begin
	}
	err := errors.Join(p.Hasura.Set(faults[0]), p.SecretsManager.Set(faults[1]), p.SQS.Set(faults[2]))
	if other != nil {
		err = errors.Join(err, other(p.environment))
	}
	return err
}

// run plays the row, ends the fault, replays the queue and judges.
func (rep *report) run(ctx context.Context, functions string, s size) {
	if err := rep.try(ctx, functions, s); err != nil {
		rep.wrong = append(rep.wrong, err.Error())
	}
}

func (rep *report) try(ctx context.Context, functions string, s size) (err error) {
	e, err := start(ctx, functions, rep.row)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	p := &play{environment: e, row: rep.row, size: s}
	signIns := rep.row.signIns
	if signIns == nil {
		signIns = few
	}
	err = signIns(ctx, p)
	p.settle(ctx)
	err = errors.Join(err, p.fault(false))
	replaying, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	err = errors.Join(err, p.Replay(replaying))
	if dead := len(p.Queues.Bodies(stack.DeadLetters)); dead != rep.row.want.deadLetters {
		err = errors.Join(err, fmt.Errorf("%d dead letters, want %d", dead, rep.row.want.deadLetters))
	}
	p.Queues.Redrive(stack.Queue)
	err = errors.Join(err, p.Replay(replaying))
	rep.judge(ctx, e)
	return err
}

// settle waits until every call has logged its outcome. The oracle finds what is missing after that time.
func (p *play) settle(ctx context.Context) {
	calls := 0
	for _, s := range p.signIns {
		calls += s.calls
		if strings.Contains(s.refused, "Runtime.") {
			calls-- // the process has ended without a log record
		}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	p.Log.Wait(ctx, func(lines []stack.Line) bool {
		n := 0
		for _, line := range lines {
			if line.Outcome() {
				n++
			}
		}
		return n >= calls
	})
}
