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
	"slices"
	"strings"
)

// modules are the modules that the binaries link, and their versions. The standard
// library is the module stdlib.
type modules map[string]string

func (m modules) add(binary string) error {
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return err
	}
	m["stdlib"] = strings.TrimPrefix(info.GoVersion, "go")
	for _, d := range info.Deps {
		if d.Replace != nil {
			d = d.Replace
		}
		m[d.Path] = d.Version
	}
	return nil
}

// writeSBOM writes a bill of materials in CycloneDX 1.5. It has no time and no serial
// number, so that it is the same in each run.
func (m modules) writeSBOM(path string) error {
	components := []map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(m)) {
		components = append(components, map[string]string{
			"type": "library", "name": name, "version": m[name], "purl": "pkg:golang/" + name + "@" + m[name],
		})
	}
	text, err := json.MarshalIndent(map[string]any{
		"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components,
		"metadata": map[string]any{"component": map[string]string{"type": "application", "name": "hasura-cognito"}},
	}, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

var licence = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice)`)

// writeNotices writes the licence of each module. Most licences must go along with a
// binary.
func (m modules) writeNotices(path string) error {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(m)) {
		where := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", name)
		if name == "stdlib" {
			where = exec.Command("go", "env", "GOROOT")
		}
		out, err := where.Output()
		if err != nil {
			return fmt.Errorf("find the source of %s: %w", name, err)
		}
		dir := strings.TrimSpace(string(out))
		files, err := os.ReadDir(dir)
		if err != nil {
			return err
		}
		before := b.Len()
		for _, file := range files {
			if file.IsDir() || !licence.MatchString(file.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(dir, file.Name()))
			if err != nil {
				return err
			}
			fmt.Fprintf(&b, "==== %s %s: %s\n\n%s\n\n", name, m[name], file.Name(), bytes.TrimSpace(text))
		}
		if b.Len() == before {
			return fmt.Errorf("%s has no licence", name)
		}
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
