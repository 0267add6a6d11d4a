package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

const architecture = "x86_64"

func build(t *testing.T) (built string) {
	t.Helper()
	built = t.TempDir()
	for _, name := range []string{stack.Trigger, stack.SyncUsers} {
		if err := stack.Build("..", "functions/"+name, filepath.Join(built, architecture, name, "bootstrap")); err != nil {
			t.Fatal(err)
		}
	}
	return built
}

func read(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The binaries are touched in between, as a second build would.
func TestTwoReleasesAreTheSameBytes(t *testing.T) {
	built, first, second := build(t), t.TempDir(), t.TempDir()
	if err := release(built, first, []string{architecture}); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(built, architecture, stack.Trigger, "bootstrap"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := release(built, second, []string{architecture}); err != nil {
		t.Fatal(err)
	}
	if a, b := read(t, first, "SHA256SUMS"), read(t, second, "SHA256SUMS"); a != b {
		t.Errorf("the checksums differ:\n%s\n%s", a, b)
	}

	z, err := zip.OpenReader(filepath.Join(first, architecture, stack.Trigger+".zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != 1 || z.File[0].Name != "bootstrap" || z.File[0].Mode().Perm() != 0o755 {
		t.Errorf("the zip has %d files, the first %q with mode %v, want one executable bootstrap", len(z.File), z.File[0].Name, z.File[0].Mode())
	}
	sbom, notices := read(t, first, "sbom.cdx.json"), read(t, first, "NOTICES.txt")
	for _, module := range []string{"stdlib", "github.com/aws/aws-lambda-go", "github.com/Khan/genqlient", "github.com/aws/aws-sdk-go-v2/service/secretsmanager"} {
		if !strings.Contains(sbom, `"pkg:golang/`+module+"@") {
			t.Errorf("the bill of materials lacks %s", module)
		}
		if !strings.Contains(notices, "==== "+module+" ") {
			t.Errorf("the licences lack %s", module)
		}
	}
	if strings.Contains(sbom, "modernc.org/sqlite") {
		t.Error("the bill of materials has SQLite, which only local/ links")
	}
}

func TestNothingBuiltIsSaid(t *testing.T) {
	err := release(t.TempDir(), t.TempDir(), []string{architecture})
	if err == nil || !strings.Contains(err.Error(), "run make release") {
		t.Errorf("release of nothing: %v, want what to do", err)
	}
}
