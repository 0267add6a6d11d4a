package cognitoidp

import (
	"errors"
	"maps"
	"slices"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

// An Invocation is one call of a trigger.
type Invocation struct {
	Source   string // the triggerSource
	Function string // ARN
	Event    []byte
	Result   lambda.Result
	Refused  error // what the app gets; nil if Cognito accepts the result
}

// tell calls the function of a trigger whose response says nothing, if the pool has one.
func (c *call) tell(trigger string, t userpool.Trigger) *awsjson.Error {
	arn, _ := member(c.pool, "LambdaConfig")[trigger].(string)
	if arn == "" {
		return nil
	}
	_, refused := c.invoke(t.Source, arn, c.event(t))
	return refused
}

// event fills in the pool and the user.
func (c *call) event(t userpool.Trigger) []byte {
	t.PoolID, _ = c.pool["Id"].(string)
	if t.Source == userpool.ClientCredentials {
		return t.Event()
	}
	t.Username, t.Attributes = c.user.Username, maps.Clone(c.user.Attributes)
	t.Attributes["cognito:user_status"] = c.user.Status
	for _, alias := range c.aliases() {
		if value := t.Attributes[alias]; value != "" && slices.Contains(verifiable, alias) {
			t.Attributes["cognito:"+alias+"_alias"] = value
		}
	}
	return t.Event()
}

// invoke calls a function. It returns Cognito's error if the function fails.
func (c *call) invoke(source, arn string, event []byte) ([]byte, *awsjson.Error) {
	result, err := c.Invoke(c.ctx, arn, event)
	var refused *awsjson.Error
	switch {
	case err != nil:
		refused = awsjson.Errorf("UnexpectedLambdaException", "%v", err)
	case result.FunctionError != "":
		refused = exception(userpool.Failed(source, result.Payload))
	default:
		if err := userpool.Check(event, result.Payload); err != nil {
			refused = exception(err)
		}
	}
	if c.Invoked != nil {
		i := Invocation{Source: source, Function: arn, Event: event, Result: result}
		if refused != nil {
			i.Refused = refused
		}
		c.Invoked(c.ctx, i)
	}
	return result.Payload, refused
}

func exception(err error) *awsjson.Error {
	if refused, ok := errors.AsType[*userpool.Error](err); ok {
		return awsjson.Errorf(refused.Code, "%s", refused.Message)
	}
	return awsjson.Errorf("InternalErrorException", "%v", err)
}
