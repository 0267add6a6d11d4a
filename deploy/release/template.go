package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// semantic is a version as semver.org has it, without build metadata.
var semantic = regexp.MustCompile(`^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$`)

// writeTemplate puts template.yaml beside the zips of a processor, so that it deploys
// them: sam deploy then needs neither Go nor make. With it go the two files that the
// Serverless Application Repository shows.
func writeTemplate(folder, architecture, version string) error {
	if !semantic.MatchString(version) {
		return fmt.Errorf("%q is not a semantic version, such as 1.2.3", version)
	}
	source, err := os.ReadFile(filepath.Join(project, "template.yaml"))
	if err != nil {
		return err
	}
	text, err := packaged(string(source), architecture, version)
	if err != nil {
		return fmt.Errorf("template.yaml: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, "template.yaml"), []byte(text), 0o644); err != nil {
		return err
	}
	for _, name := range []string{"LICENSE", "README.md"} {
		file, err := os.ReadFile(filepath.Join(project, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, name), file, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// packaged returns the template with zips in place of what SAM would build. It is
// edited as text, so that its comments stay; what is not found is an error.
func packaged(template, architecture, version string) (string, error) {
	var missing []string
	replace := func(pattern, by string) {
		p := regexp.MustCompile(pattern)
		if !p.MatchString(template) {
			missing = append(missing, pattern)
		}
		template = p.ReplaceAllString(template, by)
	}
	replace(`(?m)^    SemanticVersion: .*\n`, "    SemanticVersion: "+version+"\n")
	replace(`(?m)^    CodeUri: .*\n`, "")
	replace(`(?m)^    Metadata:\n      BuildMethod: makefile\n      WorkingDirectory: .*\n`, "")
	replace(`(?m)^(      FunctionName: !Sub \$\{Prefix\}-(\S+)\n)`, "$1      CodeUri: $2.zip\n")
	replace(`(?m)^  Architecture:\n    Description: .*\n    Type: String\n    Default: .*\n    AllowedValues: .*\n`, "  Architecture:\n"+
		"    Description: \"Lambda's processor, which these zips are for. Example: "+architecture+"\"\n"+
		"    Type: String\n    Default: "+architecture+"\n    AllowedValues: ["+architecture+"]\n")
	if missing != nil {
		return "", fmt.Errorf("nothing in it is as %s", strings.Join(missing, " or "))
	}
	return template, nil
}
