package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// home is where make e2e-deps installs: below .aws-sam, because sam build copies the
// whole tree but that.
const home = ".aws-sam/e2e"

// tools are the programs of others, by their paths.
type tools struct {
	sam, ministack, moto string
	cognitoLocal         string // a script for node
	node                 string
	initdb, postgres     string
	dockerd              string // empty when it is not installed
}

func findTools() (tools, error) {
	var t tools
	var missing []error
	want := func(path *string, name string, candidates ...string) {
		for _, candidate := range candidates {
			if found, err := exec.LookPath(candidate); err == nil {
				*path, err = filepath.Abs(found)
				missing = append(missing, err)
				return
			}
		}
		missing = append(missing, fmt.Errorf("%s is missing", name))
	}
	python := filepath.Join(home, "python/bin")
	want(&t.sam, "the SAM CLI", filepath.Join(python, "sam"))
	want(&t.ministack, "MiniStack", filepath.Join(python, "ministack"))
	want(&t.moto, "moto", filepath.Join(python, "moto_server"))
	want(&t.node, "Node", "node")
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // not on the PATH there
	in := func(program string) []string {
		paths := []string{program}
		for _, dir := range debian {
			paths = append(paths, filepath.Join(dir, program))
		}
		return paths
	}
	want(&t.postgres, "PostgreSQL", in("postgres")...)
	want(&t.initdb, "PostgreSQL's initdb", in("initdb")...)
	script, err := filepath.Abs(filepath.Join(home, "node/node_modules/cognito-local/lib/bin/start.js"))
	if _, e := os.Stat(script); e != nil {
		missing = append(missing, err, errors.New("cognito-local is missing"))
	}
	t.cognitoLocal = script
	t.dockerd, _ = exec.LookPath("dockerd")
	if err := errors.Join(missing...); err != nil {
		return tools{}, fmt.Errorf("%w\n`make e2e-deps` installs what is missing, or says how", err)
	}
	return t, nil
}
