package stack

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// A Line is one log record of a function.
type Line struct {
	Message   string   `json:"message"`
	Level     string   `json:"level"`
	RequestID string   `json:"requestId"`
	Reason    string   `json:"reason"`
	Dropped   []string `json:"attributes"` // of "attributes dropped": names of attributes
}

// outcomes are the phrases with which a function says how a call went. Every call logs
// one of them, after anything else.
var outcomes = []string{
	"shaped", "passed through",
	"synced", "stale", "parked", "permanent failure", "sync lost", "sign-in refused", "ignored",
	"invalid event", "panic",
}

// A journal keeps what the functions print, by call.
type journal struct {
	mu     sync.Mutex
	calls  map[string][]Line
	strays []string
	more   chan struct{} // closed and replaced at each line
}

func newJournal() *journal {
	return &journal{calls: make(map[string][]Line), more: make(chan struct{})}
}

// Write takes one line.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var line Line
	if err := json.Unmarshal(p, &line); err != nil || line.Message == "" {
		j.strays = append(j.strays, strings.TrimSpace(string(p)))
	} else {
		j.calls[line.RequestID] = append(j.calls[line.RequestID], line)
	}
	close(j.more)
	j.more = make(chan struct{})
	return len(p), nil
}

// call returns what a call has logged, as soon as its outcome is there: a log line can
// arrive after the answer. When ctx ends first, it returns what there is.
func (j *journal) call(ctx context.Context, id string) []Line {
	for {
		j.mu.Lock()
		lines, more := slices.Clone(j.calls[id]), j.more
		j.mu.Unlock()
		if slices.ContainsFunc(lines, Line.outcome) {
			return lines
		}
		select {
		case <-more:
		case <-ctx.Done():
			return lines
		}
	}
}

func (l Line) outcome() bool { return slices.Contains(outcomes, l.Message) }
