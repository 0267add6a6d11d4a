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
)

// All lists every function.
func All() []string { return []string{Claims, Sync, Replay} }

// LogicalID returns the logical id of a function in template.yaml: its name with each
// word capitalized and without hyphens.
func LogicalID(name string) string {
	var id strings.Builder
	for word := range strings.SplitSeq(name, "-") {
		id.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return id.String()
}
