package policy

import (
	"fmt"
	"strings"
	"testing"
)

const (
	pool    = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_ExaMPle01"
	service = `{"Service":"cognito-idp.amazonaws.com"}`
)

// allow is a statement in which Cognito may call for sources.
func allow(sid, operator, source string) string {
	return fmt.Sprintf(`{"Sid":%q,"Effect":"Allow","Principal":%s,"Action":"lambda:InvokeFunction","Resource":"*","Condition":{%q:{"AWS:SourceArn":%q}}}`,
		sid, service, operator, source)
}

// open is a statement without a condition.
func open(sid, principal string) string {
	return fmt.Sprintf(`{"Sid":%q,"Effect":"Allow","Principal":%s,"Action":"lambda:InvokeFunction"}`, sid, principal)
}

func with(statement, condition string) string {
	return strings.TrimSuffix(statement, "}") + `,"Condition":` + condition + "}"
}

func TestPolicy(t *testing.T) {
	good := allow("pool", "ArnLike", pool)
	everyone := []string{"any user pool of any AWS account"}
	rows := []struct {
		name       string
		statements []string
		pool       Verdict
		others     []string // whom each wide statement lets in
		inside     bool     // all of them are of the pool's account
	}{
		{"the pool alone", []string{good}, Yes, nil, false},
		{"the pool, by StringEquals", []string{allow("a", "StringEquals", pool)}, Yes, nil, false},
		{"the pool and its account", []string{with(open("a", service), `{"ArnLike":{"aws:sourcearn":["`+pool+`"]},"StringEquals":{"aws:SourceAccount":"123456789012"}}`)}, Yes, nil, false},
		{"another account", []string{with(open("a", service), `{"ArnLike":{"aws:SourceArn":"`+pool+`"},"StringEquals":{"aws:SourceAccount":123}}`)}, No, nil, false},
		{"no statement", nil, No, nil, false},
		{"another action", []string{strings.Replace(good, "InvokeFunction", "GetFunction", 1)}, No, nil, false},
		{"every action", []string{strings.Replace(good, "lambda:InvokeFunction", "lambda:*", 1)}, Yes, nil, false},
		{"every action but one", []string{strings.Replace(good, `"Action":"lambda:InvokeFunction"`, `"NotAction":["lambda:GetFunction"]`, 1)}, Yes, nil, false},
		{"another pool", []string{allow("a", "ArnLike", pool+"2")}, No, []string{"Cognito for " + pool + "2"}, true},

		{"no condition", []string{open("a", service)}, Yes, everyone, false},
		{"*", []string{allow("a", "ArnLike", "*")}, Yes, everyone, false},
		{"arn:*", []string{allow("a", "ArnLike", "arn:*")}, Yes, everyone, false},
		{"arn:aws:cognito-idp:*", []string{allow("a", "StringLike", "arn:aws:cognito-idp:*")}, Yes, everyone, false},
		{"another account's pool beside ours", []string{strings.Replace(good, `"`+pool+`"`, `["`+pool+`","`+strings.Replace(pool, "123456789012", "210987654321", 1)+`"]`, 1)}, Yes,
			[]string{"Cognito for arn:aws:cognito-idp:us-east-1:210987654321:userpool/us-east-1_ExaMPle01"}, false},
		{"a second wide statement", []string{good, allow("wide", "ArnLike", "arn:aws:cognito-idp:*:*:userpool/*")}, Yes, everyone, false},
		{"every pool of the account", []string{allow("a", "ArnLike", "arn:aws:cognito-idp:us-east-1:123456789012:userpool/*")}, Yes, []string{"other user pools of this account"}, true},
		{"wildcards match a slash", []string{allow("a", "ArnLike", "arn:aws:cognito-idp:us-east-1:123456789012:*")}, Yes, []string{"other user pools of this account"}, true},
		{"question marks", []string{allow("a", "ArnLike", strings.TrimSuffix(pool, "01")+"??")}, Yes, []string{"Cognito for " + strings.TrimSuffix(pool, "01") + "??"}, true},
		{"a wildcard in the account", []string{allow("a", "ArnLike", strings.Replace(pool, "123456789012", "12345678901?", 1))}, Yes,
			[]string{"Cognito for " + strings.Replace(pool, "123456789012", "12345678901?", 1)}, false},
		{"accounts with a prefix", []string{allow("a", "ArnLike", "arn:aws:cognito-idp:us-east-1:12345678901*:userpool/*")}, Yes,
			[]string{"Cognito for arn:aws:cognito-idp:us-east-1:12345678901*:userpool/*"}, false},
		{"the account alone", []string{with(open("a", service), `{"StringEquals":{"aws:SourceAccount":"123456789012"}}`)}, Yes, []string{"other user pools of this account"}, true},
		{"another account alone", []string{good, with(open("a", service), `{"StringEquals":{"aws:SourceAccount":"210987654321"}}`)}, Yes,
			[]string{"Cognito for the AWS account 210987654321"}, false},
		{"accounts with a prefix alone", []string{with(open("a", service), `{"StringLike":{"aws:SourceAccount":"1234567890*"}}`)}, Yes,
			[]string{"Cognito for the AWS account 1234567890*"}, false},
		{"everyone in another account", []string{good, with(open("a", `"*"`), `{"StringEquals":{"aws:PrincipalAccount":"210987654321"}}`)}, Yes,
			[]string{"the AWS account 210987654321"}, false},
		{"another partition", []string{allow("a", "ArnLike", strings.Replace(pool, "arn:aws:", "arn:aws*:", 1))}, Yes,
			[]string{"Cognito for " + strings.Replace(pool, "arn:aws:", "arn:aws*:", 1)}, true},
		{"an equals sign knows no wildcard", []string{allow("a", "StringEquals", "*")}, No, nil, false},
		{"any source but another one", []string{allow("a", "ArnNotLike", "arn:aws:cognito-idp:*:*:userpool/us-west-2_*")}, Yes, everyone, false},
		{"if there is a source", []string{allow("a", "ArnLikeIfExists", pool), with(open("b", `{"AWS":"*"}`), `{"ArnLikeIfExists":{"aws:SourceArn":"`+pool+`"}}`)}, Yes, []string{"any AWS account"}, false},

		{"everyone", []string{good, open("a", `"*"`)}, Yes, []string{"any AWS account"}, false},
		{"every AWS principal", []string{good, open("a", `{"AWS":"*"}`)}, Yes, []string{"any AWS account"}, false},
		{"every AWS principal with the pool's ARN", []string{strings.Replace(good, service, `{"AWS":"*"}`, 1)}, Yes,
			[]string{"everyone, as its principal: only its conditions keep others out"}, true},
		{"everyone in an organization", []string{good, with(open("a", `{"AWS":"*"}`), `{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}`)}, Yes, []string{"any AWS account"}, false},
		{"another account by number", []string{good, open("a", `{"AWS":"210987654321"}`)}, Yes, []string{"the AWS account 210987654321"}, false},
		{"another account's root", []string{good, open("a", `{"AWS":["arn:aws:iam::210987654321:root"]}`)}, Yes, []string{"arn:aws:iam::210987654321:root"}, false},
		{"a role of this account", []string{good, open("a", `{"AWS":"arn:aws:iam::123456789012:role/ci"}`)}, Yes, []string{"arn:aws:iam::123456789012:role/ci"}, true},
		{"all but a role", []string{good, strings.Replace(open("a", `{"AWS":"arn:aws:iam::123456789012:role/ci"}`), "Principal", "NotPrincipal", 1)}, Yes, []string{"any AWS account"}, false},
		{"another service", []string{good, open("a", `{"Service":"events.amazonaws.com"}`)}, Yes, []string{"the service events.amazonaws.com for any AWS account"}, false},
		{"another service for one source", []string{good, strings.Replace(allow("a", "ArnLike", "arn:aws:events:us-east-1:123456789012:rule/x"), "cognito-idp", "events", 1)}, Yes,
			[]string{"the service events.amazonaws.com for arn:aws:events:us-east-1:123456789012:rule/x"}, true},
		{"two wide statements", []string{open("a", service), open("", `"*"`)}, Yes, []string{"any user pool of any AWS account", "any AWS account"}, false},

		{"denied", []string{good, strings.Replace(good, "Allow", "Deny", 1)}, No, nil, false},
		{"denied perhaps", []string{good, with(strings.Replace(open("d", service), "Allow", "Deny", 1), `{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}`)}, Maybe, nil, false},
		{"a wide statement with a narrow denial", []string{open("a", service), strings.Replace(allow("d", "ArnNotEquals", pool), "Allow", "Deny", 1)}, Yes, nil, false},
		{"a condition that cannot be known", []string{with(open("a", service), `{"ArnLike":{"aws:SourceArn":"`+pool+`"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`)}, Maybe, nil, false},
		{"a policy variable", []string{allow("a", "StringLike", "${aws:PrincipalArn}")}, Maybe, everyone, false},
		{"the key must be absent", []string{with(open("a", service), `{"Null":{"aws:SourceArn":"true"}}`)}, No, nil, false},
		{"the key must be there", []string{with(open("a", service), `{"Null":{"aws:SourceArn":false}}`)}, Yes, everyone, false},
		{"a set operator", []string{allow("a", "ForAnyValue:StringLike", pool)}, Yes, nil, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p, err := Parse(`{"Version":"2012-10-17","Statement":[` + strings.Join(row.statements, ",") + `]}`)
			if err != nil {
				t.Fatal(err)
			}
			if got, why := p.Pool(pool); got != row.pool || why == "" {
				t.Errorf("the pool may call: %v (%s), want %v", got, why, row.pool)
			}
			others := p.Others(pool)
			var got []string
			for _, o := range others {
				got = append(got, o.Who)
				if o.Outside == row.inside {
					t.Errorf("%s lets in %s: outside = %t", o.Statement, o.Who, o.Outside)
				}
			}
			if fmt.Sprint(got) != fmt.Sprint(row.others) {
				t.Errorf("others are %q, want %q", got, row.others)
			}
		})
	}
}

func TestParse(t *testing.T) {
	p, err := Parse(`{"Statement":` + open("", service) + `}`)
	if others := p.Others(pool); err != nil || len(others) != 1 || others[0].Statement != "number 1" {
		t.Errorf("one statement without an array: %+v, %v", others, err)
	}
	if _, err := Parse("no policy"); err == nil {
		t.Error("text that is not JSON is taken for a policy")
	}
}
