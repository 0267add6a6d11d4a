package account

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckPool(t *testing.T) {
	for id, want := range map[string]bool{
		"us-east-1_ExaMPle01": true, "us-gov-west-1_a": true, "cn-north-1_a": true,
		"": false, "us-east-1": false, "_ExaMPle01": false, "us-east-1_": false, "us-east-1_a/b": false,
	} {
		if got := CheckPool(id) == nil; got != want {
			t.Errorf("CheckPool(%q) is nil = %t, want %t", id, got, want)
		}
	}
}

func TestRegion(t *testing.T) {
	for _, row := range []struct{ flag, env, want string }{
		{"", "", "us-east-1"}, {"", "us-west-2", "us-west-2"}, {"eu-west-1", "us-west-2", "eu-west-1"},
	} {
		t.Setenv("AWS_REGION", row.env)
		if got := Region(row.flag, "us-east-1_ExaMPle01"); got != row.want {
			t.Errorf("with --region %q and AWS_REGION %q: %s, want %s", row.flag, row.env, got, row.want)
		}
	}
}

func TestConfig(t *testing.T) {
	dir := t.TempDir()
	profiles := filepath.Join(dir, "credentials")
	if err := os.WriteFile(profiles, []byte("[other]\naws_access_key_id = of-the-profile\naws_secret_access_key = x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"AWS_CONFIG_FILE": filepath.Join(dir, "none"), "AWS_SHARED_CREDENTIALS_FILE": profiles, "AWS_PROFILE": "",
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": "", "AWS_EC2_METADATA_DISABLED": "true"} {
		t.Setenv(name, value)
	}
	if _, err := Config(t.Context(), "eu-west-1"); err == nil || !strings.Contains(err.Error(), "aws sso login") {
		t.Errorf("without credentials: %v, want what to do", err)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "of-the-environment")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "key")
	if cfg, err := Config(t.Context(), "eu-west-1"); err != nil || cfg.Region != "eu-west-1" {
		t.Errorf("Region = %q (%v), want eu-west-1", cfg.Region, err)
	}
	if err := UseProfile("other"); err != nil {
		t.Fatal(err)
	}
	cfg, err := Config(t.Context(), "eu-west-1")
	if err != nil {
		t.Fatal(err)
	}
	if c, err := cfg.Credentials.Retrieve(t.Context()); err != nil || c.AccessKeyID != "of-the-profile" {
		t.Errorf("with a profile, the access key is %q (%v), want the profile's", c.AccessKeyID, err)
	}
	if err := UseProfile("nobody"); err != nil {
		t.Fatal(err)
	}
	if _, err := Config(t.Context(), "eu-west-1"); err == nil || !strings.HasPrefix(err.Error(), "load the AWS configuration: ") {
		t.Errorf("with a profile that does not exist: %v", err)
	}
}
