package deploy_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// A module is the Terraform module, parsed: without the provider there is no
// terraform validate.
type module struct {
	blocks []*hclsyntax.Block
	locals map[string]hclsyntax.Expression
}

func readModule(t *testing.T) module {
	t.Helper()
	paths, err := filepath.Glob("deploy/terraform/*.tf")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no module in deploy/terraform/: %v", err)
	}
	m := module{locals: map[string]hclsyntax.Expression{}}
	parser := hclparse.NewParser()
	for _, path := range paths {
		file, diagnostics := parser.ParseHCLFile(path)
		if diagnostics.HasErrors() {
			t.Fatal(diagnostics)
		}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			if block.Type != "locals" {
				m.blocks = append(m.blocks, block)
				continue
			}
			for name, attribute := range block.Body.Attributes {
				m.locals[name] = attribute.Expr
			}
		}
	}
	return m
}

// block returns the block of a type with these labels.
func (m module) block(t *testing.T, kind string, labels ...string) *hclsyntax.Body {
	t.Helper()
	for _, block := range m.blocks {
		if block.Type == kind && slices.Equal(block.Labels, labels) {
			return block.Body
		}
	}
	t.Fatalf("deploy/terraform/ has no %s %v", kind, labels)
	return nil
}

// defaults are the values of the module's variables when nothing else is said, and
// made-up ones of those that have to be.
func (m module) defaults(t *testing.T) map[string]cty.Value {
	t.Helper()
	values := map[string]cty.Value{}
	for _, block := range m.blocks {
		if block.Type != "variable" {
			continue
		}
		value := cty.StringVal("the " + block.Labels[0])
		if attribute := block.Body.Attributes["default"]; attribute != nil {
			var diagnostics hcl.Diagnostics
			if value, diagnostics = attribute.Expr.Value(nil); diagnostics.HasErrors() {
				t.Fatal(diagnostics)
			}
		}
		values[block.Labels[0]] = value
	}
	values["prefix"] = cty.StringVal("acme")
	return values
}

// value evaluates an expression with the defaults, and what it needs of locals.
func (m module) value(t *testing.T, expression hclsyntax.Expression) any {
	t.Helper()
	text, err := ctyjson.Marshal(m.evaluate(t, expression), cty.DynamicPseudoType)
	if err != nil {
		t.Fatal(err)
	}
	var wrapped struct{ Value any }
	if err := json.Unmarshal(text, &wrapped); err != nil {
		t.Fatal(err)
	}
	return wrapped.Value
}

func (m module) evaluate(t *testing.T, expression hclsyntax.Expression) cty.Value {
	t.Helper()
	locals := map[string]cty.Value{}
	for _, traversal := range expression.Variables() {
		if step, ok := traversal[min(1, len(traversal)-1)].(hcl.TraverseAttr); ok && traversal.RootName() == "local" {
			locals[step.Name] = m.evaluate(t, m.locals[step.Name])
		}
	}
	queue := cty.ObjectVal(map[string]cty.Value{"url": cty.StringVal("ParkedSyncs"), "arn": cty.StringVal("arn:aws:sqs:us-east-1:123456789012:q")})
	value, diagnostics := expression.Value(&hcl.EvalContext{
		Variables: map[string]cty.Value{
			"var":           cty.ObjectVal(m.defaults(t)),
			"local":         cty.ObjectVal(locals),
			"aws_sqs_queue": cty.ObjectVal(map[string]cty.Value{"parked": queue}),
		},
		Functions: map[string]function.Function{
			"can": tryfunc.CanFunc, "contains": stdlib.ContainsFunc, "floor": stdlib.FloorFunc, "join": stdlib.JoinFunc, "keys": stdlib.KeysFunc,
			"length": stdlib.LengthFunc, "merge": stdlib.MergeFunc, "split": stdlib.SplitFunc, "try": tryfunc.TryFunc,
		},
	})
	if diagnostics.HasErrors() {
		t.Fatal(diagnostics)
	}
	return value
}

// plain returns what a value of the template is where none of its conditions holds.
func plain(value any) any {
	if condition, ok := value.([]any); ok && len(condition) == 3 {
		return plain(condition[2])
	}
	return value
}

// substituted returns a text of the template as it is in the stack acme.
func substituted(text any) string {
	return strings.NewReplacer("${Prefix}", "acme", "${AWS::Region}", "us-east-1",
		"${HasuraCognitoTrigger}", "acme-hasura-cognito-trigger", "${HasuraCognitoSyncUsers}", "acme-hasura-cognito-sync-users",
		"${ParkedSyncs.QueueName}", "acme-hasura-cognito-parked-syncs",
		"${ParkedSyncsDeadLetters.QueueName}", "acme-hasura-cognito-parked-syncs-dead-letters",
	).Replace(fmt.Sprint(text))
}

