package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// commands returns the program's commands, without those of cobra.
func commands(c *cobra.Command) (list []*cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.HasSubCommands() {
			list = append(list, commands(sub)...)
		} else {
			list = append(list, sub)
		}
	}
	return list
}

// parse checks a line of a shell that runs the program: the command and its flags exist, and flags with a value have a valid one.
func parse(line string) error {
	_, text, _ := strings.Cut(line, "hasura-cognito ")
	text, _, _ = strings.Cut(text, " | ")
	text, _, _ = strings.Cut(text, " > ")
	root := newRoot()
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	cmd, args, err := root.Find(strings.Fields(strings.TrimSuffix(text, ")")))
	if err != nil {
		return err
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestHelp(t *testing.T) {
	for _, cmd := range commands(newRoot()) {
		args := append(strings.Fields(cmd.CommandPath())[1:], "--help")
		code, help, stderr := command(t, args...)
		if code != ok || stderr != "" {
			t.Errorf("%q: got exit code %d and %q", args, code, stderr)
		}
		for _, part := range []string{cmd.Long, "Examples:\n" + cmd.Example, "--json", "--region", "--profile"} {
			if !strings.Contains(help, part) || part == "Examples:\n" {
				t.Errorf("%q: got help without %q:\n%s", args, part, help)
			}
		}
		examples := 0
		for line := range strings.Lines(cmd.Example) {
			if !strings.Contains(line, cmd.CommandPath()+" ") {
				t.Errorf("%q: the example %q is of another command", args, line)
			}
			if err := parse(line); err != nil {
				t.Errorf("%q: the example %q: got %v", args, line, err)
			}
			examples++
		}
		if examples == 0 {
			t.Errorf("%q: got no example", args)
		}
	}
}

var update = flag.Bool("update", false, "write the flags into docs/command-line.md")

// docs/command-line.md has a row for each command, and one for each of its flags. make generate writes the rows of flags.
func TestCommandLinePage(t *testing.T) {
	const path, heading = "../../docs/command-line.md", "## Flags of one command\n"
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, cmd := range newRoot().Commands() {
		if row := "\n| `" + cmd.CommandPath() + "` |"; !strings.Contains(page, row) {
			t.Errorf("the page has no row %q", row)
		}
	}
	before, rest, found := strings.Cut(page, heading)
	got, after, _ := strings.Cut(rest, "\n## ")
	var want strings.Builder
	for _, cmd := range commands(newRoot()) {
		fmt.Fprintf(&want, "\n### %s\n\n| flag | meaning |\n| --- | --- |\n", strings.TrimPrefix(cmd.CommandPath(), "hasura-cognito "))
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			value, usage := pflag.UnquoteUsage(f)
			if f.DefValue != "" && f.DefValue != "false" {
				usage += " (default " + f.DefValue + ")"
			}
			fmt.Fprintf(&want, "| `%s` | %s |\n", strings.TrimSpace("--"+f.Name+" "+value), usage)
		})
	}
	switch {
	case !found:
		t.Errorf("the page has no heading %q", heading)
	case *update:
		if err := os.WriteFile(path, []byte(before+heading+want.String()+"\n## "+after), 0o644); err != nil {
			t.Fatal(err)
		}
	case got != want.String():
		t.Errorf("the rows of flags are\n%s\nwant\n%s\nRun make generate", got, &want)
	}
}

var (
	shellBlock = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")
	code       = regexp.MustCompile("`(hasura-cognito [^`]+)`")
)

// The docs name commands and flags that exist.
func TestCommandsOfTheDocs(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, page := range append(pages, "../../README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		var lines []string
		for _, block := range shellBlock.FindAllStringSubmatch(string(text), -1) {
			for line := range strings.Lines(block[1]) {
				if strings.Contains(line, "hasura-cognito ") {
					lines = append(lines, strings.TrimSpace(line))
				}
			}
		}
		for _, match := range code.FindAllStringSubmatch(string(text), -1) {
			lines = append(lines, strings.ReplaceAll(match[1], "\n", " "))
		}
		for _, line := range lines {
			found++
			if err := parse(line); err != nil {
				t.Errorf("%s: %s: got %v", page, line, err)
			}
		}
	}
	if found < 10 {
		t.Errorf("got %d commands, want those of docs/command-line.md", found)
	}
}

// A command that does not exist, a flag that does not exist, a flag without its value, and an argument that no command takes.
func TestParseRefusesWhatDoesNotExist(t *testing.T) {
	for _, line := range []string{"hasura-cognito docter", "hasura-cognito doctor --pol x", "hasura-cognito attach --pool", "hasura-cognito smoke --wait soon", "TOKEN=x hasura-cognito doctor x"} {
		if parse(line) == nil {
			t.Errorf("%s: got no error", line)
		}
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish", "powershell"} {
		if code, script, stderr := command(t, "completion", shell); code != ok || !strings.Contains(script, "hasura-cognito") {
			t.Errorf("%s: got exit code %d, %d bytes, %s", shell, code, len(script), stderr)
		}
	}
}
