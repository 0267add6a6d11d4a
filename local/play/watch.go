package main

import (
	"context"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// steps in a context collects what the triggers of an operation do.
type steps struct{ list []step }

type stepsKey struct{}

// watch puts what the triggers do into the steps of the context. Users of the pool sign in with an e-mail address.
func watch(s *stack.Stack) {
	s.UserPool.Pool["UsernameAttributes"] = []any{"email"}
	s.UserPool.Invoke = func(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
		call, err := s.Send(ctx, arn[strings.LastIndex(arn, ":")+1:], event)
		if all, ok := ctx.Value(stepsKey{}).(*steps); ok {
			all.list = append(all.list, step{Call: call})
		}
		return call.Result, err
	}
	s.UserPool.Invoked = func(ctx context.Context, i cognitoidp.Invocation) {
		if all, ok := ctx.Value(stepsKey{}).(*steps); ok { // after Invoke
			last := &all.list[len(all.list)-1]
			last.Source, last.Event, last.Refused = i.Source, i.Event, i.Refused
		}
	}
}
