package deploy_test

import (
	"encoding/json"
	"fmt"
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

// It also has the queues.
func TestQueuesOfTheLocalStack(t *testing.T) {
	template := readTemplate(t)
	ids := []string{"ReconcileDeadLetters", "ReconcileQueue", "FollowQueue"}
	queues := stack.PoolQueues()
	if len(queues) != len(ids) {
		t.Fatalf("the local stack has the queues %v, want %q", queues, ids)
	}
	for i, q := range queues {
		properties := template.Resources[ids[i]].Properties
		got := fmt.Sprint("${Prefix}-", q.Name)
		if name := at(properties, "QueueName"); got != name {
			t.Errorf("%s: got the name %s, want %v", ids[i], got, name)
		}
		if q.DeadLetters == "" {
			continue
		}
		receives, visibility := at(properties, "RedrivePolicy", "maxReceiveCount"), at(properties, "VisibilityTimeout")
		if fmt.Sprint(receives) != fmt.Sprint(q.MaxReceive) || fmt.Sprint(visibility) != fmt.Sprint(q.Visibility.Seconds()) || q.DeadLetters != queues[0].Name {
			t.Errorf("%s: got %+v, want %v receives and %v s", ids[i], q, receives, visibility)
		}
	}
}
