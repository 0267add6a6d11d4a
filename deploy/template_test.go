// Package deploy_test compares template.yaml with the code, the Makefile and the last release. It checks what no
// linter knows.
package deploy_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dlclark/regexp2"
	"github.com/goccy/go-yaml"

	suite "github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A template is template.yaml. Of CloudFormation's functions it has only the arguments: !Ref Prefix is the text Prefix.
type template struct {
	Parameters map[string]parameter
	Mappings   map[string]map[string]map[string]string
	Globals    struct{ Function map[string]any }
	Resources  map[string]resource
	Outputs    map[string]struct{ Value any }
}

type parameter struct {
	Type, Description, AllowedPattern string
	AllowedValues                     []any
	Default                           any
	MinValue, MaxValue                *int
	MaxLength                         int
}

type resource struct {
	Type       string
	Condition  string
	Properties map[string]any
}

// The functions by logical id, with the folder of their code.
var functions = func() map[string]string {
	all := map[string]string{}
	for _, name := range append(suite.All(), suite.Optional()...) {
		all[suite.LogicalID(name)] = name
	}
	return all
}()

func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := yaml.YAMLToJSON(readFile(t, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed template
	parse(t, text, &parsed)
	return parsed
}

// atRoot lets a test read files by their path from the root of the repository. The go command's test cache sees this change of
// the folder, unlike one in TestMain, so it notices changed files.
func atRoot(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("go.mod"); err != nil {
		t.Chdir("..")
	}
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	atRoot(t)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func parse(t *testing.T, text []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// at walks maps by key. It returns "" if a key is missing.
func at(value any, keys ...string) any {
	for _, key := range keys {
		inner, _ := value.(map[string]any)
		value = inner[key]
	}
	if value == nil {
		return ""
	}
	return value
}

// variables returns the environment variables of a function, with the name of their parameter or their text.
func (t template) variables(id string) map[string]string {
	all := map[string]string{}
	for _, properties := range []any{t.Globals.Function, t.Resources[id].Properties} {
		inner, _ := at(properties, "Environment", "Variables").(map[string]any)
		for name, value := range inner {
			all[name] = fmt.Sprint(value)
		}
	}
	return all
}

// accepts reports whether CloudFormation accepts a value. CloudFormation uses Java's regular expressions, which are
// nearer to those of .NET than to Go's. A pattern must match the whole value.
func (p parameter) accepts(t *testing.T, value string) bool {
	t.Helper()
	if p.Type == "Number" {
		n, err := strconv.Atoi(value)
		if err != nil || p.MinValue != nil && n < *p.MinValue || p.MaxValue != nil && n > *p.MaxValue {
			return false
		}
	}
	if p.AllowedValues != nil && !slices.ContainsFunc(p.AllowedValues, func(v any) bool { return fmt.Sprint(v) == value }) {
		return false
	}
	if p.MaxLength > 0 && len(value) > p.MaxLength {
		return false
	}
	matches, err := regexp2.MustCompile(`\A(?:`+p.AllowedPattern+`)\z`, regexp2.None).MatchString(value)
	if err != nil {
		t.Fatal(err)
	}
	return matches || p.AllowedPattern == ""
}

// A stack updates in place only while these names stay: without a logical id CloudFormation deletes the resource, without
// a parameter it refuses the update, and another stack can import an output.
func TestNamesOfTheLastReleaseStay(t *testing.T) {
	var last struct {
		Parameters map[string]string
		Resources  map[string]struct{ Type, Name string }
		Outputs    []string
		Replaced   map[string]string // metric filters, with the one that counts the same log messages now
	}
	parse(t, readFile(t, "deploy/testdata/template-names.json"), &last)
	template := readTemplate(t)
	for name, want := range last.Parameters {
		if got := template.Parameters[name].Type; got != want {
			t.Errorf("parameter %s has type %q, want %q", name, got, want)
		}
	}
	for name, p := range template.Parameters {
		if last.Parameters[name] == "" && p.Default == nil {
			t.Errorf("parameter %s is new and has no default, so an update of a stack fails", name)
		}
	}
	for id, want := range last.Resources {
		got := template.Resources[id]
		if got.Type != want.Type {
			t.Errorf("resource %s has type %q, want %q", id, got.Type, want.Type)
		}
		for _, property := range []string{"FunctionName", "LogGroupName", "QueueName", "DashboardName", "UserPoolName", "ClientName", "Name"} {
			if name := got.Properties[property]; name != nil && want.Name != "" && name != want.Name {
				t.Errorf("resource %s has the name %v, want %s", id, name, want.Name)
			}
		}
	}
	for _, name := range last.Outputs {
		if template.Outputs[name].Value == nil {
			t.Errorf("output %s is missing", name)
		}
	}
	for id, by := range last.Replaced {
		if template.Resources[by].Type != "AWS::Logs::MetricFilter" {
			t.Errorf("%s, which replaces %s, is no metric filter", by, id)
		}
	}
}

func TestFunctionsFitTheRepository(t *testing.T) {
	template := readTemplate(t)
	for id, folder := range functions {
		properties := template.Resources[id].Properties
		if got, want := properties["FunctionName"], "${Prefix}-"+folder; got != want {
			t.Errorf("%s is called %v, want %s after its folder", id, got, want)
		}
		// Lambda creates a log group by itself, without retention and key, if it is not this one.
		logs := fmt.Sprint(at(properties, "LoggingConfig", "LogGroup"))
		if got, want := template.Resources[logs].Properties["LogGroupName"], fmt.Sprint("/aws/lambda/", properties["FunctionName"]); got != want {
			t.Errorf("%s logs to %v, want %s", id, got, want)
		}
		for permission, called := range map[string]string{id + "Permission": id, id + "AliasPermission": id + ".Alias"} {
			r := template.Resources[permission]
			if id != "HasuraCognitoTrigger" && id != "HasuraCognitoSyncUsers" {
				if r.Type != "" {
					t.Errorf("%s lets Cognito call a function that only SQS calls", permission)
				}
				continue
			}
			source := fmt.Sprint(r.Properties["SourceArn"])
			if r.Properties["FunctionName"] != called || r.Properties["Principal"] != "cognito-idp.amazonaws.com" || !strings.HasSuffix(source, "userpool/${UserPoolId}]") {
				t.Errorf("%s does not let only the user pool call %s: %v", permission, called, r.Properties)
			}
		}
	}
	for _, value := range template.Parameters["Architecture"].AllowedValues {
		machine := map[any]string{"arm64": "arm64", "x86_64": "amd64"}[value]
		if text := string(readFile(t, filepath.Join("arch", fmt.Sprint(value), "go.mk"))); !strings.Contains(text, "\nGOARCH = "+machine+"\n") {
			t.Errorf("arch/%v/go.mk does not build for %q", value, machine)
		}
	}
	// Lambda's guide advises six times the Timeout. A shorter time hands a message to a second environment.
	for id, queue := range map[string]string{
		"HasuraCognitoReplaySyncs": "ParkedSyncs", "HasuraCognitoReconcileUsers": "ReconcileQueue", "HasuraCognitoFollowUsers": "FollowQueue",
	} {
		timeout, _ := template.Resources[id].Properties["Timeout"].(float64)
		if got, _ := template.Resources[queue].Properties["VisibilityTimeout"].(float64); timeout == 0 || got < 6*timeout {
			t.Errorf("the visibility timeout of %s is %v s, want six times the %v s of %s", queue, got, timeout, id)
		}
		if source := template.Resources[id+"Source"].Properties; source["EventSourceArn"] != queue+".Arn" || fmt.Sprint(source["FunctionResponseTypes"]) != "[ReportBatchItemFailures]" {
			t.Errorf("%sSource does not read %s with partial batch responses", id, queue)
		}
		// The function divides its share of the quota of ListUsers by this number.
		concurrency := regexp.MustCompile(`\tconcurrency = (\d+)\n`).FindStringSubmatch(string(readFile(t, "functions/"+functions[id]+"/main.go")))
		scaling := fmt.Sprint(at(template.Resources[id+"Source"].Properties, "ScalingConfig", "MaximumConcurrency"))
		if id != "HasuraCognitoReplaySyncs" && (concurrency == nil || concurrency[1] != scaling) {
			t.Errorf("%sSource has MaximumConcurrency %s, its function has %q", id, scaling, concurrency)
		}
	}
	if at(template.Resources["HasuraCognitoTrigger"].Properties, "VpcConfig") != "" {
		t.Error("the claims function is in a VPC")
	}
}

// Each setting of the code is a variable of the functions that read it, and comes from its parameter.
func TestEverySettingCanBeDeployed(t *testing.T) {
	template := readTemplate(t)
	readers := map[string]string{"claims": "HasuraCognitoTrigger", "sync": "HasuraCognitoSyncUsers", "replay": "HasuraCognitoReplaySyncs",
		"reconcile": "HasuraCognitoReconcileUsers", "follow": "HasuraCognitoFollowUsers"}
	known := map[string]bool{}
	for _, s := range settings.All {
		for name, id := range readers {
			value, declared := template.variables(id)[s.Name]
			reads := slices.Contains(strings.Split(s.Functions, ", "), name)
			if declared != reads || declared && s.Parameter != "" && value != s.Parameter {
				t.Errorf("%s of %s is %q, want parameter %q if the function reads it (%t)", s.Name, id, value, s.Parameter, reads)
			}
			known[id+s.Name] = true
		}
	}
	// Go's runtime, crypto/x509 and the AWS SDK read these.
	others := []string{"GOMAXPROCS", "SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER"}
	for id := range functions {
		for name := range template.variables(id) {
			if !known[id+name] && !slices.Contains(others, name) {
				t.Errorf("%s has the variable %s, which nothing reads", id, name)
			}
		}
	}
}

// sharedValues are valid and invalid values of each setting. pkg/settings gives the same verdicts.
func sharedValues(t *testing.T) map[string]struct{ Valid, Invalid []string } {
	t.Helper()
	var values map[string]struct{ Valid, Invalid []string }
	parse(t, readFile(t, "pkg/settings/testdata/values.json"), &values)
	return values
}

func TestParametersAcceptWhatTheCodeAccepts(t *testing.T) {
	template, values := readTemplate(t), sharedValues(t)
	for _, s := range settings.All {
		if s.Parameter == "" {
			continue
		}
		p := template.Parameters[s.Parameter]
		for _, value := range values[s.Name].Valid {
			if !p.accepts(t, value) {
				t.Errorf("%s refuses %q, which is a valid %s", s.Parameter, value, s.Name)
			}
		}
		for _, value := range values[s.Name].Invalid {
			if p.accepts(t, value) {
				t.Errorf("%s accepts %q, which is no valid %s", s.Parameter, value, s.Name)
			}
		}
		// Nor does it accept a typo that the code refuses. (The patterns do not look into certificates and IPv6 addresses.)
		for _, value := range values[s.Name].Valid {
			for _, typo := range typos(value) {
				if s != &settings.GraphqlCA && !strings.Contains(value, "[") && p.accepts(t, typo) && s.Check(typo) != nil {
					t.Errorf("%s accepts %q, which is no valid %s", s.Parameter, typo, s.Name)
				}
			}
		}
		if p.accepts(t, "") == s.Required {
			t.Errorf("%s accepts an empty value: %t, but the setting is required: %t", s.Parameter, !s.Required, s.Required)
		}
	}
}

// typos returns every text that differs from a value by one inserted, replaced or removed part.
func typos(value string) (all []string) {
	for i := range value {
		for _, part := range []string{"", "a", "0", "9", "=", ",", " ", "\t", "\n", ":", "/", "-", ".", "@", "#", "?", "[", "é", "x-hasura-", "Admin"} {
			all = append(all, value[:i]+part+value[i:], value[:i]+part+value[i+1:])
		}
	}
	return all
}

// The other parameters have no parser in Go.
func TestParametersCatchTypos(t *testing.T) {
	const key = "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
	parameters := readTemplate(t).Parameters
	for name, values := range map[string]struct{ good, bad []string }{
		"Prefix":              {[]string{"acme", "acme-prod", "A1_b"}, []string{"", "-acme", "acme prod", strings.Repeat("a", 39)}},
		"UserPoolId":          {[]string{"", "us-gov-west-1_ExaMPle01"}, []string{"ExaMPle01", "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_ExaMPle01"}},
		"VpcSubnetIds":        {[]string{"", "subnet-01,subnet-23"}, []string{"sg-01", "private-a", "subnet-01, subnet-23"}},
		"VpcSecurityGroupIds": {[]string{"", "sg-0123456789abcdef0"}, []string{"subnet-01", "default"}},
		"SecretsKmsKeyArn":    {[]string{"", key, "arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef"}, []string{"alias/aws/secretsmanager", "arn:aws:kms:us-east-1:123456789012:alias/app", "*"}},
		"LogKmsKeyArn":        {[]string{"", key}, []string{"alias/logs", "arn:aws:kms:us-east-1:123456789012:alias/logs"}},
		"QueueKmsKeyArn":      {[]string{"", key}, []string{"alias/aws/sqs", "arn:aws:kms:us-east-1:123456789012:alias/queue"}},
		"PermissionsBoundaryArn": {
			[]string{"", "arn:aws:iam::123456789012:policy/boundary", "arn:aws-cn:iam::123456789012:policy/teams/boundary"},
			[]string{"boundary", "arn:aws:iam::123456789012:role/boundary", "*"}},
		"TriggerReserved": {[]string{"", "1", "100"}, []string{"0", "-1", "many"}}, // 0 would stop every sign-in
		"SyncReserved":    {[]string{"", "1", "100"}, []string{"0", "-1", "many"}},
		"ReconcileSchedule": {
			[]string{"", "rate(1 day)", "rate(12 hours)", "cron(0 3 * * ? *)"},
			[]string{"1 day", "rate(2 day)", "rate(0 hours)", "0 3 * * *", "at(2027-01-01T00:00:00)"}},
		"ReconcileAlarmHours": {[]string{"2", "168"}, []string{"", "1", "169"}}, // CloudWatch looks back at most 7 days
		"AlarmTopicArn":       {[]string{"", "arn:aws:sns:us-east-1:123456789012:on-call"}, []string{"on-call", "arn:aws:sqs:us-east-1:123456789012:on-call"}},
	} {
		for _, value := range values.good {
			if !parameters[name].accepts(t, value) {
				t.Errorf("%s refuses %q", name, value)
			}
		}
		for _, value := range values.bad {
			if parameters[name].accepts(t, value) {
				t.Errorf("%s accepts %q", name, value)
			}
		}
	}
}

// Each description ends with an example. The example and the default must be values that CloudFormation accepts.
func TestEveryParameterHasAValidExample(t *testing.T) {
	template := readTemplate(t)
	examples := map[string]string{}
	for name, p := range template.Parameters {
		_, example, _ := strings.Cut(p.Description, " Example: ")
		if examples[name] = example; example == "" || !p.accepts(t, example) {
			t.Errorf("%s has the example %q, which it does not accept: %s", name, example, p.Description)
		}
		if p.Default != nil && !p.accepts(t, fmt.Sprint(p.Default)) {
			t.Errorf("%s does not accept its default %q", name, p.Default)
		}
	}
	for _, s := range settings.All {
		if got := examples[s.Parameter]; s.Parameter != "" && s != &settings.GraphqlCA && got != s.Example {
			t.Errorf("%s has the example %q, the setting has %q", s.Parameter, got, s.Example)
		}
	}
}

// Lambda allows 4 KB for all variables of a function. A certificate needs most of it.
func TestVariablesFit(t *testing.T) {
	template, values := readTemplate(t), sharedValues(t)
	longest := map[string]int{"ParkedSyncs": 160, "ReconcileQueue": 160, "FollowQueue": 160, "GraphqlCa": template.Parameters["GraphqlCa"].MaxLength}
	for _, s := range settings.All {
		for _, value := range values[s.Name].Valid {
			if s != &settings.GraphqlCA {
				longest[s.Parameter] = max(longest[s.Parameter], len(value))
			}
		}
	}
	for id := range functions {
		size := 0
		for name, value := range template.variables(id) {
			if n, ok := longest[value]; ok {
				size += len(name) + n
			} else {
				size += len(name) + len(value)
			}
		}
		if size > 4096 {
			t.Errorf("the variables of %s can have %d bytes, Lambda allows 4096", id, size)
		}
	}

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	authority := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	authority.Subject.CommonName, authority.Subject.Organization = "Example Corporation Internal Root CA", []string{"Example Corporation"}
	certificate, err := x509.CreateCertificate(rand.Reader, authority, authority, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}))
	if !template.Parameters["GraphqlCa"].accepts(t, text+text) {
		t.Errorf("GraphqlCa does not accept two certificates with RSA keys of 2048 bits, %d characters", 2*len(text))
	}
}

// sam local passes only variables that the template declares.
func TestLocalVariablesAreDeclared(t *testing.T) {
	var local map[string]map[string]string
	parse(t, readFile(t, "env.json"), &local)
	template := readTemplate(t)
	for id, set := range local {
		for name := range set {
			if _, ok := template.variables(id)[name]; !ok {
				t.Errorf("env.json sets %s of %s, which template.yaml does not declare", name, id)
			}
		}
	}
}

// A statement is one of an IAM policy.
type statement struct {
	Effect    string
	Action    any
	Resource  any
	Condition map[string]map[string]any
}

// statements returns the IAM statements of a role, with those of its managed policies.
func (t template) statements(role string) (all []statement) {
	var walk func(any)
	walk = func(value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				walk(item)
			}
		case map[string]any:
			if value["Effect"] == nil {
				for _, item := range value {
					walk(item)
				}
				return
			}
			var s statement
			text, _ := json.Marshal(value)
			if err := json.Unmarshal(text, &s); err != nil {
				panic(err)
			}
			all = append(all, s)
		}
	}
	properties := t.Resources[role].Properties
	walk(properties["Policies"])
	policies, _ := properties["ManagedPolicyArns"].([]any)
	for _, id := range policies {
		walk(t.Resources[fmt.Sprint(id)].Properties)
	}
	return all
}