// As terraform fmt writes it, where there is no terraform to ask.
func TestTerraformIsFormatted(t *testing.T) {
	for _, pattern := range []string{"deploy/terraform/*.tf", "deploy/terraform/example/*.tf"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if text := readFile(t, path); string(hclwrite.Format(text)) != string(text) {
				t.Errorf("%s is not formatted: terraform fmt -recursive terraform", path)
			}
		}
	}
}

// A name that is used and nowhere declared would be found when somebody applies it.
func TestTerraformUsesWhatIsDeclared(t *testing.T) {
	m := readModule(t)
	declared := map[string]bool{}
	for _, block := range m.blocks {
		switch block.Type {
		case "variable":
			declared["var."+block.Labels[0]] = true
		case "data":
			declared["data."+block.Labels[0]] = true
		case "resource":
			declared[block.Labels[0]+"."+block.Labels[1]] = true
		}
	}
	for name := range m.locals {
		declared["local."+name] = true
	}
	used := map[string]bool{}
	check := func(node hclsyntax.Node) hcl.Diagnostics {
		expression, ok := node.(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			return nil
		}
		root := expression.Traversal.RootName()
		if step, ok := expression.Traversal[min(1, len(expression.Traversal)-1)].(hcl.TraverseAttr); ok {
			name := root + "." + step.Name
			used[name] = true
			known := root == "var" || root == "local" || root == "data" || strings.HasPrefix(root, "aws_")
			if known && !declared[name] {
				t.Errorf("%s: there is no %s", expression.SrcRange, name)
			}
		}
		return nil
	}
	for _, block := range m.blocks {
		hclsyntax.VisitAll(block, check)
	}
	for _, expression := range m.locals {
		hclsyntax.VisitAll(expression, check)
	}
	for name := range declared {
		if (strings.HasPrefix(name, "var.") || strings.HasPrefix(name, "local.")) && !used[name] {
			t.Errorf("terraform: %s is read by nothing", name)
		}
	}
}

// A parameter without a variable is one, and why.
var withoutVariable = map[string]string{
	"CreateUserPool":       "the pool is in the configuration that calls the module",
	"LambdaVersion":        "it stands in the pool's lambda_config",
	"DeploymentPreference": "Terraform moves an alias at once, and knows nothing of CodeDeploy's waiting",
}

// Whoever moves from the template to the module finds every parameter again.
func TestTerraformTakesWhatTheTemplateDoes(t *testing.T) {
	m, template := readModule(t), readTemplate(t)
	settings := map[string]string{} // the map that takes a parameter, by the parameter
	for id, variable := range map[string]string{"HasuraCognitoTrigger": "trigger_settings", "HasuraCognitoSyncUsers": "sync_settings"} {
		condition := m.block(t, "variable", variable)
		var names []string
		for _, block := range condition.Blocks {
			hclsyntax.VisitAll(block.Body.Attributes["condition"].Expr, func(node hclsyntax.Node) hcl.Diagnostics {
				if literal, ok := node.(*hclsyntax.LiteralValueExpr); ok && literal.Val.Type() == cty.String {
					names = append(names, literal.Val.AsString())
				}
				return nil
			})
		}
		environment, _ := at(template.Resources[id].Properties, "Environment", "Variables").(map[string]any)
		for name, parameter := range environment {
			_, optional := template.Parameters[fmt.Sprint(parameter)]
			if optional = optional && template.Parameters[fmt.Sprint(parameter)].Default != nil; optional != slices.Contains(names, name) {
				t.Errorf("terraform: %s takes %v, and %s is a setting of the template's: %v", variable, names, name, optional)
			}
			if optional {
				settings[fmt.Sprint(parameter)] = variable
			}
		}
	}
	names := map[string]string{"UserPoolId": "user_pool_arn", "VpcSubnetIds": "subnet_ids", "VpcSecurityGroupIds": "security_group_ids", "AlarmTopicArn": "alarm_topic_arns"}
	variables := m.defaults(t)
	for parameter, p := range template.Parameters {
		name := names[parameter]
		for i, r := range parameter {
			if names[parameter] == "" {
				if i > 0 && r < 'a' {
					name += "_"
				}
				name += strings.ToLower(string(r))
			}
		}
		value, ok := variables[name]
		if _, without := withoutVariable[parameter]; without || settings[parameter] != "" {
			if ok {
				t.Errorf("terraform: %s has a variable of its own, and should have none", parameter)
			}
			continue
		}
		if !ok {
			t.Errorf("terraform: no variable %s for %s", name, parameter)
			continue
		}
		if m.block(t, "variable", name).Attributes["default"] == nil {
			continue
		}
		got := "none"
		if !value.IsNull() && !value.Type().IsTupleType() {
			text, _ := ctyjson.Marshal(value, value.Type())
			got = strings.Trim(string(text), `"`)
		}
		want := strings.ReplaceAll(fmt.Sprint(p.Default), "<nil>", "none")
		if want == "" {
			want = map[bool]string{true: "-1", false: "none"}[strings.HasSuffix(name, "_reserved")]
		}
		if got != want {
			t.Errorf("terraform: %s is %s by default, want the template's %s", name, got, want)
		}
	}
}

