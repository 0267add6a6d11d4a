package policy

import (
	"slices"
	"strings"
)

// condition evaluates one key of a Condition block. It is Maybe where the request's value for the key cannot be known, or the
// operator is not one of those for strings and ARNs.
func condition(operator, key string, values []scalar, c caller) Verdict {
	operator = strings.ToLower(operator)
	if set, rest, ok := strings.Cut(operator, ":"); ok && strings.HasPrefix(set, "forall") {
		operator = rest + "ifexists" // ForAllValues is true for a request without the key
	} else if ok {
		operator = rest
	}
	operator, ifExists := strings.CutSuffix(operator, "ifexists")
	value, known := c.value(strings.ToLower(key))
	if !known {
		return Maybe
	}
	if operator == "null" {
		return verdictOf(slices.Contains(values, "true") == (value == ""))
	}
	base := strings.Replace(operator, "not", "", 1)
	negated := base != operator
	match, ok := operators[base]
	switch {
	case !ok || slices.ContainsFunc(values, func(v scalar) bool { return strings.Contains(string(v), "${") }):
		return Maybe
	case value == "":
		return verdictOf(negated || ifExists)
	}
	matched := slices.ContainsFunc(values, func(v scalar) bool { return match(string(v), value) })
	return verdictOf(matched != negated)
}

// operators match a value of a policy with one of a request. IAM treats ArnEquals like ArnLike.
var operators = map[string]func(pattern, value string) bool{
	"stringequals":           func(p, v string) bool { return p == v },
	"stringequalsignorecase": strings.EqualFold,
	"stringlike":             glob,
	"arnequals":              glob,
	"arnlike":                glob,
}

// value returns the caller's value for a condition key in lower case, "" if the request does not have the key. known is false for a key
// that says nothing about the caller's name, such as the time.
func (c caller) value(key string) (value string, known bool) {
	service := c.kind == "Service"
	switch key {
	case "aws:sourcearn":
		return c.arn, true
	case "aws:sourceaccount":
		if !service {
			return "", true
		}
		return c.account, true
	case "aws:principalaccount":
		if service {
			return "", true
		}
		return c.account, true
	}
	return "", false
}