func (s statement) actions() []string {
	return strings.Fields(strings.Trim(fmt.Sprint(s.Action), "[]"))
}

func TestRolesAllowOnlyWhatIsNeeded(t *testing.T) {
	template := readTemplate(t)
	network := "ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces " +
		"ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses "
	logs := "logs:CreateLogStream logs:PutLogEvents "
	trace := "xray:PutTelemetryRecords xray:PutTraceSegments"
	want := map[string]string{
		"HasuraCognitoTriggerRole":     logs + trace,
		"HasuraCognitoSyncUsersRole":   network + "kms:Decrypt kms:GenerateDataKey " + logs + "secretsmanager:GetSecretValue sqs:SendMessage " + trace,
		"HasuraCognitoReplaySyncsRole": network + "kms:Decrypt " + logs + "secretsmanager:GetSecretValue sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage " + trace,
		"HasuraCognitoReconcileUsersRole": "cognito-idp:DescribeUserPool cognito-idp:ListUsers " + network + "kms:Decrypt kms:GenerateDataKey " + logs +
			"secretsmanager:GetSecretValue sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage " + trace,
		"HasuraCognitoFollowUsersRole": "cognito-idp:ListUsers " + network + "kms:Decrypt kms:GenerateDataKey " + logs +
			"secretsmanager:GetSecretValue sqs:DeleteMessage sqs:GetQueueAttributes sqs:ReceiveMessage sqs:SendMessage " + trace,
		"ScheduleRole":   "kms:Decrypt kms:GenerateDataKey sqs:SendMessage",
		"DeploymentRole": "cloudwatch:DescribeAlarms lambda:GetAlias lambda:GetProvisionedConcurrencyConfig lambda:UpdateAlias",
	}
	// These have no resources, or, for network interfaces, none that is known before.
	onAnything := regexp.MustCompile(`^(xray:Put\w+|cloudwatch:DescribeAlarms|ec2:\w+)$`)
	for id, r := range template.Resources {
		if r.Type != "AWS::IAM::Role" {
			continue
		}
		function := strings.TrimSuffix(id, "Role")
		actions := map[string]bool{}
		denied := false
		for _, s := range template.statements(id) {
			if s.Effect == "Deny" {
				arns := fmt.Sprint(s.Condition["ArnEquals"]["lambda:SourceFunctionArn"])
				denied = s.Action == "ec2:*" && strings.Contains(arns, ":function:${Prefix}-"+functions[function])
				continue
			}
			for _, action := range s.actions() {
				actions[action] = true
				if s.Resource == "*" && !onAnything.MatchString(action) {
					t.Errorf("%s allows %s on every resource", id, action)
				}
				if strings.HasPrefix(action, "logs:") && s.Resource != function+"Logs.Arn" {
					t.Errorf("%s allows %s on %v, want the function's own log group", id, action, s.Resource)
				}
				if strings.HasPrefix(action, "cognito-idp:") && !strings.HasSuffix(fmt.Sprint(s.Resource), "userpool/${UserPoolId}]") {
					t.Errorf("%s allows %s on %v, want the user pool alone", id, action, s.Resource)
				}
				if strings.HasPrefix(action, "kms:") && s.Condition["StringEquals"]["kms:ViaService"] == nil {
					t.Errorf("%s allows %s directly, and not only through another service", id, action)
				}
			}
		}
		if got := strings.Join(slices.Sorted(maps.Keys(actions)), " "); got != want[id] {
			t.Errorf("%s allows\n%s\nwant\n%s", id, got, want[id])
		}
		if actions["ec2:CreateNetworkInterface"] && !denied {
			t.Errorf("%s lets the code of %s create network interfaces, which only Lambda must do", id, function)
		}
	}
}

