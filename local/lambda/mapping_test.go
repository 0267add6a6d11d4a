package lambda

import (
	"maps"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

func TestWhichMessagesStay(t *testing.T) {
	batch := []types.Message{{MessageId: aws.String("1")}, {MessageId: aws.String("2")}}
	rows := []struct {
		name, answer string
		want         []string
	}{
		{"none where the list is empty", `{"batchItemFailures":[]}`, nil},
		{"none where the list is null", `{"batchItemFailures":null}`, nil},
		{"none where there is no list", `{}`, nil},
		{"none where the answer is null", `null`, nil},
		{"those that are named", `{"batchItemFailures":[{"itemIdentifier":"2"}]}`, []string{"2"}},
		{"all where the answer is no JSON", `done`, []string{"1", "2"}},
		{"all where it is empty", ``, []string{"1", "2"}},
		{"all where one is named by nothing", `{"batchItemFailures":[{"itemIdentifier":""}]}`, []string{"1", "2"}},
		{"all where one is named by null", `{"batchItemFailures":[{"itemIdentifier":null}]}`, []string{"1", "2"}},
		{"all where the key is another", `{"batchItemFailures":[{"id":"2"}]}`, []string{"1", "2"}},
		{"all where one is not of the batch", `{"batchItemFailures":[{"itemIdentifier":"2"},{"itemIdentifier":"3"}]}`, []string{"1", "2"}},
	}
	for _, row := range rows {
		if got := slices.Sorted(maps.Keys(failures([]byte(row.answer), batch))); !slices.Equal(got, row.want) {
			t.Errorf("%s: %q stay, want %q", row.name, got, row.want)
		}
	}
}
