package account

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckPool(t *testing.T) {
	for id, want := range map[string]bool{"us-east-1_ExaMPle01": true, "": false, "us-east-1": false, "_ExaMPle01": false, "us-east-1_": false} {
		if got := CheckPool(id) == nil; got != want {
			t.Errorf("CheckPool(%q) is nil = %t, want %t", id, got, want)
		}
	}
}

func TestOf(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	if _, err := Of(t.Context(), "eu-west-1_ExaMPle01"); err == nil || !strings.Contains(err.Error(), "aws sso login") {
		t.Errorf("without credentials: %v, want what to do", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "id")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "key")
	if cfg, err := Of(t.Context(), "eu-west-1_ExaMPle01"); err != nil || cfg.Region != "eu-west-1" {
		t.Errorf("region = %q (%v), want the pool's", cfg.Region, err)
	}
	t.Setenv("AWS_PROFILE", "nobody")
	if _, err := Of(t.Context(), "eu-west-1_ExaMPle01"); err == nil || !strings.HasPrefix(err.Error(), "load the AWS configuration: ") {
		t.Errorf("with a profile that is not there: %v", err)
	}
}
