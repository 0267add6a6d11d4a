package deploy_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

var update = flag.Bool("update", false, "write deploy/terraform/monitoring.json")

// camel finds names such as TriggerReserved and the places between their words.
var camel, words = regexp.MustCompile(`\b[A-Z][a-z]+(?:[A-Z][a-z]+)*\b`), regexp.MustCompile(`([a-z])([A-Z])`)

// snake returns the Terraform name of a parameter or resource of the template.
func snake(name, separator string) string {
	return strings.ToLower(words.ReplaceAllString(name, "${1}"+separator+"${2}"))
}

// TestTerraformMonitoring compares monitoring.json with the metric filters, alarms and dashboard of template.yaml.
func TestTerraformMonitoring(t *testing.T) {
	template := readTemplate(t)
	kept := strings.NewReplacer("ParkedSyncsDeadLetters", "DeadLetters", "ParkedSyncsAge", "ParkedAge") // as in releases before
	filters, alarms := map[string]any{}, map[string]any{}
	for id, r := range template.Resources {
		switch name := snake(kept.Replace(strings.NewReplacer("Metric", "", "Alarm", "").Replace(id)), "-"); {
		case r.Type == "AWS::Logs::MetricFilter":
			filters[name] = template.terraform(r.Properties)
		case r.Type == "AWS::CloudWatch::Alarm" && strings.HasSuffix(r.Condition, "Monitoring"):
			delete(r.Properties, "AlarmActions")
			description := fmt.Sprint(r.Properties["AlarmDescription"])
			r.Properties["AlarmDescription"] = camel.ReplaceAllStringFunc(description, func(name string) string {
				if _, ok := template.Parameters[name]; ok {
					return snake(name, "_")
				}
				return name
			})
			alarms[name] = template.terraform(r.Properties)
		}
	}
	body := fmt.Sprint(template.terraform(template.Resources["Dashboard"].Properties["DashboardBody"]))
	var got bytes.Buffer
	encoder := json.NewEncoder(&got)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(map[string]any{"filters": filters, "alarms": alarms, "dashboard": json.RawMessage(body)}); err != nil {
		t.Fatal(err)
	}
	const path = "deploy/terraform/monitoring.json"
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(strings.Split(string(readFile(t, path)), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("%s is not template.yaml's. Run make generate. (-file +template)\n%s", path, diff)
	}
}

// terraform returns a value of the template with names of resources as text, for Terraform's templatefile.
func (t template) terraform(value any) any {
	switch value := value.(type) {
	case map[string]any:
		result := map[string]any{}
		for key, inner := range value {
			result[key] = t.terraform(inner)
		}
		return result
	case []any:
		result := make([]any, len(value))
		for i, inner := range value {
			result[i] = t.terraform(inner)
		}
		return result
	case string:
		if _, ok := t.Parameters[value]; ok {
			return "${" + snake(value, "_") + "}"
		}
		if name := t.named(value); name != nil {
			return t.terraform(name)
		}
		return regexp.MustCompile(`\$\{[A-Za-z.:]+\}`).ReplaceAllStringFunc(value, func(reference string) string {
			name := strings.Trim(reference, "${}")
			if resource := t.named(name); resource != nil {
				return fmt.Sprint(t.terraform(resource))
			}
			return map[string]string{"Prefix": "${prefix}", "AWS::Region": "${region}"}[name]
		})
	}
	return value
}

// named returns the name of a resource, or nil if id is none of a resource with a name.
func (t template) named(id string) any {
	properties := t.Resources[strings.TrimSuffix(id, ".QueueName")].Properties
	for _, property := range []string{"FunctionName", "QueueName", "LogGroupName"} {
		if name, ok := properties[property]; ok {
			return name
		}
	}
	return nil
}

// A variable is one of Terraform, with its text.
type variable struct {
	text, fallback string // fallback is "" without a default
}

func readVariables(t *testing.T) map[string]variable {
	t.Helper()
	variables := map[string]variable{}
	text := string(readFile(t, "deploy/terraform/variables.tf"))
	for _, block := range regexp.MustCompile(`(?ms)^variable "(\w+)" \{$(.*?)^\}$`).FindAllStringSubmatch(text, -1) {
		v := variable{text: block[2]}
		if match := regexp.MustCompile(`(?m)^  default +=(.*)$`).FindStringSubmatch(block[2]); match != nil {
			v.fallback = strings.TrimSpace(match[1])
		}
		variables[block[1]] = v
	}
	return variables
}

// A condition is a validation with a regular expression on the whole value, or on each entry of a list.
var condition = regexp.MustCompile(`condition += (alltrue\(\[for entry in split\(",", var\.\w+\) : )?(!?)can\(regex\(("(?:[^"\\]|\\.)*"), \w[\w.]*\)\)`)

// accepts evaluates the conditions. Terraform's regular expressions are Go's.
func (v variable) accepts(t *testing.T, value string) bool {
	t.Helper()
	for _, match := range condition.FindAllStringSubmatch(v.text, -1) {
		pattern, err := strconv.Unquote(match[3])
		if err != nil {
			t.Fatalf("%s: %v", match[3], err)
		}
		values := []string{value}
		if match[1] != "" {
			values = strings.Split(value, ",")
		}
		for _, value := range values {
			if regexp.MustCompile(pattern).MatchString(value) == (match[2] == "!") {
				return false
			}
		}
	}
	return true
}

// Terraform refuses an invalid setting before it changes anything. The values are those that the Go parser is tested with.
func TestTerraformAcceptsWhatTheFunctionsAccept(t *testing.T) {
	values := sharedValues(t)
	variables := readVariables(t)
	for _, s := range settings.All {
		if s.Parameter == "" {
			continue // the module sets it
		}
		v, ok := variables[strings.ToLower(s.Name)]
		if !ok || !condition.MatchString(v.text) {
			t.Errorf("no variable with a validation for %s", s.Name)
			continue
		}
		if !s.Required && !v.accepts(t, "") {
			t.Errorf("%s: refuses the empty value, which means unset", s.Name)
		}
		for _, value := range values[s.Name].Valid {
			if !v.accepts(t, value) {
				t.Errorf("%s: refuses %q, which the function accepts", s.Name, value)
			}
		}
		for _, value := range values[s.Name].Invalid {
			if v.accepts(t, value) {
				t.Errorf("%s: accepts %q, which the function refuses", s.Name, value)
			}
		}
	}
}

// Each parameter of the template is a variable with the same default.
func TestTerraformTakesWhatTheTemplateTakes(t *testing.T) {
	variables := readVariables(t)
	others := map[string]string{"UserPoolId": "user_pool_arn", "VpcSubnetIds": "subnet_ids", "VpcSecurityGroupIds": "security_group_ids", "AlarmTopicArn": "alarm_topic_arns"}
	for name, parameter := range readTemplate(t).Parameters {
		switch name {
		case "CreateUserPool", "LambdaVersion": // the pool is in the configuration that calls the module
			continue
		case "DeploymentPreference": // Terraform moves an alias at once
			continue
		}
		other := others[name]
		if other == "" {
			other = snake(name, "_")
		}
		v, ok := variables[other]
		if !ok {
			t.Errorf("no variable %s for the parameter %s", other, name)
			continue
		}
		if got, want := strings.Trim(v.fallback, `"`), fmt.Sprint(parameter.Default); v.fallback != "" && parameter.Default != "" && got != want {
			t.Errorf("%s is %s by default, want %s", other, got, want)
		}
		if limit := fmt.Sprintf("length(var.%s) <= %d", other, parameter.MaxLength); parameter.MaxLength > 0 && !strings.Contains(v.text, limit) {
			t.Errorf("%s lacks the validation %s", other, limit)
		}
	}
}

// readModule returns the files of the module with one space between words.
func readModule(t *testing.T) string {
	t.Helper()
	paths, _ := filepath.Glob("deploy/terraform/*.tf")
	var text strings.Builder
	for _, path := range paths {
		text.Write(readFile(t, path))
	}
	return strings.Join(strings.Fields(text.String()), " ")
}

func sorted(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

// The functions have the same variables, limits and texts, whichever of the two deploys them.
func TestTerraformDeploysWhatTheTemplateDeploys(t *testing.T) {
	template, module := readTemplate(t), readModule(t)
	text := string(readFile(t, "deploy/terraform/functions.tf"))
	name := regexp.MustCompile(`\b[A-Z][A-Z_]+\b`)
	locals := map[string][]string{}
	for _, local := range regexp.MustCompile(`(?ms)^  (\w+) += (.*?)\n\n`).FindAllStringSubmatch(text, -1) {
		for _, variable := range regexp.MustCompile(`\b([A-Z][A-Z_]+) += `).FindAllStringSubmatch(local[2], -1) {
			locals[local[1]] = append(locals[local[1]], variable[1])
		}
	}
	for id, folder := range functions {
		properties := maps.Clone(template.Globals.Function)
		maps.Copy(properties, template.Resources[id].Properties)
		description := properties["Description"]
		if condition, ok := description.([]any); ok {
			description = condition[2]
		}
		memory := snake(fmt.Sprint(properties["MemorySize"]), "_")
		if text := fmt.Sprintf(` { description = %q memory = var.%s timeout = %v`, description, memory, properties["Timeout"]); !strings.Contains(module, text) {
			t.Errorf("the module lacks %s", text)
		}
		want, got := template.variables(id), map[string]string{}
		for _, name := range []string{"AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"} { // for sam local alone
			delete(want, name)
		}
		environment := regexp.MustCompile(`(?s)` + folder + ` = .*?environment = (.*?)\n`).FindStringSubmatch(text)[1]
		for _, variable := range name.FindAllString(environment, -1) {
			got[variable] = ""
		}
		for _, local := range regexp.MustCompile(`local\.(\w+)`).FindAllStringSubmatch(environment, -1) {
			for _, variable := range locals[local[1]] {
				got[variable] = ""
			}
		}
		if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
			t.Errorf("%s: environment variables (-template +module)\n%s", folder, diff)
		}
	}
	queue, source := template.Resources["ParkedSyncs"].Properties, template.Resources["HasuraCognitoReplaySyncsSource"].Properties
	for _, text := range []string{
		fmt.Sprintf("message_retention_seconds = %.0f", queue["MessageRetentionPeriod"]),
		fmt.Sprintf("visibility_timeout_seconds = %v", queue["VisibilityTimeout"]),
		fmt.Sprintf("batch_size = %v", source["BatchSize"]),
		fmt.Sprintf("name = %q", template.Resources["HasuraCognitoTrigger"].Properties["AutoPublishAlias"]),
		fmt.Sprintf("parked_name = %q", strings.ReplaceAll(fmt.Sprint(queue["QueueName"]), "${Prefix}", "${var.prefix}")),
		fmt.Sprintf("visibility_timeout_seconds = %v", template.Resources["ReconcileQueue"].Properties["VisibilityTimeout"]),
		fmt.Sprintf("visibility_timeout_seconds = %v", template.Resources["FollowQueue"].Properties["VisibilityTimeout"]),
		fmt.Sprintf("batch_size = %v", template.Resources["HasuraCognitoReconcileUsersSource"].Properties["BatchSize"]),
		fmt.Sprintf("batch_size = %v", template.Resources["HasuraCognitoFollowUsersSource"].Properties["BatchSize"]),
	} {
		if !strings.Contains(module, text) {
			t.Errorf("the module lacks %s, which template.yaml has", text)
		}
	}
}

// The roles have the same statements: effect, actions, and the keys of the conditions.
func TestTerraformAllowsWhatTheTemplateAllows(t *testing.T) {
	template, module := readTemplate(t), readModule(t)
	want, got := map[string]bool{}, map[string]bool{}
	for id := range functions {
		for _, s := range template.statements(id + "Role") {
			actions := s.actions()
			slices.Sort(actions)
			want[s.Effect+" "+strings.Join(actions, " ")] = true
			for _, operator := range s.Condition {
				for key := range operator {
					want[key] = true
				}
			}
		}
	}
	for _, match := range regexp.MustCompile(`Effect = "(\w+)",? Action = \[([^\]]*)\]`).FindAllStringSubmatch(module, -1) {
		actions := regexp.MustCompile(`[a-z0-9-]+:[A-Za-z*]+`).FindAllString(match[2], -1)
		slices.Sort(actions)
		got[match[1]+" "+strings.Join(actions, " ")] = true
	}
	for _, match := range regexp.MustCompile(`"((?:kms|lambda):[A-Za-z:]+)" =`).FindAllStringSubmatch(module, -1) {
		got[match[1]] = true
	}
	if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
		t.Errorf("statements and keys of conditions (-template +module)\n%s", diff)
	}
}
