package settings

import (
	"fmt"
	"strconv"
	"strings"
)

// Settings of the reconcile and the follow function.
var (
	UserPoolID = Setting{
		Name: "USER_POOL_ID", Functions: "reconcile, follow", Required: true,
		Grammar: "the id of a user pool", Example: "us-east-1_AbCdEfGhI",
		Description: "The user pool whose users the table holds. The template sets it.",
	}
	ReconcileHasuraRole = Setting{
		Name: "RECONCILE_HASURA_ROLE", Functions: "reconcile, follow", Parameter: "ReconcileHasuraRole",
		Default: "admin", Grammar: "the name of a role", Example: "cognito_reconcile",
		Description: "The role that reconcile and follow act as. The role cognito_reconcile of the shipped metadata " +
			"reads and writes the columns of the user pool in all rows.",
	}
	ReconcileOnDelete = Setting{
		Name: "RECONCILE_ON_DELETE", Functions: "reconcile, follow", Parameter: "ReconcileOnDelete",
		Default: "report", Grammar: "report, mark or anonymize", Example: "mark",
		Description: "What happens to the row of a user who is gone: report writes nothing, mark sets deleted_at, " +
			"anonymize also empties the personal columns.",
	}
	ReconcileMaxGone = Setting{
		Name: "RECONCILE_MAX_GONE", Functions: "reconcile", Parameter: "ReconcileMaxGone",
		Default: "5%", Grammar: "a percentage from 0% to 100%", Example: "2.5%",
		Description: "If more of the users of a part are gone than this share, and more than 10, nobody in the part is marked.",
	}
	ReconcileQueueURL = Setting{
		Name: "RECONCILE_QUEUE_URL", Functions: "reconcile, follow", Required: true,
		Grammar: "the URL of an SQS queue", Example: "https://sqs.us-east-1.amazonaws.com/123456789012/reconcile",
		Description: "The queue that the function itself reads. It puts the parts of the pool there, and the users to look up again. " +
			"The template sets it.",
	}
)

// OnDelete says what happens to the row of a user who is not in the pool any more.
type OnDelete string

const (
	Report    OnDelete = "report"    // nothing is written
	Mark      OnDelete = "mark"      // DeletedAt is set
	Anonymize OnDelete = "anonymize" // DeletedAt is set, and the personal columns are emptied
)

const defaultMaxGone = 0.05

// Reconcile are the settings of the reconcile and the follow function beside those about
// Hasura, as [ReadReconcile] returns them.
type Reconcile struct {
	UserPoolID string
	UserID     string
	OnDelete   OnDelete
	MaxGone    float64 // a share of 1
}

// ReadReconcile reads the settings of the reconcile and the follow function. The Hasura has
// the role of RECONCILE_HASURA_ROLE. With a fault nothing must be written.
func ReadReconcile(getenv func(string) string) (Reconcile, Hasura, []error) {
	h, faults := ReadHasura(func(name string) string {
		if name == HasuraRole.Name {
			return ""
		}
		return getenv(name)
	})
	h.Role = read(&ReconcileHasuraRole, getenv, parseReconcileRole, "", &faults)
	r := Reconcile{
		UserPoolID: read(&UserPoolID, getenv, parseUserPoolID, "", &faults),
		UserID:     read(&UserID, getenv, parseUserID, "", &faults),
		OnDelete:   read(&ReconcileOnDelete, getenv, ParseOnDelete, "", &faults),
		MaxGone:    defaultMaxGone,
	}
	if strings.TrimSpace(getenv(ReconcileMaxGone.Name)) != "" {
		r.MaxGone = read(&ReconcileMaxGone, getenv, ParseMaxGone, 0, &faults)
	}
	if r.OnDelete == "" {
		r.OnDelete = Report
	}
	return r, h, faults
}

// ReadReconcileQueue reads RECONCILE_QUEUE_URL.
func ReadReconcileQueue(getenv func(string) string) (string, []error) {
	var faults []error
	url := read(&ReconcileQueueURL, getenv, parseReconcileQueue, "", &faults)
	return url, faults
}

func parseUserPoolID(text string) (string, error) {
	region, id, ok := strings.Cut(text, "_")
	if !ok || region == "" || id == "" || len(text) > 55 || !only(region, lettersDigits+"-") || !only(id, lettersDigits) {
		return "", UserPoolID.fault(fmt.Sprintf("%q is not the id of a user pool.", text))
	}
	return text, nil
}

func parseReconcileRole(text string) (string, error) {
	if role, err := parseHasuraRole(text); err == nil {
		return role, nil
	}
	return "", ReconcileHasuraRole.fault("it is not the name of a role.")
}

// ParseOnDelete reads a value of RECONCILE_ON_DELETE.
func ParseOnDelete(text string) (OnDelete, error) {
	switch o := OnDelete(text); o {
	case Report, Mark, Anonymize:
		return o, nil
	}
	return "", ReconcileOnDelete.fault(fmt.Sprintf("%q is neither report nor mark nor anonymize.", text))
}

// ParseMaxGone reads a value of RECONCILE_MAX_GONE, as a share of 1.
func ParseMaxGone(text string) (float64, error) {
	number, ok := strings.CutSuffix(text, "%")
	whole, fraction, point := strings.Cut(number, ".")
	percent, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || whole == "" || !only(whole+fraction, "0123456789") || point != (fraction != "") || percent > 100 {
		return 0, ReconcileMaxGone.fault(fmt.Sprintf("%q is not a percentage from 0%% to 100%%.", text))
	}
	return percent / 100, nil
}

func parseReconcileQueue(text string) (string, error) {
	if url, err := parseQueueURL(text); err == nil {
		return url, nil
	}
	return "", ReconcileQueueURL.fault("it is not the URL of an SQS queue.")
}
