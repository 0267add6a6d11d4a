package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/phenom-earth/hasura-cognito/functions"
)

// The architectures of Lambda: that of this machine, and the other one.
var architecture, otherArchitecture = "x86_64", "arm64"

func init() {
	if runtime.GOARCH == "arm64" {
		architecture, otherArchitecture = otherArchitecture, architecture
	}
}

func (e *environment) validate(ctx context.Context) string {
	output(command(ctx, "sam", "validate", "--lint"))
	return ""
}

// build builds the functions and checks that each binary is static and for the architecture.
func (e *environment) build(architecture string) func(context.Context) string {
	machine := map[string]elf.Machine{"x86_64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[architecture]
	return func(ctx context.Context) string {
		output(command(ctx, "sam", "build", "--parameter-overrides", "Architecture="+architecture))
		note := "static"
		for _, function := range functions.All() {
			path := filepath.Join(e.dir, "functions", function, "bootstrap")
			f := must(elf.Open(path))
			defer f.Close()
			if f.Machine != machine {
				fail("%s is for %v, want %v", path, f.Machine, machine)
			}
			for _, p := range f.Progs {
				if p.Type == elf.PT_INTERP {
					fail("%s is not static", path)
				}
			}
			note += fmt.Sprintf(", %.2f MB", float64(must(os.Stat(path)).Size())/1e6)
		}
		return note
	}
}

// samDeploy deploys the last build into MiniStack and returns the outputs of the stack.
func samDeploy(ctx context.Context, name string, parameters ...string) map[string]string {
	args := []string{"sam", "deploy", "--stack-name", name, "--no-confirm-changeset", "--capabilities", "CAPABILITY_IAM", "--resolve-s3", "--parameter-overrides"}
	output(command(ctx, append(args, parameters...)...))
	text := output(command(ctx, "sam", "list", "stack-outputs", "--stack-name", name, "--output", "json"))
	var list []struct{ OutputKey, OutputValue string }
	check(json.NewDecoder(strings.NewReader(text)).Decode(&list))
	outputs := make(map[string]string)
	for _, o := range list {
		outputs[o.OutputKey] = o.OutputValue
	}
	return outputs
}