// A secret can be in another Region than the functions: then Secrets Manager there uses the key.
func TestTheKeyOfTheSecretIsUsedInItsRegion(t *testing.T) {
	for _, s := range readTemplate(t).statements("HasuraCognitoSyncUsersRole") {
		if s.Resource != "SecretsKmsKeyArn" {
			continue
		}
		// !Sub [text, {Region: !Select [index, !Split [separator, SecretsArn]]}]
		sub, _ := s.Condition["StringEquals"]["kms:ViaService"].([]any)
		var parts struct{ Region []any }
		text, _ := json.Marshal(sub[len(sub)-1])
		parse(t, text, &parts)
		index, _ := parts.Region[0].(float64)
		split, _ := parts.Region[1].([]any)
		arn := "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app-AbCdEf"
		region := strings.Split(arn, fmt.Sprint(split[0]))[int(index)]
		if got := strings.ReplaceAll(fmt.Sprint(sub[0]), "${Region}", region); split[1] != "SecretsArn" || got != "secretsmanager.eu-west-1.${AWS::URLSuffix}" {
			t.Errorf("the key can be used through %s, want Secrets Manager in eu-west-1", got)
		}
		return
	}
	t.Error("no statement allows the use of SecretsKmsKeyArn")
}

// The output LambdaConfig, the single outputs and the pool of the stack name the same functions for the same triggers.
func TestEveryPoolCallsTheSameFunctions(t *testing.T) {
	template := readTemplate(t)
	own := template.Resources["UserPool"].Properties["LambdaConfig"]
	output, _ := template.Outputs["LambdaConfig"].Value.([]any)
	text := fmt.Sprint(output[0])
	for _, name := range []string{"Trigger", "Sync"} {
		text = strings.ReplaceAll(text, "${"+name+"}", fmt.Sprint(at(output[1], name)))
	}
	var printed map[string]any
	parse(t, []byte(strings.ReplaceAll(text, "${LambdaVersion}", "LambdaVersion")), &printed)
	if got, want := fmt.Sprint(printed), fmt.Sprint(own); got != want {
		t.Errorf("the output LambdaConfig is %s, the pool of the stack has %s", got, want)
	}
	for output, want := range map[string]any{
		"HasuraCognitoTriggerArn":   at(own, "PreTokenGenerationConfig", "LambdaArn"),
		"HasuraCognitoSyncUsersArn": at(own, "PostConfirmation"),
	} {
		if got := fmt.Sprint(template.Outputs[output].Value); got != fmt.Sprint(want) {
			t.Errorf("%s = %s, want %s", output, got, want)
		}
	}
	// A session variable can come from a custom attribute. Users who can write it choose their own.
	for _, name := range at(template.Resources["UserPoolClient"].Properties, "WriteAttributes").([]any) {
		if strings.HasPrefix(fmt.Sprint(name), "custom:") {
			t.Errorf("users can write %v themselves", name)
		}
	}
}

