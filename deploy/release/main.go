// Command release makes the files of a release from the built binaries: for each
// architecture the zips of the functions and the template that deploys them, the
// command line for each system, a bill of materials, the licences, and checksums.
//
// The same binaries give the same bytes: no file holds a time or a path. Modules are
// read from the binaries, because go.mod also names what only tests and tools need.
package main

import (
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	log.SetFlags(0)
	built := flag.String("built", ".build", "`folder` with <architecture>/<function>/bootstrap")
	out := flag.String("out", "dist", "`folder` to write; it already has the command line, as hasura-cognito-<system>-<architecture>")
	version := flag.String("version", "0.0.0", "semantic `version` of the release, such as 1.2.3")
	flag.Parse()
	if err := release(*built, *out, *version, []string{"arm64", "x86_64"}); err != nil {
		log.Fatal("release: ", err)
	}
	fmt.Printf("%s/: zips and template for each architecture, hasura-cognito for each system, sbom.cdx.json, NOTICES.txt, SHA256SUMS\n", *out)
}

// project is the folder of template.yaml.
var project = "."

// release writes everything to out.
func release(built, out, version string, architectures []string) error {
	linked := modules{}
	for _, architecture := range architectures {
		bootstraps, err := filepath.Glob(filepath.Join(built, architecture, "*", "bootstrap"))
		if err != nil || len(bootstraps) == 0 {
			return fmt.Errorf("%s has no functions for %s. Run make release", built, architecture)
		}
		folder := filepath.Join(out, architecture)
		if err := errors.Join(os.MkdirAll(folder, 0o755), writeTemplate(folder, architecture, version)); err != nil {
			return err
		}
		for _, bootstrap := range bootstraps {
			zip := filepath.Join(folder, filepath.Base(filepath.Dir(bootstrap))+".zip")
			if err := errors.Join(linked.add(bootstrap), writeZip(bootstrap, zip)); err != nil {
				return err
			}
		}
	}
	commands, _ := filepath.Glob(filepath.Join(out, "hasura-cognito-*"))
	for _, command := range commands {
		if err := linked.add(command); err != nil {
			return err
		}
	}
	return errors.Join(
		linked.writeSBOM(filepath.Join(out, "sbom.cdx.json")),
		linked.writeNotices(filepath.Join(out, "NOTICES.txt")),
		writeChecksums(out))
}

// writeChecksums writes SHA256SUMS, in the form that sha256sum -c reads.
func writeChecksums(out string) error {
	var lines strings.Builder
	files := os.DirFS(out)
	err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error { // in the order of the names
		if err != nil || d.IsDir() || path == "SHA256SUMS" {
			return err
		}
		file, err := fs.ReadFile(files, path)
		fmt.Fprintf(&lines, "%x  %s\n", sha256.Sum256(file), path)
		return err
	})
	return errors.Join(err, os.WriteFile(filepath.Join(out, "SHA256SUMS"), []byte(lines.String()), 0o644))
}
