package claims

import (
	"encoding/json"
	"fmt"
	"runtime"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// withGroups is an event, as it arrives, of a user in that many groups.
func withGroups(tb testing.TB, n int) []byte {
	tb.Helper()
	groups := make([]string, n)
	for i := range groups {
		groups[i] = fmt.Sprintf("group-%04d", i)
	}
	data, err := json.Marshal(map[string]any{
		"version": "2", "triggerSource": "TokenGeneration_Authentication", "userPoolId": "eu-west-1_Pool",
		"request": map[string]any{
			"userAttributes":     map[string]string{"sub": "69f23de6-af9e-43cc-b208-8b269334667d"},
			"groupConfiguration": map[string]any{"groupsToOverride": groups},
		},
		"response": map[string]any{},
	})
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// shape is one call, from bytes to bytes.
func shape(tb testing.TB, c settings.Claims, data []byte) []byte {
	e, err := cognito.Parse(data)
	if err != nil {
		tb.Fatal(err)
	}
	if !SetResponse(e, c) {
		tb.Fatal("no claims")
	}
	return e.Bytes()
}

// Ten times the groups cost no more than ten times as much. What is counted is memory,
// because time depends on the machine.
func TestCostGrowsNoFasterThanGroups(t *testing.T) {
	c := env(t)
	cost := func(groups int) (objects, bytes uint64) {
		data := withGroups(t, groups)
		const runs = 50
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range runs {
			shape(t, c, data)
		}
		runtime.ReadMemStats(&after)
		return (after.Mallocs - before.Mallocs) / runs, (after.TotalAlloc - before.TotalAlloc) / runs
	}
	cost(1000) // fills the pools that encoding/json keeps
	objects, bytes := cost(100)
	moreObjects, moreBytes := cost(1000)
	if moreObjects > 15*objects || moreBytes > 15*bytes {
		t.Errorf("1,000 groups take %d objects of %d bytes, 100 take %d of %d: more than in proportion", moreObjects, moreBytes, objects, bytes)
	}
}

func BenchmarkShape(b *testing.B) {
	c := env(b)
	for _, groups := range []int{0, 10, 100} {
		b.Run(fmt.Sprintf("groups=%d", groups), func(b *testing.B) {
			data := withGroups(b, groups)
			b.ReportAllocs()
			for b.Loop() {
				shape(b, c, data)
			}
		})
	}
}
