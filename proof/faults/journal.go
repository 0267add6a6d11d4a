package main

import (
	"encoding/json"
	"strings"
	"sync"
	"time"
)

// canary stands in everything that must not get out: attributes, the admin secrets,
// what the far sides say.
const canary = "canary"

// A record is one log record of a function.
type record struct {
	Message   string `json:"message"`
	RequestID string `json:"requestId"`
	User      string `json:"user"`
	Error     string `json:"error"`
}

// verdicts are the phrases with which the sync says what became of a sync.
var verdicts = []string{"synced", "stale", "parked", "sync lost", "sign-in refused", "permanent failure"}

// A journal is everything that the functions print.
type journal struct {
	mu      sync.Mutex
	records []record
	leaks   []string // phrases of records with a canary in them
	strays  int      // lines that are no records
}

// Write takes one line.
func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	var r record
	if json.Unmarshal(line, &r) != nil || r.Message == "" {
		j.strays++
	}
	if strings.Contains(string(line), canary) {
		j.leaks = append(j.leaks, r.Message)
	}
	j.records = append(j.records, r)
	return len(line), nil
}

// count says how many records have a phrase.
func (j *journal) count(phrase string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if r.Message == phrase {
			n++
		}
	}
	return n
}

// open has the calls that the breaker kept from Hasura.
func (j *journal) open() map[string]bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	calls := make(map[string]bool)
	for _, r := range j.records {
		if strings.Contains(r.Error, "breaker-open") {
			calls[r.RequestID] = true
		}
	}
	return calls
}

// settle waits until as many calls of the sync have their verdict: a record may come
// after the answer. After patience it leaves it to the oracle to find what lacks.
func (j *journal) settle(calls int, patience time.Duration) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		n := 0
		for _, phrase := range verdicts {
			n += j.count(phrase)
		}
		if n >= calls {
			return
		}
	}
}
