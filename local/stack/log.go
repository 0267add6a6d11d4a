package stack

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// A Line is one line that a function printed.
type Line struct {
	Text string `json:"-"`

	// What follows is empty if the line is not a log record.
	Message   string   `json:"message"`
	RequestID string   `json:"requestId"`
	Class     string   `json:"class"` // of a failure
	Error     string   `json:"error"`
	Reason    string   `json:"reason"`
	Columns   []string `json:"columns"` // of "attributes dropped"
}

// outcomes are the messages that say how a call ended. Every call logs one of them, after anything else.
var outcomes = []string{
	"shaped", "passed through",
	"synced", "stale", "parked", "permanent failure", "sync lost", "sign-in refused", "ignored",
	"invalid event", "panic",
}

// Outcome reports whether the line says how a call ended.
func (l Line) Outcome() bool { return slices.Contains(outcomes, l.Message) }

// A Log keeps what the functions print, in order.
type Log struct {
	mu    sync.Mutex
	lines []Line
	more  chan struct{} // closed and replaced at each line
}

// Write takes one line.
func (l *Log) Write(p []byte) (int, error) {
	line := Line{Text: strings.TrimSpace(string(p))}
	// A record with an attribute of another type is a record all the same.
	_ = json.Unmarshal(p, &line)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, line)
	if l.more != nil {
		close(l.more)
		l.more = nil
	}
	return len(p), nil
}

// Lines returns the lines that have been printed.
func (l *Log) Lines() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

// Wait returns the lines as soon as there are enough, or when ctx ends. A line can come after the answer of its call.
func (l *Log) Wait(ctx context.Context, enough func([]Line) bool) []Line {
	for {
		l.mu.Lock()
		if l.more == nil {
			l.more = make(chan struct{})
		}
		lines, more := slices.Clone(l.lines), l.more
		l.mu.Unlock()
		if enough(lines) {
			return lines
		}
		select {
		case <-more:
		case <-ctx.Done():
			return lines
		}
	}
}
