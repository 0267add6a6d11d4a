package jwt

import (
	"encoding/json"
	"errors"
	"time"
)

// A Step is one of Hasura's checks. The steps are in Hasura's order.
type Step int

// The steps.
const (
	Form Step = iota
	Issuer
	Signature
	Registered
	Namespace
	Roles
	steps
)

var rules = [steps]string{
	Form:       "The token is a JWT: three parts, with a JSON object as payload. The registered claims in it have the right types.",
	Issuer:     "iss, if it is there, is the configured issuer.",
	Signature:  "The signature is of a configured key.",
	Registered: "The token is valid now, and aud, if it is there, is a configured audience.",
	Namespace:  "The claims are in the claims namespace, in the configured claims format.",
	Roles:      "The default role is an allowed role, and every session variable is a string.",
}

// String is the rule that the step checks.
func (s Step) String() string { return rules[s] }

// The results of a step.
const (
	Passed     = "passed"
	Failed     = "failed"
	Unchecked  = "not checked" // the keys are not at hand
	NotReached = "not reached"
)

// A Result is what a step gave.
type Result struct {
	Step   Step
	Result string
}

// A Judgement is what Hasura says about a token, in its default role.
type Judgement struct {
	Steps   []Result
	Refusal *Error // nil if the token is accepted
	Session Session
	Hint    Hint // for the refusal
}

// Judge judges a token at a time without a network. keys is the JWKS of a configuration
// with jwk_url. If it is empty, the signature is not checked. An error means that keys is no JWKS.
func Judge(token string, c Config, keys string, now time.Time) (Judgement, error) {
	check := checker{Config: c, now: now}
	unchecked := c.JWKURL != "" && keys == ""
	if !unchecked {
		list, err := c.given(keys)
		if err != nil {
			return Judgement{}, err
		}
		check.keys = func() ([]any, error) { return list, nil }
	}
	session, err := check.session(token, "")
	j := Judgement{Session: session}
	if refusal, ok := errors.AsType[*Error](err); ok {
		j.Refusal, j.Hint = refusal, hintFor(refusal)
	}
	for step := range steps {
		result := Result{step, Passed}
		switch {
		case step > check.reached:
			result.Result = NotReached
		case step == check.reached && err != nil:
			result.Result = Failed
		case step == Signature && unchecked:
			result.Result = Unchecked
		}
		j.Steps = append(j.Steps, result)
	}
	return j, nil
}

// given returns the keys without a network.
func (c Config) given(keys string) ([]any, error) {
	if c.JWKURL != "" {
		return parseKeys([]byte(keys))
	}
	key, err := parseKey(c.Type, c.Key)
	return []any{key}, err
}

// ParseConfig reads HASURA_GRAPHQL_JWT_SECRET.
func ParseConfig(text string) (c Config, err error) {
	err = json.Unmarshal([]byte(text), &c)
	return c, err
}
