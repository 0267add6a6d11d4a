// Package functions names the Lambda functions of the suite. Each folder beside this file
// is one of them.
package functions

import "strings"

// The functions, by folder. A function's name in AWS is the stack's prefix, a hyphen and
// the folder's name.
const (
	Claims = "hasura-cognito-trigger"
	Sync   = "hasura-cognito-sync-users"
	Replay = "hasura-cognito-replay-syncs"

	Reconcile = "hasura-cognito-reconcile-users"
	Follow    = "hasura-cognito-follow-users"
)

// All lists every function that each deployment has.
func All() []string { return []string{Claims, Sync, Replay} }

// Optional lists the functions that a deployment has only on request.
func Optional() []string { return []string{Reconcile, Follow} }

// LogicalID returns the logical id of a function in template.yaml: its name with each
// word capitalized and without hyphens.
func LogicalID(name string) string {
	var id strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		id.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return id.String()
}
