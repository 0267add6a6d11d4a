package deploy_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// markdown returns the text of every Markdown file, by its path from the root.
func markdown(t *testing.T) map[string]string {
	t.Helper()
	atRoot(t)
	pages := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "events/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			pages[file] = string(readFile(t, file))
		}
	}
	if len(pages) < 10 {
		t.Fatalf("got %d Markdown files", len(pages))
	}
	return pages
}

func TestDocsHaveLimits(t *testing.T) {
	for file, text := range markdown(t) {
		for i, line := range strings.Split(text, "\n") {
			if n := utf8.RuneCountInString(line); n > 140 {
				t.Errorf("%s:%d: got %d columns, want at most 140", file, i+1, n)
			}
		}
	}
	if n := strings.Count(string(readFile(t, "README.md")), "\n"); n > 150 {
		t.Errorf("README.md: got %d lines, want at most 150", n)
	}
}

// README.md is the index of the pages.
func TestReadmeLinksEveryPage(t *testing.T) {
	readme := string(readFile(t, "README.md"))
	for file := range markdown(t) {
		if file != "README.md" && !strings.Contains(readme, "("+file+")") {
			t.Errorf("README.md has no link to %s", file)
		}
	}
}

var (
	fence       = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
	link        = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading     = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\-_ ]`)
	reference   = regexp.MustCompile(`\b(README|(?:docs|events)/[\w-]+)\.md(#[\w-]+)?`)
)

// anchors returns the anchors that GitHub gives the headings of a page.
func anchors(text string) []string {
	var list []string
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
		anchor := notInAnchor.ReplaceAllString(strings.ToLower(match[1]), "")
		list = append(list, strings.ReplaceAll(anchor, " ", "-"))
	}
	return list
}

// Every link between the pages leads to a file, and to a heading of it if it names one.
func TestLinksLeadSomewhere(t *testing.T) {
	pages := markdown(t)
	for file, text := range pages {
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(text, ""), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			target, anchor, _ := strings.Cut(match[1], "#")
			to := file
			if target != "" {
				to = path.Join(path.Dir(file), target)
			}
			checkTarget(t, file, to, anchor, pages)
		}
	}
}

func checkTarget(t *testing.T, from, file, anchor string, pages map[string]string) {
	t.Helper()
	if _, err := os.Stat(file); err != nil {
		t.Errorf("%s: %s does not exist", from, file)
	} else if anchor != "" && !slices.Contains(anchors(pages[file]), anchor) {
		t.Errorf("%s: %s has no heading #%s", from, file, anchor)
	}
}