// The module and the template deploy the same: whoever moves from one to the other
// finds the same names and limits.
func TestTerraformDeploysWhatTheTemplateDoes(t *testing.T) {
	m, template := readModule(t), readTemplate(t)
	for id, name := range functions {
		properties := template.Resources[id].Properties
		function := at(m.value(t, m.locals["functions"]), name)
		timeout := at(properties, "Timeout")
		if timeout == "" {
			timeout = template.Globals.Function["Timeout"]
		}
		fixed := map[string]any{} // variables that are the same whatever is set
		environment, _ := at(properties, "Environment", "Variables").(map[string]any)
		for name, value := range environment {
			if parameter, ok := template.Parameters[fmt.Sprint(value)]; ok && parameter.Default == nil {
				fixed[name] = "the " + strings.ToLower(name)
			} else if !ok && value != "" {
				fixed[name] = value
			}
		}
		for _, row := range []struct {
			what      string
			got, want any
		}{
			{"description", at(function, "description"), plain(properties["Description"])},
			{"timeout", at(function, "timeout"), timeout},
			{"environment", at(function, "environment"), fixed},
		} {
			if !reflect.DeepEqual(row.got, row.want) {
				t.Errorf("terraform: %s: %s is %v, want %v", name, row.what, row.got, row.want)
			}
		}
	}
	for queue, name := range map[string]string{"ParkedSyncs": "parked_name", "ParkedSyncsDeadLetters": "dead_letters_name"} {
		if got, want := m.value(t, m.locals[name]), substituted(template.Resources[queue].Properties["QueueName"]); got != want {
			t.Errorf("terraform: local.%s is %v, want %v", name, got, want)
		}
	}
	queue := template.Resources["ParkedSyncs"].Properties
	for _, row := range []struct {
		body *hclsyntax.Body
		key  string
		want any
	}{
		{m.block(t, "resource", "aws_sqs_queue", "parked"), "visibility_timeout_seconds", queue["VisibilityTimeout"]},
		{m.block(t, "resource", "aws_sqs_queue", "parked"), "message_retention_seconds", queue["MessageRetentionPeriod"]},
		{m.block(t, "resource", "aws_sqs_queue", "dead_letters"), "message_retention_seconds", queue["MessageRetentionPeriod"]},
		{m.block(t, "resource", "aws_lambda_event_source_mapping", "replay"), "batch_size", template.Resources["HasuraCognitoReplaySyncsSource"].Properties["BatchSize"]},
		{m.block(t, "resource", "aws_lambda_alias", "live"), "name", template.Resources["HasuraCognitoTrigger"].Properties["AutoPublishAlias"]},
	} {
		if got := m.value(t, row.body.Attributes[row.key].Expr); got != row.want {
			t.Errorf("terraform: %s is %v, want the template's %v", row.key, got, row.want)
		}
	}
}

// The roles allow the same actions, each on what the template names for it.
func TestTerraformAllowsWhatTheTemplateDoes(t *testing.T) {
	m, template := readModule(t), readTemplate(t)
	actions := func(texts []string) (list []string) {
		for _, text := range texts {
			if service, name, ok := strings.Cut(text, ":"); ok && slices.Contains([]string{"logs", "sqs", "secretsmanager", "kms", "xray", "ec2"}, service) &&
				!strings.Contains(name, ":") && name != "ViaService" && !slices.Contains(list, text) {
				list = append(list, text)
			}
		}
		slices.Sort(list)
		return list
	}
	var inModule, inTemplate []string
	hclsyntax.VisitAll(m.block(t, "data", "aws_iam_policy_document", "this"), func(node hclsyntax.Node) hcl.Diagnostics {
		if literal, ok := node.(*hclsyntax.LiteralValueExpr); ok && literal.Val.Type() == cty.String {
			inModule = append(inModule, literal.Val.AsString())
		}
		return nil
	})
	for id := range functions {
		inTemplate = append(inTemplate, strings.FieldsFunc(fmt.Sprint(template.Resources[id+"Role"].Properties), func(r rune) bool {
			return strings.ContainsRune(" []", r)
		})...)
	}
	for i, text := range inTemplate {
		inTemplate[i] = strings.TrimPrefix(text, "Action:")
	}
	if got, want := actions(inModule), actions(inTemplate); !slices.Equal(got, want) {
		t.Errorf("terraform: the roles know\n%v\nwant the template's\n%v", got, want)
	}
}

