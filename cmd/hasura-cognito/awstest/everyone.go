package awstest

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/eventbridge"
)

// A Rule is one of EventBridge.
type Rule struct {
	State, Pattern string
	Targets        []string // ARNs
}

func (a *Account) eventBridge(w http.ResponseWriter, r *http.Request, action string) {
	var in struct{ Name, Rule, EventPattern, Event string }
	json.NewDecoder(r.Body).Decode(&in)
	rule, found := a.Rules[in.Name+in.Rule]
	var answer Object
	switch {
	case action == "TestEventPattern":
		pattern, err := eventbridge.Parse(in.EventPattern)
		answer, found = Object{"Result": pattern.Matches([]byte(in.Event))}, err == nil
	case !found:
	case action == "DescribeRule":
		answer = Object{"Name": in.Name, "State": rule.State, "EventPattern": rule.Pattern}
	case action == "ListTargetsByRule":
		targets := []Object{}
		for i, arn := range rule.Targets {
			targets = append(targets, Object{"Id": strconv.Itoa(i), "Arn": arn})
		}
		answer = Object{"Targets": targets}
	}
	a.answer(w, action, answer, found)
}

// A Trail is one of CloudTrail. Status and selectors are shown in its home Region alone.
type Trail struct {
	Name, Home string
	Stopped    bool
	Selectors  Object // GetEventSelectors
}

func (t Trail) arn() string { return "arn:aws:cloudtrail:" + t.Home + ":123456789012:trail/" + t.Name }

func (a *Account) cloudTrail(w http.ResponseWriter, r *http.Request, action string) {
	var in struct{ Name, TrailName string }
	json.NewDecoder(r.Body).Decode(&in)
	if action == "DescribeTrails" {
		list := []Object{}
		for _, t := range a.Trails {
			list = append(list, Object{"Name": t.Name, "TrailARN": t.arn(), "HomeRegion": t.Home})
		}
		a.answer(w, action, Object{"trailList": list}, true)
		return
	}
	i := slices.IndexFunc(a.Trails, func(t Trail) bool { return t.arn() == in.Name+in.TrailName && t.Home == region(r) })
	var answer Object
	switch {
	case i < 0:
	case action == "GetTrailStatus":
		answer = Object{"IsLogging": !a.Trails[i].Stopped}
	case action == "GetEventSelectors":
		answer = a.Trails[i].Selectors
	}
	a.answer(w, action, answer, answer != nil)
}

// A Line is one of a log group.
type Line struct {
	At   time.Time
	Text string
}

var quoted = regexp.MustCompile(`"[^"]*"`)

// logs answers DescribeLogGroups, and FilterLogEvents with one event a page. The pattern lists the messages that it wants.
func (a *Account) logs(w http.ResponseWriter, r *http.Request, action string) {
	var in struct {
		LogGroupName, FilterPattern, NextToken string
		StartTime                              int64
	}
	json.NewDecoder(r.Body).Decode(&in)
	if action == "DescribeLogGroups" {
		groups := []Object{}
		for name := range a.Logs {
			groups = append(groups, Object{"logGroupName": name, "retentionInDays": a.LogRetention})
		}
		a.answer(w, action, Object{"logGroups": groups}, true)
		return
	}
	lines, found := a.Logs[in.LogGroupName]
	wanted := slices.DeleteFunc(slices.Clone(lines), func(l Line) bool {
		var line struct{ Message string }
		json.Unmarshal([]byte(l.Text), &line)
		return l.At.UnixMilli() < in.StartTime || !slices.Contains(quoted.FindAllString(in.FilterPattern, -1), strconv.Quote(line.Message))
	})
	page, _ := strconv.Atoi(in.NextToken)
	events := []Object{}
	answer := Object{}
	if page < len(wanted) {
		events = append(events, Object{"timestamp": wanted[page].At.UnixMilli(), "message": wanted[page].Text})
		answer["nextToken"] = strconv.Itoa(page + 1)
	}
	answer["events"] = events
	a.answer(w, action, answer, found)
}
