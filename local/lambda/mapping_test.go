package lambda

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestFailures(t *testing.T) {
	batch := []types.Message{{MessageId: aws.String("1")}, {MessageId: aws.String("2")}}
	rows := []struct {
		name, answer string
		want         []string
	}{
		{"an empty list", `{"batchItemFailures":[]}`, nil},
		{"null as list", `{"batchItemFailures":null}`, nil},
		{"no list", `{}`, nil},
		{"null", `null`, nil},
		{"one id", `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, []string{"2"}},
		{"not JSON", `done`, []string{"1", "2"}},
		{"an empty response", ``, []string{"1", "2"}},
		{"an empty id", `{"batchItemFailures":[{"itemIdentifier":""}]}`, []string{"1", "2"}},
		{"null as id", `{"batchItemFailures":[{"itemIdentifier":null}]}`, []string{"1", "2"}},
		{"another key", `{"batchItemFailures":[{"id":"2"}]}`, []string{"1", "2"}},
		{"an id that is not in the batch", `{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"3"}]}`, []string{"1", "2"}},
	}
	for _, row := range rows {
		if got := slices.Sorted(maps.Keys(failures([]byte(row.answer), batch))); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q stay, want %q", row.name, got, row.want)
		}
	}
}
