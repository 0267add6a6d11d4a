package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

const architecture = "x86_64"

func init() { project = "../.." }

func build(t *testing.T) (built string) {
	t.Helper()
	built = t.TempDir()
	for _, name := range []string{stack.Trigger, stack.SyncUsers} {
		if err := stack.Build("../..", "functions/"+name, filepath.Join(built, architecture, name, "bootstrap")); err != nil {
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
	if !strings.Contains(read(t, first, architecture, "template.yaml"), "CodeUri: "+stack.Trigger+".zip") {
		t.Error("no template deploys the zips")
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
	folder := t.TempDir()
	if err := writeTemplate(folder, architecture, "1.2.3-rc.1"); err != nil {
		t.Fatal(err)
	}
	template := read(t, folder, "template.yaml")
	var zips, want []string
	for _, match := range regexp.MustCompile(`(?m)^      CodeUri: (\S+)$`).FindAllStringSubmatch(template, -1) {
		zips = append(zips, match[1])
	}
	mains, _ := filepath.Glob("../../functions/*/main.go")
	for _, main := range mains {
		want = append(want, filepath.Base(filepath.Dir(main))+".zip")
	}
	slices.Sort(zips)
	if !slices.Equal(zips, want) {
		t.Errorf("the functions have the zips %v, want %v", zips, want)
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
		if read(t, folder, name) != read(t, "../..", name) {
			t.Errorf("%s is not the project's", name)
		}
	}
	if _, err := packaged("Resources: {}", architecture, "1.2.3"); err == nil || !strings.Contains(err.Error(), "CodeUri") {
		t.Errorf("another template is packaged with %v, want what is not found in it", err)
	}
	if err := writeTemplate(folder, architecture, "v1"); err == nil || !strings.Contains(err.Error(), "such as 1.2.3") {
		t.Errorf("the version v1 is taken with %v, want what one is like", err)
	}
}

func TestNothingBuiltIsSaid(t *testing.T) {
	err := release(t.TempDir(), t.TempDir(), "1.2.3", []string{architecture})
	if err == nil || !strings.Contains(err.Error(), "run make release") {
		t.Errorf("release of nothing: %v, want what to do", err)
	}
}
