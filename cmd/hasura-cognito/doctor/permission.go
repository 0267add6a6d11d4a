package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// permission checks that exactly this pool may call a function. Without the pool in
// the condition, anybody's pool may: they need only know the function's ARN.
func (d *doctor) permission(ctx context.Context, check, arn string) {
	name, qualifier := arn, (*string)(nil)
	if part := strings.Split(arn, ":"); len(part) == 8 {
		name, qualifier = strings.Join(part[:7], ":"), &part[7]
	}
	cure := fmt.Sprintf("aws lambda add-permission --statement-id cognito --action lambda:InvokeFunction --principal cognito-idp.amazonaws.com --source-arn %s --function-name %s",
		aws.ToString(d.pool.Arn), arn)
	out, err := d.lambda.GetPolicy(ctx, &lambda.GetPolicyInput{FunctionName: &name, Qualifier: qualifier})
	var none *types.ResourceNotFoundException
	switch {
	case errors.As(err, &none):
		d.report.add(check, bad, "nobody may call "+arn, cure)
	case err != nil:
		d.report.add(check, unknown, reason(err), "let these credentials do lambda:GetPolicy")
	default:
		verdict, found := judge(aws.ToString(out.Policy), aws.ToString(d.pool.Arn))
		d.report.add(check, verdict, found, cure+"; and remove the statement that is too wide, if there is one")
	}
}

// A statement is one of a function's resource policy. IAM may write a list of one as the
// one.
type statement struct {
	Effect    string
	Principal any
	Action    any
	Condition map[string]map[string]any
}

// judge says whether a policy lets Cognito call for a pool, and for no other.
func judge(policy, pool string) (verdict, string) {
	var document struct{ Statement json.RawMessage }
	var statements []statement
	if json.Unmarshal([]byte(policy), &document) != nil || json.Unmarshal(document.Statement, &statements) != nil {
		var one statement
		if json.Unmarshal(document.Statement, &one) != nil {
			return unknown, "the function's policy cannot be read"
		}
		statements = []statement{one}
	}
	v, found := bad, "the pool may not call it"
	for _, s := range statements {
		if !s.concernsCognito() {
			continue
		}
		sources := s.sources()
		if s.Effect == "Deny" {
			return bad, "a statement forbids Cognito to call it"
		}
		if len(sources) == 0 {
			return bad, "any user pool in any account may call it: a statement has no SourceArn"
		}
		for _, source := range sources {
			if source == pool {
				v, found = good, "this pool may call it, and no other"
			}
		}
		for _, source := range sources {
			if ok, _ := path.Match(source, pool); ok && source != pool {
				return doubt, "more pools than this one may call it: " + source
			}
		}
	}
	return v, found
}

func (s statement) concernsCognito() bool {
	principal := s.Principal
	if object, ok := principal.(map[string]any); ok {
		principal = object["Service"]
	}
	whom, what := texts(principal), texts(s.Action)
	called := false
	for _, action := range what {
		called = called || action == "*" || strings.EqualFold(action, "lambda:*") || strings.EqualFold(action, "lambda:InvokeFunction")
	}
	for _, name := range whom {
		if called && (name == "*" || name == "cognito-idp.amazonaws.com") {
			return true
		}
	}
	return false
}

// sources are the pools that a statement is limited to, as patterns.
func (s statement) sources() (list []string) {
	for operator, keys := range s.Condition {
		switch operator {
		case "ArnLike", "ArnEquals", "StringLike", "StringEquals":
		default:
			continue
		}
		for key, value := range keys {
			if strings.EqualFold(key, "aws:SourceArn") {
				list = append(list, texts(value)...)
			}
		}
	}
	return list
}

func texts(value any) (list []string) {
	switch value := value.(type) {
	case string:
		return []string{value}
	case []any:
		for _, item := range value {
			if text, ok := item.(string); ok {
				list = append(list, text)
			}
		}
	}
	return list
}
