package users

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

// withCustom is a sign-in, as it arrives, of a person with that many custom attributes.
func withCustom(tb testing.TB, n int) []byte {
	tb.Helper()
	attributes := map[string]string{"sub": sub, "email": "jane@example.com", "email_verified": "true"}
	for i := range n {
		attributes[fmt.Sprintf("custom:attribute_%04d", i)] = "some text"
	}
	data, err := json.Marshal(map[string]any{
		"version": "1", "triggerSource": "PostAuthentication_Authentication", "userName": "jane",
		"request": map[string]any{"userAttributes": attributes}, "response": map[string]any{},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// mapped is an event as the row that is sent.
func mapped(tb testing.TB, data []byte) []byte {
	e, err := cognito.Parse(data)
	if err != nil {
		tb.Fatal(err)
	}
	r, dropped, err := RowOf(Sync{User: e.User, At: noon, SignedIn: true})
	if err != nil || dropped != nil {
		tb.Fatal(err, dropped)
	}
	r.Columns()
	sent, err := json.Marshal(r)
	if err != nil {
		tb.Fatal(err)
	}
	return sent
}

// Ten times the custom attributes cost about ten times as much: maps and slices grow in steps, but
// what grew with the square would cost a hundred times. What is counted is memory,
// because time depends on the machine.
func TestCostGrowsNoFasterThanAttributes(t *testing.T) {
	cost := func(attributes int) (objects, bytes uint64) {
		data := withCustom(t, attributes)
		const runs = 50
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			mapped(t, data)
		}
		runtime.ReadMemStats(&after)
		return (after.Mallocs - before.Mallocs) / runs, (after.TotalAlloc - before.TotalAlloc) / runs
	}
	cost(1000) // fills the pools that encoding/json keeps
	objects, bytes := cost(100)
	moreObjects, moreBytes := cost(1000)
	if moreObjects > 15*objects || moreBytes > 15*bytes {
		t.Errorf("1,000 attributes take %d objects of %d bytes, 100 take %d of %d: more than in proportion", moreObjects, moreBytes, objects, bytes)
	}
}

func BenchmarkRow(b *testing.B) {
	for _, attributes := range []int{0, 50} {
		b.Run(fmt.Sprintf("attributes=%d", attributes), func(b *testing.B) {
			data := withCustom(b, attributes)
			b.ReportAllocs()
			for b.Loop() {
				mapped(b, data)
			}
		})
	}
}
