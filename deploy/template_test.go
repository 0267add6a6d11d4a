// Package deployment_test holds template.yaml, and what stands around it, to the
// promises that a deployment rests on and that no linter knows.
package deploy_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// A template is template.yaml with CloudFormation's functions taken for their
// arguments: !Ref Prefix is the text Prefix.
type template struct {
	Parameters map[string]struct {
		Description, AllowedPattern string
		AllowedValues               []any
		Default                     any
	}
	Mappings  map[string]map[string]map[string]string
	Globals   struct{ Function map[string]any }
	Resources map[string]resource
	Outputs   map[string]struct {
		Description string
		Value       any
	}
}

type resource struct {
	Type       string
	Condition  string
	Metadata   map[string]string
	Properties map[string]any
}

// The functions by logical id, with the folder of their code.
var functions = map[string]string{
	"HasuraCognitoTrigger":     "hasura-cognito-trigger",
	"HasuraCognitoSyncUsers":   "hasura-cognito-sync-users",
	"HasuraCognitoReplaySyncs": "hasura-cognito-replay-syncs",
}

func readTemplate(t *testing.T) template {
	t.Helper()
	text, err := yaml.YAMLToJSON(readFile(t, "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var parsed template
	if err := json.Unmarshal(text, &parsed); err != nil {
		t.Fatal(err)
	}
	return parsed
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// at walks maps by key, and yields "" where there is nothing.
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

func variables(r resource) []string {
	inner, _ := at(r.Properties, "Environment", "Variables").(map[string]any)
	return slices.Sorted(maps.Keys(inner))
}

func TestEveryFunctionIsDeployedAsDesigned(t *testing.T) {
	template := readTemplate(t)
	if got := template.Globals.Function["Timeout"]; fmt.Sprint(got) != "5" {
		t.Errorf("Timeout = %v, want the 5 seconds that Cognito waits", got)
	}
	for id, name := range functions {
		function := template.Resources[id]
		callers := map[string]string{id + "Permission": id, id + "AliasPermission": id + ".Alias"}
		for permission, function := range callers {
			if id == "HasuraCognitoReplaySyncs" {
				if template.Resources[permission].Type != "" {
					t.Errorf("%s: others than its queue may call it: %s", id, permission)
				}
				continue
			}
			for _, row := range []struct{ key, want string }{
				{"Principal", "cognito-idp.amazonaws.com"}, // Cognito alone
				{"FunctionName", function},
				{"SourceAccount", "AWS::AccountId"},
				// The stack's own pool, or this one in any partition.
				{"SourceArn", "[HasOwnPool UserPool.Arn arn:${AWS::Partition}:cognito-idp:${AWS::Region}:${AWS::AccountId}:userpool/${UserPoolId}]"},
			} {
				if got := fmt.Sprint(at(template.Resources[permission].Properties, row.key)); got != row.want {
					t.Errorf("%s has the %s %v, want %v", permission, row.key, got, row.want)
				}
			}
		}
		for _, row := range []struct {
			what string
			got  any
			want string
		}{
			{"its name is the prefix and its folder's", at(function.Properties, "FunctionName"), "${Prefix}-" + name},
			{"its role is its own", at(function.Properties, "Role"), id + "Role.Arn"},
			{"its log group is its own", at(function.Properties, "LoggingConfig", "LogGroup"), id + "Logs"},
			{"the log group has the name people look for", at(template.Resources[id+"Logs"].Properties, "LogGroupName"), "/aws/lambda/${Prefix}-" + name},
			{"the log group expires", at(template.Resources[id+"Logs"].Properties, "RetentionInDays"), "LogRetentionDays"},
			{"a key can encrypt the log", fmt.Sprint(at(template.Resources[id+"Logs"].Properties, "KmsKeyId")), "[HasLogKmsKey LogKmsKeyArn AWS::NoValue]"},
			{"its role can have a boundary", fmt.Sprint(at(template.Resources[id+"Role"].Properties, "PermissionsBoundary")), "[HasPermissionsBoundary PermissionsBoundaryArn AWS::NoValue]"},
			{"make builds it", function.Metadata["BuildMethod"], "makefile"},
			{"make is told the architecture", function.Metadata["WorkingDirectory"], "arch/${Architecture}"},
			{"it starts no needless threads", at(function.Properties, "Environment", "Variables", "GOMAXPROCS"), "1"},
		} {
			if row.got != row.want {
				t.Errorf("%s: %s: got %v, want %v", id, row.what, row.got, row.want)
			}
		}
		if !regexp.MustCompile(`(?m)^build-` + id + `:$`).Match(readFile(t, "Makefile")) {
			t.Errorf("Makefile has no target build-%s", id)
		}
	}
	if got := at(template.Resources["HasuraCognitoTrigger"].Properties, "VpcConfig"); got != "" {
		t.Errorf("the claim shaper is in a VPC: %v", got)
	}
}

func TestEveryArchitectureCanBeBuilt(t *testing.T) {
	machines := map[string]string{"arm64": "arm64", "x86_64": "amd64"}
	for _, value := range readTemplate(t).Parameters["Architecture"].AllowedValues {
		text := string(readFile(t, filepath.Join("arch", fmt.Sprint(value), "go.mk")))
		if want := "\nGOARCH = " + machines[fmt.Sprint(value)] + "\n"; !strings.Contains(text, want) {
			t.Errorf("arch/%v/go.mk says %q, want %q in it", value, text, want)
		}
	}
}

func TestEveryParameterExplainsItself(t *testing.T) {
	template := readTemplate(t)
	for name, parameter := range template.Parameters {
		if !strings.Contains(parameter.Description, "such as ") {
			t.Errorf("%s: its description gives no example: %q", name, parameter.Description)
		}
		if parameter.AllowedPattern == "" || parameter.Default == nil {
			continue
		}
		if !regexp.MustCompile(parameter.AllowedPattern).MatchString(fmt.Sprint(parameter.Default)) {
			t.Errorf("%s: its pattern %s refuses its default %q", name, parameter.AllowedPattern, parameter.Default)
		}
	}
}

func TestPatternsCatchTypos(t *testing.T) {
	parameters := readTemplate(t).Parameters
	for name, values := range map[string]struct{ good, bad []string }{
		"Prefix":     {[]string{"acme", "acme-prod", "A1_b"}, []string{"", "-acme", "acme prod", strings.Repeat("a", 39)}},
		"UserPoolId": {[]string{"us-east-1_ExaMPle01", "us-gov-west-1_ExaMPle01", ""}, []string{"ExaMPle01", "arn:aws:cognito-idp:us-east-1:123456789012:userpool/us-east-1_ExaMPle01"}},
		"GraphqlDomain": {
			[]string{"hasura.internal", "10.0.0.7:8080", "internal-hasura-1.us-east-1.elb.amazonaws.com", "https://api.example.com", "http://hasura.internal:8080/v1/graphql", "[fd00::7]:8080"},
			[]string{"", "hasura internal", "ftp://hasura.internal", "https://", "hasura.internal:port", "https://user:password@hasura.internal"}},
		"SecretsArn": {
			[]string{"arn:aws:secretsmanager:us-east-1:123456789012:secret:acme/prod/app-AbCdEf", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:app-AbCdEf", "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:app-AbCdEf"},
			[]string{"", "acme/prod/app", "arn:aws:secretsmanager:us-east-1:123456789012:secret:app", "arn:aws:secretsmanager:us-east-1:123456789012:secret:*", "hunter2"}},
		"SecretsKmsKeyArn": {
			[]string{"", "arn:aws:kms:us-east-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef", "arn:aws:kms:us-east-1:123456789012:key/mrk-0123456789abcdef"},
			[]string{"alias/aws/secretsmanager", "arn:aws:kms:us-east-1:123456789012:alias/app", "*"}},
		"VpcSubnetIds":        {[]string{"", "subnet-0123456789abcdef0", "subnet-01,subnet-23"}, []string{"sg-0123456789abcdef0", "private-a", "subnet-01, subnet-23"}},
		"VpcSecurityGroupIds": {[]string{"", "sg-0123456789abcdef0"}, []string{"subnet-0123456789abcdef0", "default"}},
		"LogKmsKeyArn": {
			[]string{"", "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"},
			[]string{"alias/logs", "arn:aws:kms:us-east-1:123456789012:alias/logs"}},
		"QueueKmsKeyArn": {
			[]string{"", "arn:aws-cn:kms:cn-north-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"},
			[]string{"alias/aws/sqs", "arn:aws:kms:us-east-1:123456789012:alias/queue"}},
		"PermissionsBoundaryArn": {
			[]string{"", "arn:aws:iam::123456789012:policy/boundary", "arn:aws-cn:iam::123456789012:policy/teams/boundary"},
			[]string{"boundary", "arn:aws:iam::123456789012:role/boundary", "*"}},
		"TriggerReserved": {[]string{"", "1", "100"}, []string{"0", "-1", "many"}}, // none would stop every sign-in
		"SyncReserved":    {[]string{"", "1", "100"}, []string{"0", "-1", "many"}},
		"GraphqlHost":     {[]string{"", "api.example.com", "api.example.com:8443"}, []string{"https://api.example.com", "api example"}},
		"AlarmTopicArn":   {[]string{"", "arn:aws:sns:us-east-1:123456789012:on-call"}, []string{"on-call", "arn:aws:sqs:us-east-1:123456789012:on-call"}},
		"SyncBudget":      {[]string{"", "3.5s", "900ms"}, []string{"3.5", "3 s", "fast"}},
	} {
		pattern := regexp.MustCompile(parameters[name].AllowedPattern)
		for _, value := range values.good {
			if !pattern.MatchString(value) {
				t.Errorf("%s refuses %q", name, value)
			}
		}
		for _, value := range values.bad {
			if pattern.MatchString(value) {
				t.Errorf("%s takes %q", name, value)
			}
		}
	}
}

// A statement that allows everything, or on everything, has to be one that we know of.
func TestPermissionsAreExact(t *testing.T) {
	var allowed []string
	var walk func(path string, value any)
	walk = func(path string, value any) {
		switch value := value.(type) {
		case []any:
			for _, item := range value {
				walk(path, item)
			}
		case map[string]any:
			if value["Effect"] == "Allow" && value["Principal"] == nil {
				allowed = append(allowed, fmt.Sprintf("%s: %v on %v", path, value["Action"], value["Resource"]))
				return
			}
			for key, item := range value {
				walk(path, item)
				if key == "ManagedPolicyArns" {
					t.Errorf("%s has a managed policy, which is not by exact ARN", path)
				}
			}
		}
	}
	for id, resource := range readTemplate(t).Resources {
		if resource.Type == "AWS::IAM::Role" {
			walk(id, resource.Properties)
		}
	}
	slices.Sort(allowed)
	want := []string{
		"DeploymentRole: [lambda:GetAlias lambda:GetProvisionedConcurrencyConfig lambda:UpdateAlias] on [HasuraCognitoTrigger.Arn ${HasuraCognitoTrigger.Arn}:* HasuraCognitoSyncUsers.Arn ${HasuraCognitoSyncUsers.Arn}:*]",
		"DeploymentRole: cloudwatch:DescribeAlarms on *",
		"HasuraCognitoReplaySyncsRole: [ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses] on *",
		"HasuraCognitoReplaySyncsRole: [logs:CreateLogStream logs:PutLogEvents] on HasuraCognitoReplaySyncsLogs.Arn",
		"HasuraCognitoReplaySyncsRole: [sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes] on ParkedSyncs.Arn",
		"HasuraCognitoReplaySyncsRole: [xray:PutTraceSegments xray:PutTelemetryRecords] on *",
		"HasuraCognitoReplaySyncsRole: kms:Decrypt on QueueKmsKeyArn",
		"HasuraCognitoReplaySyncsRole: kms:Decrypt on SecretsKmsKeyArn",
		"HasuraCognitoReplaySyncsRole: secretsmanager:GetSecretValue on SecretsArn",
		"HasuraCognitoSyncUsersRole: [ec2:AssignPrivateIpAddresses ec2:CreateNetworkInterface ec2:DeleteNetworkInterface ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:UnassignPrivateIpAddresses] on *",
		"HasuraCognitoSyncUsersRole: [kms:GenerateDataKey kms:Decrypt] on QueueKmsKeyArn",
		"HasuraCognitoSyncUsersRole: [logs:CreateLogStream logs:PutLogEvents] on HasuraCognitoSyncUsersLogs.Arn",
		"HasuraCognitoSyncUsersRole: [xray:PutTraceSegments xray:PutTelemetryRecords] on *",
		"HasuraCognitoSyncUsersRole: kms:Decrypt on SecretsKmsKeyArn",
		"HasuraCognitoSyncUsersRole: secretsmanager:GetSecretValue on SecretsArn",
		"HasuraCognitoSyncUsersRole: sqs:SendMessage on ParkedSyncs.Arn",
		"HasuraCognitoTriggerRole: [logs:CreateLogStream logs:PutLogEvents] on HasuraCognitoTriggerLogs.Arn",
		"HasuraCognitoTriggerRole: [xray:PutTraceSegments xray:PutTelemetryRecords] on *",
	}
	if !slices.Equal(allowed, want) {
		t.Errorf("the roles allow\n%s\nwant\n%s", strings.Join(allowed, "\n"), strings.Join(want, "\n"))
	}
}

// A setting that the code reads and the template does not declare cannot be set by
// who deploys; one that nothing reads is a promise that nothing keeps.
func TestEverySettingCanBeDeployed(t *testing.T) {
	read := map[string]bool{}
	name := regexp.MustCompile(`(?i)getenv\("([A-Z_]+)"\)`)
	for _, folder := range []string{"functions", "pkg"} {
		err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				for _, match := range name.FindAllStringSubmatch(string(readFile(t, path)), -1) {
					read[match[1]] = true
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	// Read by Go's runtime, crypto/x509 and the SDK.
	for _, name := range []string{"GOMAXPROCS", "SSL_CERT_FILE", "SSL_CERT_DIR", "AWS_ENDPOINT_URL_SECRETS_MANAGER"} {
		read[name] = true
	}
	declared := map[string]bool{}
	template := readTemplate(t)
	for id := range functions {
		for _, name := range variables(template.Resources[id]) {
			declared[name] = true
			if !read[name] {
				t.Errorf("template.yaml sets %s of %s, which nothing reads", name, id)
			}
		}
	}
	for name := range read {
		if !declared[name] && !strings.HasPrefix(name, "AWS_LAMBDA_") {
			t.Errorf("the code reads %s, which template.yaml does not set", name)
		}
	}
}

// sam local passes no variable that the template does not declare, and says nothing.
func TestLocalVariablesAreDeclared(t *testing.T) {
	var local map[string]map[string]string
	if err := json.Unmarshal(readFile(t, "env.json"), &local); err != nil {
		t.Fatal(err)
	}
	template := readTemplate(t)
	for id, set := range local {
		declared := variables(template.Resources[id])
		for name := range set {
			if !slices.Contains(declared, name) {
				t.Errorf("env.json sets %s of %s, which template.yaml does not declare", name, id)
			}
		}
	}
}

func TestFailedSyncsWaitSafely(t *testing.T) {
	template := readTemplate(t)
	queue, letters := template.Resources["ParkedSyncs"].Properties, template.Resources["ParkedSyncsDeadLetters"].Properties
	source := template.Resources["HasuraCognitoReplaySyncsSource"].Properties
	for _, row := range []struct {
		what      string
		got, want any
	}{
		{"personal data is encrypted at rest", fmt.Sprint(queue["SqsManagedSseEnabled"]), "[HasQueueKmsKey false true]"},
		{"in the dead letters too", fmt.Sprint(letters["SqsManagedSseEnabled"]), "[HasQueueKmsKey false true]"},
		{"by a key of one's own", fmt.Sprint(queue["KmsMasterKeyId"]), "[HasQueueKmsKey QueueKmsKeyArn AWS::NoValue]"},
		{"the dead letters too", fmt.Sprint(letters["KmsMasterKeyId"]), "[HasQueueKmsKey QueueKmsKeyArn AWS::NoValue]"},
		{"what never succeeds becomes a dead letter", at(queue, "RedrivePolicy", "deadLetterTargetArn"), "ParkedSyncsDeadLetters.Arn"},
		{"the sync has the queue", at(template.Resources["HasuraCognitoSyncUsers"].Properties, "Environment", "Variables", "SYNC_QUEUE_URL"), "ParkedSyncs"},
		{"the replay consumes it", at(source, "EventSourceArn"), "ParkedSyncs.Arn"},
		{"one that fails does not keep the others of its batch", fmt.Sprint(source["FunctionResponseTypes"]), "[ReportBatchItemFailures]"},
		{"a Hasura that recovers is not flooded", at(source, "ScalingConfig", "MaximumConcurrency"), "ReplayConcurrency"},
		{"a try has ended before the next", fmt.Sprint(queue["VisibilityTimeout"]), "180"},
		{"a try ends", fmt.Sprint(template.Resources["HasuraCognitoReplaySyncs"].Properties["Timeout"]), "30"},
	} {
		if row.got != row.want {
			t.Errorf("%s: got %v, want %v", row.what, row.got, row.want)
		}
	}
}

// What a pool is to call: the function, or its alias where there is a reason for one.
const (
	calledTrigger = "[IsCalledByAlias HasuraCognitoTrigger.Alias HasuraCognitoTrigger.Arn]"
	calledSync    = "[IsCalledByAlias HasuraCognitoSyncUsers.Alias HasuraCognitoSyncUsers.Arn]"
)

// SAM's own Cognito event would attach version V1_0, whatever the parameter says.
func TestOwnPoolIsWiredAsAttachedOnesAre(t *testing.T) {
	template := readTemplate(t)
	pool := template.Resources["UserPool"].Properties
	for _, row := range []struct {
		got  any
		want string
	}{
		{at(pool, "LambdaConfig", "PreTokenGenerationConfig", "LambdaArn"), calledTrigger},
		{at(pool, "LambdaConfig", "PreTokenGenerationConfig", "LambdaVersion"), "LambdaVersion"},
		{at(pool, "LambdaConfig", "PreTokenGeneration"), ""},
		{at(pool, "LambdaConfig", "PostConfirmation"), calledSync},
		{at(pool, "LambdaConfig", "PostAuthentication"), calledSync},
		{at(pool, "UserPoolTier"), "ESSENTIALS"},
	} {
		if got := fmt.Sprint(row.got); got != row.want {
			t.Errorf("the stack's own pool: got %v, want %q in %v", got, row.want, pool)
		}
	}
	// A mapped attribute that people can write lets them choose their session variables.
	for _, name := range at(template.Resources["UserPoolClient"].Properties, "WriteAttributes").([]any) {
		if strings.HasPrefix(fmt.Sprint(name), "custom:") {
			t.Errorf("the app client may write %v", name)
		}
	}
}

func TestOutputsAttachBothFunctions(t *testing.T) {
	outputs := readTemplate(t).Outputs
	// substituted returns the text of a Sub with variables, once these are what they should be.
	substituted := func(name string) string {
		value, _ := outputs[name].Value.([]any)
		if len(value) != 2 || fmt.Sprint(at(value[1], "Trigger")) != calledTrigger || fmt.Sprint(at(value[1], "Sync")) != calledSync {
			t.Fatalf("%s = %v, want a text, and both functions as the pool is to call them", name, outputs[name].Value)
		}
		return strings.TrimSpace(fmt.Sprint(value[0]))
	}
	var config struct {
		PreTokenGenerationConfig             struct{ LambdaArn, LambdaVersion string }
		PostConfirmation, PostAuthentication string
	}
	if err := json.Unmarshal([]byte(substituted("LambdaConfig")), &config); err != nil {
		t.Fatalf("LambdaConfig: %v", err)
	}
	if config.PreTokenGenerationConfig.LambdaArn != "${Trigger}" || config.PostConfirmation != "${Sync}" || config.PostAuthentication != "${Sync}" {
		t.Errorf("LambdaConfig = %+v", config)
	}
	attach := fmt.Sprint(outputs["AttachCommand"].Value)
	for _, want := range []string{"make attach USER_POOL_ID=${UserPoolId} PREFIX=${Prefix} ARGS='-version ${LambdaVersion}${Alias} -apply'", "[IsCalledByAlias  -alias live ]"} {
		if !strings.Contains(attach, want) {
			t.Errorf("AttachCommand = %s, want %q in it", attach, want)
		}
	}
	for name, want := range map[string]string{"HasuraCognitoTriggerArn": calledTrigger, "HasuraCognitoSyncUsersArn": calledSync} {
		if got := fmt.Sprint(outputs[name].Value); got != want {
			t.Errorf("%s = %s, want %s", name, got, want)
		}
	}
}