func TestTerraformWatchesWhatTheTemplateDoes(t *testing.T) {
	m, template := readModule(t), readTemplate(t)
	var filters, alarms []string
	patterns := m.value(t, m.locals["patterns"])
	for name, metric := range m.value(t, m.locals["metrics"]).(map[string]any) {
		value := at(metric, "milliseconds")
		if value == "" {
			value = "1"
		}
		filters = append(filters, fmt.Sprint("hasura-cognito-", at(metric, "function"), " ", at(patterns, name), " ", at(metric, "metric"), " ", value))
	}
	for _, alarm := range m.value(t, m.locals["alarms"]).(map[string]any) {
		or := func(key, otherwise string) string {
			if got := fmt.Sprint(at(alarm, key)); got != "" {
				return got
			}
			return otherwise
		}
		statistic := or("percentile", or("statistic", "Sum"))
		alarms = append(alarms, fmt.Sprint(at(alarm, "namespace"), " ", at(alarm, "metric"), " ", statistic, " ", or("periods", "1"), " > ", or("threshold", "0"), " ", or("dimensions", "map[]")))
	}
	var wantFilters, wantAlarms []string
	for id, r := range template.Resources {
		p := r.Properties
		switch {
		case r.Type == "AWS::Logs::MetricFilter":
			transformation := p["MetricTransformations"].([]any)[0]
			name := functions[strings.TrimSuffix(fmt.Sprint(p["LogGroupName"]), "Logs")]
			wantFilters = append(wantFilters, fmt.Sprint(name, " ", p["FilterPattern"], " ", at(transformation, "MetricName"), " ", at(transformation, "MetricValue")))
		case r.Type == "AWS::CloudWatch::Alarm" && !strings.HasSuffix(id, "VersionErrorsAlarm"): // which only a rollout has
			dimensions := map[string]string{}
			list, _ := p["Dimensions"].([]any)
			for _, d := range list {
				dimensions[fmt.Sprint(at(d, "Name"))] = substituted("${" + fmt.Sprint(at(d, "Value")) + "}")
			}
			statistic := fmt.Sprint(at(p, "Statistic"), at(p, "ExtendedStatistic"))
			wantAlarms = append(wantAlarms, fmt.Sprint(substituted(p["Namespace"]), " ", p["MetricName"], " ", statistic, " ", p["EvaluationPeriods"], " > ", p["Threshold"], " ", dimensions))
		}
	}
	for _, row := range []struct {
		what      string
		got, want []string
	}{{"filters", filters, wantFilters}, {"alarms", alarms, wantAlarms}} {
		slices.Sort(row.got)
		slices.Sort(row.want)
		if !slices.Equal(row.got, row.want) {
			t.Errorf("terraform: the %s are\n%s\nwant the template's\n%s", row.what, strings.Join(row.got, "\n"), strings.Join(row.want, "\n"))
		}
	}
	var dashboard any
	if err := json.Unmarshal([]byte(substituted(template.Resources["Dashboard"].Properties["DashboardBody"])), &dashboard); err != nil {
		t.Fatal(err)
	}
	if got := m.value(t, m.locals["dashboard"]); !reflect.DeepEqual(got, dashboard) {
		t.Errorf("terraform: the dashboard is\n%v\nwant the template's\n%v", got, dashboard)
	}
}

// Terraform would find a cycle only when somebody applies it: the pool needs the
// functions, so of all resources the permission alone may need the pool.
func TestTerraformPermissionAloneNeedsThePool(t *testing.T) {
	m := readModule(t)
	var users []string
	for _, block := range m.blocks {
		hclsyntax.VisitAll(block, func(node hclsyntax.Node) hcl.Diagnostics {
			if e, ok := node.(*hclsyntax.ScopeTraversalExpr); ok && len(e.Traversal) > 1 && e.Traversal.RootName() == "var" && e.Traversal[1].(hcl.TraverseAttr).Name == "user_pool_arn" {
				users = append(users, strings.Join(block.Labels, "."))
			}
			return nil
		})
	}
	if !slices.Equal(users, []string{"aws_lambda_permission.cognito"}) {
		t.Errorf("var.user_pool_arn is used in %v, want in the permission alone", users)
	}
}
