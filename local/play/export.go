package main

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/pelletier/go-toml/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A file has the settings for a tool.
type file struct{ Name, Use, Text string }

// settingsFiles are what the page offers to take along. root is the repository.
func settingsFiles(root fs.FS, values stack.Settings) ([]file, error) {
	sam, err := samConfig(values)
	if err != nil {
		return nil, fmt.Errorf("samconfig.toml: %w", err)
	}
	env, err := envJSON(root, values)
	if err != nil {
		return nil, fmt.Errorf("env.json: %w", err)
	}
	return []file{
		{"samconfig.toml", "For sam deploy: put the entries of parameter_overrides beside yours, such as UserPoolId.", sam},
		{"hasura_cognito.tf", "For Terraform: put the arguments into your module block.", terraform(values)},
		{"env.json", "For sam local invoke: replaces env.json of the repository.", env},
	}, nil
}

// samConfig is a samconfig.toml with the parameters of the settings.
func samConfig(values stack.Settings) (string, error) {
	overrides, leftOut := []string{}, ""
	for _, s := range settings.All {
		switch value := values[s.Name]; {
		case value == "":
		case strings.Contains(value, `\`): // its CfnParameterOverridesType removes some backslashes, and cannot read one at the end
			leftOut += "# " + s.Parameter + " is left out: the SAM CLI changes values with a backslash.\n"
		default:
			overrides = append(overrides, s.Parameter+"="+quoteSAM(value))
		}
	}
	text, err := toml.Marshal(struct {
		Overrides []string `toml:"parameter_overrides,multiline"`
	}{overrides})
	return "version = 0.1\n\n[default.global.parameters]\n" + leftOut + string(text), err
}

// quoteSAM quotes a value where the SAM CLI needs it: it separates parameters at spaces.
func quoteSAM(value string) string {
	if !strings.ContainsAny(value, " \n\t\"'") {
		return value
	}
	return `"` + strings.ReplaceAll(value, `"`, `\"`) + `"`
}

// terraform is a module block with the variables of the settings.
func terraform(values stack.Settings) string {
	f := hclwrite.NewEmptyFile()
	module := f.Body().AppendNewBlock("module", []string{"hasura_cognito"}).Body()
	module.SetAttributeValue("source", cty.StringVal("./deploy/terraform"))
	for _, s := range settings.All {
		if value := values[s.Name]; value != "" {
			module.SetAttributeValue(strings.ToLower(s.Name), cty.StringVal(value))
		}
	}
	return string(hclwrite.Format(f.Bytes()))
}

// envJSON is env.json of the repository with the settings. What names the services there stays as it is: they are local ones.
func envJSON(root fs.FS, values stack.Settings) (string, error) {
	data, err := fs.ReadFile(root, "env.json")
	if err != nil {
		return "", err
	}
	env := make(map[string]map[string]string)
	if err := json.Unmarshal(data, &env); err != nil {
		return "", err
	}
	for function, chosen := range values.Env() {
		id := functions.LogicalID(function)
		for _, s := range settings.All {
			_, known := env[id][s.Name]
			value := chosen[s.Name]
			if isExported(s) || !known && value == "" {
				continue
			}
			if env[id] == nil {
				env[id] = make(map[string]string)
			}
			env[id][s.Name] = value
		}
	}
	text, err := json.MarshalIndent(env, "", "  ")
	return string(text) + "\n", err
}
