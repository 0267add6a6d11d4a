// Package policy evaluates the resource-based policy of a Lambda function as IAM does. It answers two questions: may Cognito
// call the function for this user pool, and may anyone else.
package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A Policy is the resource-based policy of a function, as lambda:GetPolicy returns it.
type Policy struct {
	Statement list[statement]
}

// Parse reads a policy document.
func Parse(document string) (Policy, error) {
	var p Policy
	if err := json.Unmarshal([]byte(document), &p); err != nil {
		return p, errors.New("the function's policy is not a policy document")
	}
	for i := range p.Statement {
		p.Statement[i].name = fmt.Sprintf("%q", p.Statement[i].Sid)
		if p.Statement[i].Sid == "" {
			p.Statement[i].name = fmt.Sprintf("number %d", i+1)
		}
	}
	return p, nil
}

type statement struct {
	Sid          string
	Effect       string
	Principal    principals
	NotPrincipal *principals
	Action       list[string]
	NotAction    list[string]
	Condition    map[string]map[string]list[scalar] // operator, key, values

	name string
}

// A list is an array in a policy document, where one value may stand without its array.
type list[T any] []T

func (l *list[T]) UnmarshalJSON(data []byte) error {
	var many []T
	if json.Unmarshal(data, &many) == nil {
		*l = many
		return nil
	}
	var one T
	err := json.Unmarshal(data, &one)
	*l = list[T]{one}
	return err
}

// A scalar is a value of a condition: a string, a number or a boolean.
type scalar string

func (s *scalar) UnmarshalJSON(data []byte) error {
	*s = scalar(strings.Trim(string(data), `"`))
	var text string
	if json.Unmarshal(data, &text) == nil {
		*s = scalar(text)
	}
	return nil
}

// principals are names by kind, such as "Service" or "AWS". The kind of "*" alone is "*".
type principals map[string]list[string]

func (p *principals) UnmarshalJSON(data []byte) error {
	var all string
	if json.Unmarshal(data, &all) == nil {
		*p = principals{"*": {all}}
		return nil
	}
	return json.Unmarshal(data, (*map[string]list[string])(p))
}

// A caller is a service or a principal that invokes the function.
type caller struct {
	kind, name string // as in a policy: "Service" and "cognito-idp.amazonaws.com", or "AWS" and an ARN
	arn        string // aws:SourceArn, "" if the request does not have it
	account    string // aws:SourceAccount of a service, aws:PrincipalAccount of a principal
}

// A Verdict is the result of an evaluation. Maybe means that it depends on facts which a policy does not show.
type Verdict int

const (
	No Verdict = iota
	Maybe
	Yes
)

func verdictOf(b bool) Verdict {
	if b {
		return Yes
	}
	return No
}

// Pool reports whether Cognito may call the function for the user pool with an ARN, and why, as a sentence.
func (p Policy) Pool(arn string) (Verdict, string) {
	c := cognito(arn)
	if v, s := p.strongest("Deny", c); v == Yes {
		return No, "statement " + s.name + " denies the call for this pool"
	} else if v == Maybe {
		return Maybe, "statement " + s.name + " denies the call under conditions that doctor cannot evaluate"
	}
	switch v, s := p.strongest("Allow", c); v {
	case Yes:
		return Yes, "Cognito may call it for this pool"
	case Maybe:
		return Maybe, "statement " + s.name + " has conditions that doctor cannot evaluate"
	}
	return No, "no statement lets Cognito call it for this pool"
}

// strongest returns the statement with an effect that applies to c most surely.
func (p Policy) strongest(effect string, c caller) (strongest Verdict, of statement) {
	for _, s := range p.Statement {
		if s.Effect != effect {
			continue
		}
		if v := s.applies(c); v > strongest {
			strongest, of = v, s
		}
	}
	return strongest, of
}

// cognito is Cognito when it calls for a user pool.
func cognito(arn string) caller {
	return caller{kind: "Service", name: "cognito-idp.amazonaws.com", arn: arn, account: accountOf(arn)}
}

// accountOf returns the account in an ARN, "" if the ARN has no account.
func accountOf(arn string) string {
	if part := strings.SplitN(arn, ":", 6); len(part) == 6 {
		return part[4]
	}
	return ""
}

// applies reports whether a statement concerns an invocation by c.
func (s statement) applies(c caller) Verdict {
	if !s.concernsInvoke() || !s.names(c) {
		return No
	}
	v := Yes
	for operator, keys := range s.Condition {
		for key, values := range keys {
			v = min(v, condition(operator, key, values, c))
		}
	}
	return v
}

func (s statement) concernsInvoke() bool {
	const invoke = "lambda:invokefunction"
	matches := func(pattern string) bool { return glob(strings.ToLower(pattern), invoke) }
	if s.NotAction != nil {
		return !slices.ContainsFunc(s.NotAction, matches)
	}
	return slices.ContainsFunc(s.Action, matches)
}

func (s statement) names(c caller) bool {
	if s.NotPrincipal != nil {
		return !s.NotPrincipal.contain(c)
	}
	return s.Principal.contain(c)
}

// contain treats {"AWS": "*"} like "*", as IAM does in a resource-based policy.
func (p principals) contain(c caller) bool {
	if len(p["*"]) > 0 || slices.Contains(p["AWS"], "*") {
		return true
	}
	if c.kind == "AWS" && (slices.Contains(p["AWS"], c.account) || slices.ContainsFunc(p["AWS"], func(arn string) bool { return isRoot(arn, c.account) })) {
		return true
	}
	return slices.Contains(p[c.kind], c.name)
}

// isRoot reports whether arn means everyone in an account, such as arn:aws:iam::123456789012:root.
func isRoot(arn, account string) bool {
	part := strings.Split(arn, ":")
	return len(part) == 6 && part[2] == "iam" && part[4] == account && part[5] == "root"
}

// glob matches text with a pattern of IAM. "*" stands for any text, "/" and ":" included, and "?" for one character.
func glob(pattern, text string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := range len(text) + 1 {
				if glob(pattern[1:], text[i:]) {
					return true
				}
			}
			return false
		case text == "" || pattern[0] != '?' && pattern[0] != text[0]:
			return false
		}
		pattern, text = pattern[1:], text[1:]
	}
	return text == ""
}
