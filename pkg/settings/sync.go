package settings

import (
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Settings of the sync function alone.
var (
	SyncBudget = Setting{
		Name: "SYNC_BUDGET", Functions: "sync", Parameter: "SyncBudget",
		Default: "3.5s", Grammar: "a time from 500ms to 4.5s", Example: "2s",
		Description: "The longest that a sign-in waits for the sync. Cognito waits five seconds.",
	}
	SyncOnFailure = Setting{
		Name: "SYNC_ON_FAILURE", Functions: "sync", Parameter: "SyncOnFailure",
		Default: "allow", Grammar: "allow or refuse", Example: "refuse",
		Description: "What happens to a sign-in whose user row cannot be written: allow lets the user in, refuse fails the sign-in.",
	}
	SyncQueueURL = Setting{
		Name: "SYNC_QUEUE_URL", Functions: "sync",
		Default: "none", Grammar: "the URL of an SQS queue", Example: "https://sqs.us-east-1.amazonaws.com/123456789012/syncs",
		Description: "The queue where failed syncs are parked. The template sets it.",
	}
)

// Cognito waits five seconds for a trigger ("Customizing user pool workflows with Lambda
// triggers", Amazon Cognito Developer Guide). That time cannot be changed.
const (
	defaultBudget = 3500 * time.Millisecond
	minBudget     = 500 * time.Millisecond
	maxBudget     = 4500 * time.Millisecond
)

// Sync are the settings of the sync function alone, as [ReadSync] returns them.
type Sync struct {
	Budget   time.Duration
	QueueURL string // "" means that failed syncs are not parked
	Refuse   bool   // a failed sync fails the sign-in
	UserID   string // the attribute that holds the user's id; "" means the sub
	// NoUserID means that USER_ID is invalid, so that no user's id is known. A row whose
	// key depends on it must not be written.
	NoUserID bool
}

// ReadSync reads the settings of the sync function that are not about Hasura. An invalid
// setting has its default, except for USER_ID. An invalid queue means no queue.
func ReadSync(getenv func(string) string) (Sync, []error) {
	var faults []error
	s := Sync{
		Budget:   read(&SyncBudget, getenv, parseBudget, 0, &faults),
		QueueURL: read(&SyncQueueURL, getenv, parseQueueURL, "", &faults),
		Refuse:   read(&SyncOnFailure, getenv, parseOnFailure, false, &faults),
	}
	before := len(faults)
	s.UserID = read(&UserID, getenv, parseUserID, "", &faults)
	s.NoUserID = len(faults) > before
	if s.Budget == 0 {
		s.Budget = defaultBudget
	}
	return s, faults
}

func parseBudget(text string) (time.Duration, error) {
	budget, err := time.ParseDuration(text)
	if err != nil || !isBudget(text) || budget < minBudget || budget > maxBudget {
		return 0, SyncBudget.fault(fmt.Sprintf("%q is not a time from 500ms to 4.5s.", text))
	}
	return budget, nil
}

// isBudget reports whether a duration is one decimal number with one unit, ms or s.
func isBudget(text string) bool {
	number := strings.TrimSuffix(strings.TrimSuffix(text, "s"), "m")
	whole, fraction, point := strings.Cut(number, ".")
	return whole != "" && only(whole, "0123456789") && only(fraction, "0123456789") && point == (fraction != "")
}

func parseOnFailure(text string) (refuse bool, err error) {
	switch text {
	case "allow", "refuse":
		return text == "refuse", nil
	}
	return false, SyncOnFailure.fault(fmt.Sprintf("%q is neither allow nor refuse.", text))
}

func parseQueueURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || len(u.Path) < 2 || u.RawQuery != "" || u.Fragment != "" {
		return "", SyncQueueURL.fault("it is not the URL of an SQS queue.")
	}
	return text, nil
}
