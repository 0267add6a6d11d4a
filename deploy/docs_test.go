package deploy_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	shellBlock = regexp.MustCompile("(?s)```sh\n(.*?)```")
	localLink  = regexp.MustCompile(`\]\(([^)#:]+)\)`)
	makeTarget = regexp.MustCompile(`\bmake ([a-z]+)`)
)

// onAWS are the commands of the documentation that need an account, and so are run by
// no test.
var onAWS = []string{
	"aws lambda add-permission", "aws sqs receive-message", "aws sqs start-message-move-task",
	"sam build", "sam deploy", "sam package", "sam publish", "make attach", "make doctor", "TOKEN=$(cat id-token) make doctor",
}

// Every command is a target of the Makefile, or known to need AWS; every link leads
// somewhere.
func TestDocumentation(t *testing.T) {
	files, _ := filepath.Glob("docs/*.md")
	makefile, err := os.ReadFile("Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, "README.md") {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range shellBlock.FindAllStringSubmatch(string(data), -1) {
			for line := range strings.Lines(block[1]) {
				known := false
				for _, command := range onAWS {
					known = known || strings.HasPrefix(line, command)
				}
				for _, target := range makeTarget.FindAllStringSubmatch(line, -1) {
					if strings.Contains(string(makefile), "\n"+target[1]+":") {
						known = true
					} else {
						t.Errorf("%s: there is no make %s", file, target[1])
					}
				}
				if text := strings.TrimSpace(line); text != "" && !strings.HasPrefix(text, "#") && !known {
					t.Errorf("%s: %q is neither make's nor known to need AWS", file, text)
				}
			}
		}
		for _, link := range localLink.FindAllStringSubmatch(string(data), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), link[1])); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", file, link[1])
			}
		}
	}
}

// The words that troubleshooting.md explains as the suite's own are in its code.
func TestOurWordsAreOurs(t *testing.T) {
	data, err := os.ReadFile("docs/troubleshooting.md")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, pattern := range []string{"pkg/*/*.go", "functions/*/*.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(source)
		}
	}
	for _, word := range []string{"misconfigured", "redirect", "certificate", "no-tls", "dns", "unreachable", "timeout", "access-denied",
		"has no key", "doubtful setting", "Sign-in is not possible right now. Please try again.", "refused"} {
		if !strings.Contains(string(data), word) || !strings.Contains(code.String(), word) {
			t.Errorf("%q is not in both the code and docs/troubleshooting.md", word)
		}
	}
}
