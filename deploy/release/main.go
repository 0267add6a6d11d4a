// Command release makes what a release holds out of the built functions: for each
// processor a zip of each and the template that deploys them; a bill of
// materials, the licences of what is linked, and the checksums of all of it.
//
// The same binaries make the same bytes: nothing in them tells the day or the
// machine. What is linked is read from the binaries themselves and not from
// go.mod, which also names what only tests and tools need.
package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	built := flag.String("built", ".build", "`folder` with <architecture>/<function>/bootstrap")
	out := flag.String("out", "dist", "`folder` to write")
	version := flag.String("version", "0.0.0", "semantic `version` of the release, such as 1.2.3")
	flag.Parse()
	if err := release(*built, *out, *version, []string{"arm64", "x86_64"}); err != nil {
		log.Fatal("release: ", err)
	}
	fmt.Printf("%s/: zips and their template for each processor, sbom.cdx.json, NOTICES.txt, and SHA256SUMS of them all\n", *out)
}

// project is the folder of template.yaml, from where the command is run.
var project = "."

// release writes everything to out.
func release(built, out, version string, architectures []string) error {
	linked := modules{}
	for _, architecture := range architectures {
		bootstraps, err := filepath.Glob(filepath.Join(built, architecture, "*", "bootstrap"))
		if err != nil || len(bootstraps) == 0 {
			return fmt.Errorf("no function is built for %s in %s: run make release", architecture, built)
		}
		if err := os.MkdirAll(filepath.Join(out, architecture), 0o755); err != nil {
			return err
		}
		for _, bootstrap := range bootstraps {
			if err := linked.add(bootstrap); err != nil {
				return err
			}
			name := filepath.Base(filepath.Dir(bootstrap))
			if err := writeZip(bootstrap, filepath.Join(out, architecture, name+".zip")); err != nil {
				return err
			}
		}
		if err := writeTemplate(filepath.Join(out, architecture), architecture, version); err != nil {
			return err
		}
	}
	sbom, err := linked.sbom()
	if err != nil {
		return err
	}
	notices, err := linked.notices()
	if err != nil {
		return err
	}
	for name, text := range map[string][]byte{"sbom.cdx.json": sbom, "NOTICES.txt": notices} {
		if err := os.WriteFile(filepath.Join(out, name), text, 0o644); err != nil {
			return err
		}
	}
	return writeChecksums(out)
}

// writeChecksums writes SHA256SUMS, as sha256sum -c reads it.
func writeChecksums(out string) error {
	var lines []string
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "SHA256SUMS" {
			return err
		}
		file, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(out, path)
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(file), filepath.ToSlash(name)))
		return err
	})
	if err != nil {
		return err
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[64:], b[64:]) })
	return os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(strings.Join(lines, "")), 0o644)
}
