package deploy_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// The local stack has the rule of the template.
func TestRuleOfTheLocalStack(t *testing.T) {
	var want, got any
	text, err := json.Marshal(at(readTemplate(t).Resources["FollowRule"].Properties, "EventPattern"))
	if err != nil {
		t.Fatal(err)
	}
	parse(t, text, &want)
	parse(t, []byte(stack.FollowPattern), &got)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
