package hasura

import (
	"bytes"
	"os"
	"testing"

	"github.com/Khan/genqlient/generate"
)

func TestGeneratedIsCurrent(t *testing.T) {
	config, err := generate.ReadAndValidateConfig("../../graphql/genqlient.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := generate.Generate(config)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what graphql/ says (%v): run make generate", name, err)
		}
	}
}
