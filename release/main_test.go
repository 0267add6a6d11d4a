package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

const architecture = "x86_64"

func init() { project = ".." }

func build(t *testing.T) (built string) {
	t.Helper()
	built = t.TempDir()
	for _, name := range []string{stack.Trigger, stack.SyncUsers, "hasura-cognito-replay-syncs"} {
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
	if err := release(built, first, "1.2.3", []string{architecture}); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(built, architecture, stack.Trigger, "bootstrap"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := release(built, second, "1.2.3", []string{architecture}); err != nil {
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

// What is released is deployed by its template alone: every function has its zip beside
// it, and nothing is left to build.
func TestTheTemplateDeploysTheZips(t *testing.T) {
	out := t.TempDir()
	if err := release(build(t), out, "1.2.3-rc.1", []string{architecture}); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(out, architecture)
	template := read(t, folder, "template.yaml")
	zips := regexp.MustCompile(`(?m)^      CodeUri: (\S+)$`).FindAllStringSubmatch(template, -1)
	if functions := strings.Count(template, "Type: AWS::Serverless::Function\n"); len(zips) != 3 || functions != len(zips) {
		t.Errorf("%d functions have the zips %v, want one for each of three", functions, zips)
	}
	for _, zip := range zips {
		if _, err := os.Stat(filepath.Join(folder, zip[1])); err != nil {
			t.Errorf("the template names a zip that is not beside it: %v", err)
		}
	}
	for text, want := range map[string]bool{
		"    SemanticVersion: 1.2.3-rc.1\n": true,
		"    Default: x86_64\n":             true,
		"    AllowedValues: [x86_64]\n":     true,
		"BuildMethod":                       false,
		"WorkingDirectory":                  false,
		"    CodeUri: .":                    false,
	} {
		if got := strings.Contains(template, text); got != want {
			t.Errorf("the template has %q: %v, want %v", text, got, want)
		}
	}
	for _, name := range []string{"LICENSE", "README.md"} {
		if read(t, folder, name) != read(t, "..", name) {
			t.Errorf("%s is not the project's", name)
		}
	}
	if _, err := packaged("Resources: {}", architecture, "1.2.3"); err == nil || !strings.Contains(err.Error(), "CodeUri") {
		t.Errorf("another template is packaged with %v, want what is not found in it", err)
	}
	if err := writeTemplate(out, architecture, "v1"); err == nil || !strings.Contains(err.Error(), "such as 1.2.3") {
		t.Errorf("the version v1 is taken with %v, want what one is like", err)
	}
}

func TestNothingBuiltIsSaid(t *testing.T) {
	err := release(t.TempDir(), t.TempDir(), "1.2.3", []string{architecture})
	if err == nil || !strings.Contains(err.Error(), "run make release") {
		t.Errorf("release of nothing: %v, want what to do", err)
	}
}
