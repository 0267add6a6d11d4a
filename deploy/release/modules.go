package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
)

// modules are those that the binaries link, with their versions; Go's own
// library is stdlib.
type modules map[string]string

func (m modules) add(binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	m["stdlib"] = strings.TrimPrefix(info.GoVersion, "go")
	for _, d := range info.Deps {
		m[d.Path] = replaced(d).Version
	}
	return nil
}

func replaced(d *debug.Module) *debug.Module {
	if d.Replace != nil {
		return d.Replace
	}
	return d
}

// sbom returns a bill of materials in CycloneDX 1.5, without a time or a serial
// number, which would differ from one run to the next.
func (m modules) sbom() ([]byte, error) {
	type component struct {
		Type    string `json:"type"`
		Name    string `json:"name"`
		Version string `json:"version"`
		PURL    string `json:"purl"`
	}
	var components []component
	for _, path := range slices.Sorted(maps.Keys(m)) {
		components = append(components, component{"library", path, m[path], "pkg:golang/" + path + "@" + m[path]})
	}
	text, err := json.MarshalIndent(map[string]any{
		"bomFormat":   "CycloneDX",
		"specVersion": "1.5",
		"version":     1,
		"metadata":    map[string]any{"component": map[string]string{"type": "application", "name": "hasura-cognito"}},
		"components":  components,
	}, "", "  ")
	return append(text, '\n'), err
}

var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)`)

// notices returns the licence of every module, which most of them ask to go along
// with a binary.
func (m modules) notices() ([]byte, error) {
	var b bytes.Buffer
	for _, path := range slices.Sorted(maps.Keys(m)) {
		ask := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", path)
		if path == "stdlib" {
			ask = exec.Command("go", "env", "GOROOT")
		}
		dir, err := ask.Output()
		if err != nil {
			return nil, fmt.Errorf("where is %s? %w", path, err)
		}
		files, err := os.ReadDir(strings.TrimSpace(string(dir)))
		if err != nil {
			return nil, err
		}
		found := false
		for _, file := range files {
			if file.IsDir() || !licence.MatchString(file.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), file.Name()))
			if err != nil {
				return nil, err
			}
			found = true
			fmt.Fprintf(&b, "==== %s %s: %s\n\n%s\n\n", path, m[path], file.Name(), bytes.TrimSpace(text))
		}
		if !found {
			return nil, fmt.Errorf("%s has no licence", path)
		}
	}
	return b.Bytes(), nil
}
