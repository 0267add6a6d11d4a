package users

import (
	"encoding/json"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

// BenchmarkRow measures a sync's own work: from an event's user to the object and the
// columns for Hasura.
func BenchmarkRow(b *testing.B) {
	s := Sync{At: noon, SignedIn: true, User: cognito.User{ID: sub, Username: "jane", Attributes: map[string]string{
		"sub": sub, "email": "jane@example.com", "email_verified": "true", "name": "Jane Doe", "cognito:user_status": "CONFIRMED", "custom:org_id": "7"}}}
	b.ReportAllocs()
	for b.Loop() {
		r, _, err := shipped.Row(s)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := json.Marshal(r); err != nil || len(r.Columns()) == 0 {
			b.Fatal(err)
		}
	}
}
