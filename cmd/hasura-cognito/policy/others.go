package policy

import (
	"maps"
	"slices"
	"strings"
)

// An Other is a statement that lets more than one user pool in.
type Other struct {
	Sid       string // "" if the statement has no Sid
	Statement string // its name in a sentence
	Who       string // whom it lets in
	Outside   bool   // callers from other AWS accounts are among them
}

// outsider is an account that is not the pool's: AWS uses it in examples.
const outsider = "999999999999"

// Others returns the statements that let in anyone but Cognito for the user pool with an ARN. It tries callers that each
// statement may have been written for, and evaluates the whole policy for each.
func (p Policy) Others(pool string) (others []Other) {
	for _, s := range p.Statement {
		if s.Effect != "Allow" || !s.concernsInvoke() {
			continue
		}
		other := Other{Sid: s.Sid, Statement: s.name}
		for _, c := range s.candidates(pool) {
			if deny, _ := p.strongest("Deny", c.caller); deny < Yes && s.applies(c.caller) > No {
				other.Who, other.Outside = c.text, c.account != accountOf(pool)
				break
			}
		}
		if other.Who == "" && s.isForEveryone() {
			other.Who = "everyone, as its principal: only its conditions keep others out"
		}
		if other.Who != "" {
			others = append(others, other)
		}
	}
	return others
}

func (s statement) isForEveryone() bool {
	return s.NotPrincipal != nil || len(s.Principal["*"]) > 0 || slices.Contains(s.Principal["AWS"], "*")
}

// A candidate is a caller and who that is, in words.
type candidate struct {
	caller
	text string
}

// candidates returns callers that a statement may let in, those from other accounts first.
func (s statement) candidates(pool string) (all []candidate) {
	if s.isForEveryone() {
		all = append(all, candidate{caller{kind: "AWS", name: "arn:aws:iam::" + outsider + ":role/any", account: outsider}, "any AWS account"})
		for _, value := range s.values("aws:PrincipalAccount") {
			account := example(value, accountOf(pool))
			all = append(all, candidate{caller{kind: "AWS", name: "arn:aws:iam::" + account + ":role/any", account: account}, "the AWS account " + value})
		}
		all = append(all, s.services(pool, "cognito-idp.amazonaws.com")...)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.Principal)) {
		for _, name := range s.Principal[kind] {
			switch {
			case kind == "Service":
				all = append(all, s.services(pool, name)...)
			case kind == "AWS" && !strings.Contains(name, ":"):
				all = append(all, candidate{caller{kind: kind, name: name, account: name}, "the AWS account " + name})
			default:
				all = append(all, candidate{caller{kind: kind, name: name, account: accountOf(name)}, name})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		return int(verdictOf(a.account == accountOf(pool))) - int(verdictOf(b.account == accountOf(pool)))
	})
	return all
}

// services returns calls of a service for other sources than the pool.
func (s statement) services(pool, service string) (all []candidate) {
	add := func(arn, account, text string) {
		c := caller{kind: "Service", name: service, arn: arn, account: account}
		if c != cognito(pool) {
			all = append(all, candidate{c, text})
		}
	}
	who := "the service " + service
	anyone, ours := who+" for any AWS account", who+" for this account"
	if service == "cognito-idp.amazonaws.com" {
		who, anyone, ours = "Cognito", "any user pool of any AWS account", "other user pools of this account"
	}
	resource := strings.Replace(pool, ":"+accountOf(pool)+":", ":"+outsider+":", 1)
	add(resource, outsider, anyone)
	add(pool+"x", accountOf(pool), ours)
	for _, value := range s.values("aws:SourceAccount") {
		if account := example(value, accountOf(pool)); account != accountOf(pool) {
			add(strings.Replace(pool, ":"+accountOf(pool)+":", ":"+account+":", 1), account, who+" for the AWS account "+value)
		}
	}
	for _, value := range s.values("aws:SourceArn") {
		part := strings.SplitN(value, ":", 6)
		if len(part) == 6 {
			part[4] = example(part[4], accountOf(pool))
		}
		arn := strings.NewReplacer("*", "x", "?", "x").Replace(strings.Join(part, ":"))
		text := who + " for " + value
		if accountOf(arn) != "" {
			add(arn, accountOf(arn), text)
			continue
		}
		add(arn, outsider, text) // a bucket of S3, for example
		add(arn, accountOf(pool), text)
	}
	return all
}

// values returns the values of a condition key, with any operator.
func (s statement) values(name string) (all []string) {
	for _, keys := range s.Condition {
		for key, values := range keys {
			for _, value := range values {
				if strings.EqualFold(key, name) {
					all = append(all, string(value))
				}
			}
		}
	}
	return all
}

// example returns an account that a pattern matches: not ours if there is another.
func example(pattern, ours string) (account string) {
	for _, digit := range []string{"9", "8"} {
		account = strings.ReplaceAll(pattern, "?", digit)
		account = strings.Replace(account, "*", strings.Repeat(digit, max(0, len(outsider)+1-len(account))), 1)
		if account = strings.ReplaceAll(account, "*", ""); account != ours {
			break
		}
	}
	return account
}
