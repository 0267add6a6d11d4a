package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// semantic is the form of a version of semver.org, without build metadata.
var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// writeTemplate writes template.yaml beside the zips, so that sam deploy needs neither
// Go nor make, and the two files that the Serverless Application Repository shows.
func writeTemplate(folder, architecture, version string) error {
	if !semantic.MatchString(version) {
		return fmt.Errorf("%q is not a semantic version, such as 1.2.3", version)
	}
	for _, name := range []string{"template.yaml", "LICENSE", "README.md"} {
		text, err := os.ReadFile(filepath.Join(project, name))
		if err == nil && name == "template.yaml" {
			text, err = packaged(text, architecture, version)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// packaged returns the template with the zips instead of what SAM would build. It edits
// text, so that comments stay. A pattern that matches nothing is an error.
func packaged(template []byte, architecture, version string) ([]byte, error) {
	for _, edit := range []struct{ pattern, text string }{
		{`(?m)^    SemanticVersion: .*\n`, "    SemanticVersion: " + version + "\n"},
		{`(?m)^    CodeUri: .*\n`, ""},
		{`(?m)^    Metadata: \{BuildMethod: makefile, .*\}\n`, ""},
		{`(?m)^(      FunctionName: !Sub \$\{Prefix\}-(\S+)\n)`, "$1      CodeUri: $2.zip\n"},
		{`(?m)^  Architecture:\n    Description: .*\n    Type: String\n    Default: .*\n    AllowedValues: .*\n`,
			"  Architecture:\n    Description: \"Lambda's processor, which these zips are for. Example: " + architecture + "\"\n" +
				"    Type: String\n    Default: " + architecture + "\n    AllowedValues: [" + architecture + "]\n"},
	} {
		pattern := regexp.MustCompile(edit.pattern)
		if !pattern.Match(template) {
			return nil, fmt.Errorf("nothing matches %s", edit.pattern)
		}
		template = pattern.ReplaceAll(template, []byte(edit.text))
	}
	return template, nil
}
