package deployment_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// module returns the text of the Terraform module.
func module(t *testing.T) string {
	t.Helper()
	paths, err := filepath.Glob("terraform/*.tf")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no module in terraform/: %v", err)
	}
	var text strings.Builder
	for _, path := range paths {
		text.Write(readFile(t, path))
	}
	return text.String()
}

// plain returns what a value of the template is where none of its conditions holds.
func plain(value any) any {
	if condition, ok := value.([]any); ok && len(condition) == 3 {
		return plain(condition[2])
	}
	return value
}

// The module and the template deploy the same: whoever moves from one to the other
// finds the same names and limits.
func TestTerraformDeploysWhatTheTemplateDoes(t *testing.T) {
	text, template := module(t), readTemplate(t)
	for id, name := range functions {
		function := regexp.MustCompile(`(?s)\n    ` + name + ` = \{.*?\n    \}`).FindString(text)
		timeout := fmt.Sprint(at(template.Resources[id].Properties, "Timeout"))
		if timeout == "" {
			timeout = fmt.Sprint(template.Globals.Function["Timeout"])
		}
		for _, want := range []string{
			fmt.Sprintf("description = %q", plain(template.Resources[id].Properties["Description"])),
			"timeout     = " + timeout,
		} {
			if !strings.Contains(function, want) {
				t.Errorf("terraform: %s lacks %s:%s", name, want, function)
			}
		}
	}
	for _, queue := range []string{"ParkedSyncs", "ParkedSyncsDeadLetters"} {
		name := strings.Replace(fmt.Sprint(at(template.Resources[queue].Properties, "QueueName")), "${Prefix}", "${var.prefix}", 1)
		if !strings.Contains(text, fmt.Sprintf("= %q", name)) {
			t.Errorf("terraform: no queue %q", name)
		}
	}
	queue := template.Resources["ParkedSyncs"].Properties
	for key, value := range map[string]any{
		"visibility_timeout_seconds": queue["VisibilityTimeout"],
		"message_retention_seconds":  queue["MessageRetentionPeriod"],
		"batch_size":                 template.Resources["HasuraCognitoReplaySyncsSource"].Properties["BatchSize"],
	} {
		if !regexp.MustCompile(key + ` += ` + fmt.Sprintf("%.0f", value) + `\b`).MatchString(text) {
			t.Errorf("terraform: %s is not the template's %v", key, value)
		}
	}
	for _, action := range regexp.MustCompile(`\b(?:logs|sqs|secretsmanager|kms|xray|ec2):[A-Z][A-Za-z]+`).FindAllString(string(readFile(t, "template.yaml")), -1) {
		if !strings.Contains(text, `"`+action+`"`) && !strings.Contains(text, action+":SecretARN") && !strings.HasPrefix(action, "kms:Via") && !strings.HasPrefix(action, "kms:Enc") {
			t.Errorf("terraform: the roles lack %s", action)
		}
	}
}

// Terraform would find a cycle only when somebody applies it: the pool needs the
// functions, so of all resources the permission alone may need the pool.
func TestTerraformPermissionAloneNeedsThePool(t *testing.T) {
	uses := strings.Count(module(t), "var.user_pool_arn")
	permission := regexp.MustCompile(`(?s)resource "aws_lambda_permission".*?\n\}`).FindString(module(t))
	if uses != 1 || !strings.Contains(permission, "source_arn     = var.user_pool_arn") {
		t.Errorf("var.user_pool_arn is used %d times, want once, in the permission:\n%s", uses, permission)
	}
}
