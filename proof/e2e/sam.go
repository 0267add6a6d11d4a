package main

import (
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// logical are the functions' logical ids in template.yaml, by name.
var logical = map[string]string{
	stack.Trigger:     "HasuraCognitoTrigger",
	stack.SyncUsers:   "HasuraCognitoSyncUsers",
	stack.ReplaySyncs: "HasuraCognitoReplaySyncs",
}

// machines are the processors that Lambda has, as SAM names them.
var machines = map[string]elf.Machine{"x86_64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

// architecture is that of this machine, by Go's name for it.
var architecture = map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]

func (m *machine) validate(ctx context.Context) (string, error) {
	_, _, err := output(m.command(ctx, m.tools.sam, "validate", "--lint"))
	return "", err
}

// build has SAM build the functions and looks at what came of it.
func (m *machine) build(architecture string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		if _, _, err := output(m.command(ctx, m.tools.sam, "build", "--parameter-overrides", "Architecture="+architecture)); err != nil {
			return "", err
		}
		var sizes []string
		for _, function := range []string{stack.Trigger, stack.SyncUsers, stack.ReplaySyncs} {
			path := built(function)
			if err := bootstrap(path, machines[architecture]); err != nil {
				return "", fmt.Errorf("%s: %w", path, err)
			}
			info, err := os.Stat(path)
			if err != nil {
				return "", err
			}
			sizes = append(sizes, fmt.Sprintf("%.2f MB", float64(info.Size())/1e6))
		}
		return "static, " + strings.Join(sizes, ", "), nil
	}
}

// built is where SAM puts a function's binary.
func built(function string) string {
	return filepath.Join(".aws-sam/build", logical[function], "bootstrap")
}

// bootstrap reports what keeps a file from running on Lambda's processor.
func bootstrap(path string, want elf.Machine) error {
	f, err := elf.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if f.Machine != want {
		return fmt.Errorf("built for %v, want %v", f.Machine, want)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return errors.New("not static")
		}
	}
	return nil
}

// deploy has SAM deploy the last build into MiniStack and returns the stack's outputs.
func (m *machine) deploy(ctx context.Context, name string, parameters ...string) (map[string]string, error) {
	args := []string{"deploy", "--stack-name", name, "--no-confirm-changeset", "--capabilities", "CAPABILITY_IAM",
		"--resolve-s3", "--parameter-overrides"}
	if _, _, err := output(m.command(ctx, m.tools.sam, append(args, parameters...)...)); err != nil {
		return nil, err
	}
	text, _, err := output(m.command(ctx, m.tools.sam, "list", "stack-outputs", "--stack-name", name, "--output", "json"))
	if err != nil {
		return nil, err
	}
	var list []struct{ OutputKey, OutputValue string }
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("sam list printed no JSON: %w", err)
	}
	outputs := make(map[string]string)
	for _, o := range list {
		outputs[o.OutputKey] = o.OutputValue
	}
	return outputs, nil
}