// Hints and comments name pages and headings too.
func TestReferencesToDocsLeadSomewhere(t *testing.T) {
	pages, found := markdown(t), 0
	for _, folder := range []string{"cmd", "deploy", "functions", "graphql", "local", "pkg", "proof", "template.yaml", "Makefile"} {
		err := filepath.WalkDir(folder, func(file string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !slices.Contains([]string{".go", ".yaml", ".tf", ".sql", ".graphql", ""}, filepath.Ext(file)) {
				return err
			}
			for _, match := range reference.FindAllStringSubmatch(string(readFile(t, file)), -1) {
				found++
				checkTarget(t, file, match[1]+".md", strings.TrimPrefix(match[2], "#"), pages)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("no reference was found")
	}
}

var (
	shellBlock  = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	placeholder = regexp.MustCompile(`<([A-Z]\w+)>`)
	option      = regexp.MustCompile(`\s'?--([a-z-]+)`)
)

// Each command in the docs can be run: make knows its targets, the command line knows its
// flags, and what stands in angle brackets is an output of the template. Commands of AWS
// need an account. A line that begins with -- continues one of them.
func TestCommandsOfTheDocs(t *testing.T) {
	outputs := readTemplate(t).Outputs
	source := sources(t, "cmd/hasura-cognito")
	for file, text := range markdown(t) {
		for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
			if _, ok := outputs[match[1]]; !ok && match[1] != "Prefix" {
				t.Errorf("%s: <%s> is not an output of template.yaml", file, match[1])
			}
		}
		for _, block := range shellBlock.FindAllStringSubmatch(text, -1) {
			for line := range strings.Lines(block[1]) {
				line = strings.TrimSpace(line)
				_, command, isMake := strings.Cut(" "+line, " make ")
				switch {
				case isMake:
					// A dry run prints what make would do.
					dry := exec.Command("bash", "-c", "make --dry-run "+command)
					if out, err := dry.CombinedOutput(); err != nil {
						t.Errorf("%s: %s: %v\n%s", file, line, err, out)
					}
					for _, match := range option.FindAllStringSubmatch(strings.ReplaceAll(command, "=", " "), -1) {
						if !strings.Contains(source, fmt.Sprintf("%q", match[1])) {
							t.Errorf("%s: %s: the command line has no flag --%s", file, line, match[1])
						}
					}
				case line == "" || strings.HasPrefix(line, "aws ") || strings.HasPrefix(line, "sam ") || strings.HasPrefix(line, "--"):
				case strings.Contains(line, "hasura-cognito "), line == "go install ./cmd/hasura-cognito": // cmd/hasura-cognito has a test
				default:
					t.Errorf("%s: %q is no command of make, aws, sam or hasura-cognito", file, line)
				}
			}
		}
	}
}

// sources returns the text of the Go files in a folder, tests apart.
func sources(t *testing.T, folder string) string {
	t.Helper()
	atRoot(t)
	var text strings.Builder
	err := filepath.WalkDir(folder, func(file string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			text.WriteString(string(readFile(t, file)))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// docs/settings.md has a row and a section for each setting, in the order of the table in
// pkg/settings, with its form, example and default.
func TestSettingsPage(t *testing.T) {
	page := string(readFile(t, "docs/settings.md"))
	sections := regexp.MustCompile("(?m)^### `([A-Z_]+)`$").FindAllStringSubmatch(page, -1)
	if len(sections) != len(settings.All) {
		t.Errorf("got %d sections, want one for each of %d settings", len(sections), len(settings.All))
	}
	var rows []string
	for i, s := range settings.All {
		if i < len(sections) && sections[i][1] != s.Name {
			t.Errorf("got the section of %s, want that of %s", sections[i][1], s.Name)
		}
		parameter := "set by the template"
		if s.Parameter != "" {
			parameter = "`" + s.Parameter + "`"
		}
		rows = append(rows, fmt.Sprintf("| [`%s`](#%s) | %s | %s | %s |", s.Name, strings.ToLower(s.Name), s.Functions, s.Grammar, parameter))
		value := "none, a value is required"
		if !s.Required {
			value = s.Default
		}
		example, _, _ := strings.Cut(s.Example, "\n")
		want := fmt.Sprintf("### `%s`\n\n* Form: %s\n* Example: `%s`\n* Default: %s\n", s.Name, s.Grammar, example, value)
		if !strings.Contains(page, want) {
			t.Errorf("%s: want the section to begin with\n%s", s.Name, want)
		}
	}
	if want := strings.Join(rows, "\n"); !strings.Contains(page, want) {
		t.Errorf("want the table to have the rows\n%s", want)
	}
}

// messages are all log messages of the functions.
func messages(t *testing.T) []string {
	t.Helper()
	shared, _ := logged(t, "pkg")
	own, _ := logged(t, "functions")
	maps.Copy(own, shared)
	return slices.Sorted(maps.Keys(own))
}

// docs/logs.md has a heading for every log message.
func TestLogsPageListsEveryMessage(t *testing.T) {
	var listed []string
	for _, match := range regexp.MustCompile(`(?m)^### (.+)$`).FindAllStringSubmatch(string(readFile(t, "docs/logs.md")), -1) {
		listed = append(listed, match[1])
	}
	slices.Sort(listed)
	if want := messages(t); !slices.Equal(listed, want) {
		t.Errorf("got headings for\n%q\nwant the messages of the code:\n%q", listed, want)
	}
}

// docs/logs.md lists every alarm, and docs/troubleshooting.md begins with those that are in ALARM
// for a fault.
func TestDocsListEveryAlarm(t *testing.T) {
	logs := string(readFile(t, "docs/logs.md"))
	symptoms, _, _ := strings.Cut(string(readFile(t, "docs/troubleshooting.md")), "\n## ")
	template := readTemplate(t)
	for id, r := range template.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		if !strings.Contains(logs, "`"+id+"`") {
			t.Errorf("docs/logs.md does not list %s", id)
		}
		if strings.HasSuffix(r.Condition, "Monitoring") && !strings.Contains(symptoms, "`"+id+"`") {
			t.Errorf("the table of docs/troubleshooting.md does not list %s", id)
		}
	}
	for file, text := range markdown(t) {
		for _, match := range regexp.MustCompile("`([A-Z]\\w+Alarm)`").FindAllStringSubmatch(text, -1) {
			if template.Resources[match[1]].Type != "AWS::CloudWatch::Alarm" {
				t.Errorf("%s: template.yaml has no alarm %s", file, match[1])
			}
		}
	}
}

// The queries in the docs look for messages that a function logs.
func TestQueriesNameMessages(t *testing.T) {
	known, found := messages(t), 0
	condition := regexp.MustCompile(`message (?:= ("[^"]+")|in \[([^\]]+)\])`)
	for file, text := range markdown(t) {
		for _, match := range condition.FindAllStringSubmatch(text, -1) {
			for quoted := range strings.SplitSeq(match[1]+match[2], ", ") {
				found++
				if message := strings.Trim(quoted, `"`); !slices.Contains(known, message) {
					t.Errorf("%s: a query looks for %q, which no function logs", file, message)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no query was found")
	}
}

// docs/upgrade.md maps old messages and metrics to ones that exist.
func TestUpgradePageNamesWhatExists(t *testing.T) {
	known, found := messages(t), 0
	var metrics []string
	for _, f := range readTemplate(t).filters(t) {
		metrics = append(metrics, f.name)
	}
	page := string(readFile(t, "docs/upgrade.md"))
	quoted := regexp.MustCompile("`([^`]+)`")
	for _, table := range []struct {
		header string
		column int
		names  []string
	}{
		{"| old message | new message |", 2, known},
		{"| old metric | new metric | `outcome` |", 2, metrics},
		{"| old metric | new metric | `outcome` |", 3, known},
	} {
		_, rows, _ := strings.Cut(page, table.header+"\n")
		rows, _, _ = strings.Cut(rows, "\n\n")
		for row := range strings.SplitSeq(rows, "\n") {
			for _, match := range quoted.FindAllStringSubmatch(strings.Split(row, "|")[table.column], -1) {
				found++
				if !slices.Contains(table.names, match[1]) {
					t.Errorf("%s: got %q, want one of %q", table.header, match[1], table.names)
				}
			}
		}
	}
	if found < 30 {
		t.Errorf("got %d names in the tables", found)
	}
}

// docs/security.md lists the IAM actions of the requests that the command line makes. Two
// operations of Cognito are for apps and need no permission.
func TestIAMActionsOfTheCommands(t *testing.T) {
	prefixes := map[string]string{"cognitoidentityprovider": "cognito-idp", "cloudwatchlogs": "logs", "eventbridge": "events"}
	want := map[string]bool{}
	input := regexp.MustCompile(`\b(cognitoidentityprovider|lambda|sqs|cloudwatch|secretsmanager|cloudwatchlogs|eventbridge|scheduler|cloudtrail)\.(\w+)Input\b`)
	for _, match := range input.FindAllStringSubmatch(sources(t, "cmd")+sources(t, "pkg/secrets"), -1) {
		want[cmp.Or(prefixes[match[1]], match[1])+":"+match[2]] = true
	}
	delete(want, "cognito-idp:InitiateAuth")
	delete(want, "cognito-idp:GetTokensFromRefreshToken")
	_, block, _ := strings.Cut(string(readFile(t, "docs/security.md")), "```json\n")
	block, _, _ = strings.Cut(block, "```")
	var policy struct{ Statement []struct{ Action any } }
	if err := json.Unmarshal([]byte(block), &policy); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, statement := range policy.Statement {
		for _, action := range regexp.MustCompile(`[\w-]+:\w+`).FindAllString(fmt.Sprint(statement.Action), -1) {
			got[action] = true
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// docs/logs.md lists fields that the code logs.
func TestLogsPageListsFields(t *testing.T) {
	_, fields := logged(t, "functions")
	_, shared := logged(t, "pkg")
	fields = append(slices.Concat(fields, shared), "timestamp", "level", "message", "requestId")
	_, table, _ := strings.Cut(string(readFile(t, "docs/logs.md")), "| field |")
	table, _, _ = strings.Cut(table, "\n\n")
	for row := range strings.SplitSeq(table, "\n") {
		for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			if !slices.Contains(fields, match[1]) {
				t.Errorf("no function logs the field %s", match[1])
			}
		}
	}
}
