package main

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

const architecture, function = "x86_64", functions.Claims

func init() { project = "../.." }

func build(t *testing.T) (built string) {
	t.Helper()
	built = t.TempDir()
	for _, name := range []string{function, functions.Sync} {
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

// The second release is of binaries with another time, as after a second build.
func TestTwoReleasesAreTheSameBytes(t *testing.T) {
	built, first, second := build(t), t.TempDir(), t.TempDir()
	if err := release(built, first, "1.2.3", []string{architecture}); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(built, architecture, function, "bootstrap"), later, later); err != nil {
		t.Fatal(err)
	}
	if err := release(built, second, "1.2.3", []string{architecture}); err != nil {
		t.Fatal(err)
	}
	sums := read(t, first, "SHA256SUMS")
	if again := read(t, second, "SHA256SUMS"); sums != again {
		t.Errorf("the checksums differ:\n%s\n%s", sums, again)
	}
	for _, file := range []string{architecture + "/" + function + ".zip", architecture + "/template.yaml", "NOTICES.txt", "sbom.cdx.json"} {
		if !strings.Contains(sums, "  "+file+"\n") {
			t.Errorf("SHA256SUMS lacks %s", file)
		}
	}
	z, err := zip.OpenReader(filepath.Join(first, architecture, function+".zip"))
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

// A release deploys by its template alone: each function has its zip beside it, and nothing is left to build.
func TestTheTemplateDeploysTheZips(t *testing.T) {
	folder := t.TempDir()
	if err := writeTemplate(folder, architecture, "1.2.3-rc.1"); err != nil {
		t.Fatal(err)
	}
	template := read(t, folder, "template.yaml")
	for _, name := range append(functions.All(), functions.Optional()...) {
		if !strings.Contains(template, "      CodeUri: "+name+".zip\n") {
			t.Errorf("the template does not deploy %s.zip", name)
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
	if _, err := packaged([]byte("Resources: {}"), architecture, "1.2.3"); err == nil || !strings.Contains(err.Error(), "SemanticVersion") {
		t.Errorf("another template is packaged with %v, want the pattern that it does not match", err)
	}
	if err := writeTemplate(folder, architecture, "v1"); err == nil || !strings.Contains(err.Error(), "such as 1.2.3") {
		t.Errorf("the version v1 is accepted with %v, want an example of a version", err)
	}
}

func TestReleaseSaysThatNothingIsBuilt(t *testing.T) {
	err := release(t.TempDir(), t.TempDir(), "1.2.3", []string{architecture})
	if err == nil || !strings.Contains(err.Error(), "Run make release") {
		t.Errorf("release without binaries: %v, want what to do", err)
	}
}