// The rule forwards each recorded change. It drops only calls that the follow function would ignore.
func TestFollowRuleForwardsChanges(t *testing.T) {
	pattern := readTemplate(t).Resources["FollowRule"].Properties["EventPattern"]
	files, _ := filepath.Glob("functions/hasura-cognito-follow-users/testdata/*.json")
	for _, file := range files {
		var event map[string]any
		parse(t, readFile(t, file), &event)
		if !matches(pattern, event) {
			t.Errorf("the rule drops %s", file)
		}
		event["detail"].(map[string]any)["eventName"] = "InitiateAuth"
		if matches(pattern, event) {
			t.Errorf("the rule forwards a sign-in in the form of %s", file)
		}
	}
	names, _ := at(pattern, "detail", "eventName").([]any)
	dropped, _ := at(names[0], "anything-but").([]any)
	if len(files) == 0 || len(dropped) == 0 {
		t.Error("there is no recorded event, or nothing is dropped")
	}
	code, module := string(readFile(t, "functions/hasura-cognito-follow-users/hint.go")), readModule(t)
	for _, name := range dropped {
		if quoted := strconv.Quote(fmt.Sprint(name)); !strings.Contains(code, quoted) || !strings.Contains(module, quoted) {
			t.Errorf("the rule of the template drops %s, unlike the follow function or the Terraform module", name)
		}
	}
}

// matches evaluates a pattern of EventBridge with exact values and anything-but.
func matches(pattern, value any) bool {
	switch p := pattern.(type) {
	case map[string]any:
		if names, ok := p["anything-but"].([]any); ok {
			return !slices.Contains(names, value)
		}
		object, _ := value.(map[string]any)
		for key, inner := range p {
			if !matches(inner, object[key]) {
				return false
			}
		}
		return true
	case []any:
		return slices.ContainsFunc(p, func(inner any) bool { return matches(inner, value) })
	}
	return pattern == value
}
