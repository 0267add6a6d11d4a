package cognitoidp

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// A listing is what ListUsers shows.
type listing struct {
	requests int
	shown    map[string]listed // by sub
	sorted   []string          // the subs; nil if they have changed
	pending  []change
}

type listed struct {
	email string
	json  json.RawMessage
}

// A change is one that ListUsers does not show yet.
type change struct {
	at   time.Time
	sub  string
	user *listed // nil if the user was deleted
}

func (u *Users) change(c change) {
	u.pending = append(u.pending, c)
	u.settle()
}

// settle shows the changes that are old enough.
func (u *Users) settle() {
	if u.shown == nil {
		u.shown = make(map[string]listed)
	}
	for ; len(u.pending) > 0 && time.Since(u.pending[0].at) >= u.Stale; u.pending = u.pending[1:] {
		c := u.pending[0]
		before := len(u.shown)
		if c.user == nil {
			delete(u.shown, c.sub)
		} else {
			u.shown[c.sub] = *c.user
		}
		if len(u.shown) != before {
			u.sorted = nil
		}
	}
}

// A token says where the next page of a listing begins.
type token struct {
	Filter  any
	After   string
	Request int // the number of the request that returned it
}

var filterForm = regexp.MustCompile(`^(sub|email) (=|\^=) "([^"\\]*)"$`)

// list returns one page, in the order of the subs.
func (u *Users) list(request Object) (any, *awsjson.Error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.requests++
	u.settle()
	for name := range request {
		if !slices.Contains([]string{"UserPoolId", "Limit", "Filter", "PaginationToken"}, name) {
			return nil, awsjson.Errorf("InvalidParameterException", "the stand-in does not serve %s", name)
		}
	}
	limit := 60
	if n, ok := request["Limit"].(float64); ok {
		if limit = int(n); n > 60 {
			return nil, awsjson.Errorf("InvalidParameterException", "Member must have value less than or equal to 60")
		}
	}
	from := token{Filter: request["Filter"]}
	if text, ok := request["PaginationToken"].(string); ok {
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil || json.Unmarshal(data, &from) != nil || from.Filter != request["Filter"] ||
			u.TokenLife > 0 && u.requests-from.Request > u.TokenLife {
			return nil, awsjson.Errorf("InvalidParameterException", "Invalid pagination token given")
		}
	}
	subs, refused := u.matching(from.Filter)
	if refused != nil {
		return nil, refused
	}
	start, _ := slices.BinarySearch(subs, from.After)
	if subs = subs[start:]; len(subs) > 0 && subs[0] == from.After && !u.Repeat {
		subs = subs[1:]
	}
	size := min(limit, len(subs))
	if u.Short {
		size = rand.IntN(size + 1)
	}
	answer, page := Object{}, make([]json.RawMessage, 0, size)
	for _, sub := range subs[:size] {
		page = append(page, u.shown[sub].json)
	}
	answer["Users"] = page
	if size < len(subs) {
		if size > 0 {
			from.After = subs[size-1]
		}
		from.Request = u.requests
		data, err := json.Marshal(from)
		if err != nil {
			return nil, awsjson.Errorf("InternalErrorException", "encode the token")
		}
		answer["PaginationToken"] = base64.StdEncoding.EncodeToString(data)
	}
	return answer, nil
}

// matching returns the subs that a filter lets through.
func (u *Users) matching(filter any) ([]string, *awsjson.Error) {
	if u.sorted == nil {
		u.sorted = slices.AppendSeq(make([]string, 0, len(u.shown)), maps.Keys(u.shown))
		slices.Sort(u.sorted)
	}
	text, _ := filter.(string)
	if text == "" {
		return u.sorted, nil
	}
	m := filterForm.FindStringSubmatch(text)
	if m == nil {
		return nil, awsjson.Errorf("InvalidParameterException", "the stand-in does not serve the filter %s", text)
	}
	if m[1] == "email" {
		return slices.DeleteFunc(slices.Clone(u.sorted), func(sub string) bool {
			return m[2] == "=" && u.shown[sub].email != m[3] || !strings.HasPrefix(u.shown[sub].email, m[3])
		}), nil
	}
	start, found := slices.BinarySearch(u.sorted, m[3])
	if m[2] == "=" {
		if found {
			return u.sorted[start : start+1], nil
		}
		return nil, nil
	}
	end, _ := slices.BinarySearch(u.sorted, m[3]+"g") // after the last hex digit
	return u.sorted[start:end], nil
}
