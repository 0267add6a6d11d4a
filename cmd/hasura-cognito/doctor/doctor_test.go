package doctor

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

func TestHealthyDeployment(t *testing.T) {
	report, text := healthy().examine(t)
	want := []string{"pool", "pre token generation", "trigger version", "post confirmation", "post authentication",
		"claims function", "claims function: environment", "claims function: permission", "claims function: other callers",
		"claims settings", "attributes in claims", "group editor", "group us-east-1_ExaMPle01_Google", "group org:admin",
		"sync function", "sync function: environment", "sync function: permission", "sync function: other callers",
		"sync settings", "USER_ID", "secret", "Hasura", "users table", "unique constraints", "NOT NULL columns",
		"Hasura's JWT settings", "Hasura accepts a token",
		"replay function", "replay function: environment", "replay settings", "replay function: queue", "parked syncs queue", "dead-letter queue",
		"reconcile and follow", "alarms"}
	var got []string
	for _, row := range report {
		got = append(got, row.Check)
		if wanted := map[bool]Verdict{true: Unknown, false: OK}[row.Check == "Hasura accepts a token"]; row.Verdict != wanted {
			t.Errorf("%s is %s, want %s: %s", row.Check, row.Verdict, wanted, row.Found)
		}
	}
	if !slices.Equal(got, want) || report.Failed() {
		t.Errorf("rows %q, want %q\n%s", got, want, text)
	}
}

func TestWhatIsWrongIsFound(t *testing.T) {
	source := func(arn string) string { return strings.ReplaceAll(healthy().Policies[syncFunction], poolARN, arn) }
	// The tests follow the description of the users table.
	text := users.Description.Columns[slices.IndexFunc(users.Description.Columns, func(c users.Column) bool {
		return c.Kind == users.Text && c.Name != users.Description.Key && c.Source.Name == "email"
	})].Name
	type finding struct {
		name    string
		change  func(*deployment)
		check   string
		verdict Verdict
		found   string // in what was found
		hint    string // in the hint
	}
	rows := []finding{
		{"no pool", func(d *deployment) { d.Cognito.Pool["Id"] = "other" }, "pool", Fail, "ResourceNotFoundException in us-east-1", "cognito-idp:DescribeUserPool"},
		{"no replica in the Region", func(d *deployment) {
			d.Cognito.Pool["Id"] = "other"
			d.region = "us-west-2"
		}, "pool", Fail, "in us-west-2", "unset AWS_REGION"},
		{"no pre token generation", func(d *deployment) { delete(d.triggers(), "PreTokenGenerationConfig") }, "pre token generation", Fail, "has no function", "attach"},
		{"another function for pre token generation", func(d *deployment) {
			d.triggers()["PreTokenGenerationConfig"] = object{"LambdaArn": prefix + "x", "LambdaVersion": "V2_0"}
		}, "pre token generation", Fail, "is not hasura-cognito-trigger", "--replace"},
		{"V1_0", func(d *deployment) {
			d.triggers()["PreTokenGenerationConfig"] = object{"LambdaArn": claims, "LambdaVersion": "V1_0"}
		}, "trigger version", Warn, "access tokens have none", "--version V2_0"},
		{"the older key alone is V1_0", func(d *deployment) {
			d.Cognito.Pool["LambdaConfig"] = object{"PreTokenGeneration": claims}
		}, "trigger version", Warn, "V1_0", "--version V2_0"},
		{"no post confirmation", func(d *deployment) { delete(d.triggers(), "PostConfirmation") }, "post confirmation", Fail, "has no function", "attach"},
		{"no post authentication", func(d *deployment) { delete(d.triggers(), "PostAuthentication") }, "post authentication", Fail, "has no function", "attach"},
		{"two sync functions", func(d *deployment) { d.triggers()["PostConfirmation"] = prefix + "old-hasura-cognito-sync-users" }, "one sync function", Fail, "different functions", "attach"},

		{"no permission", func(d *deployment) { delete(d.Policies, claims) }, "claims function: permission", Fail, "no statement lets Cognito call it", "--source-arn " + poolARN},
		{"another pool's permission", func(d *deployment) { d.Policies[syncFunction] = source(poolARN + "2") }, "sync function: permission", Fail, "no statement", "add-permission"},
		{"a denial", func(d *deployment) {
			d.Policies[syncFunction] = strings.Replace(d.Policies[syncFunction], "Allow", "Deny", 1)
		}, "sync function: permission", Fail, `statement "pool" denies`, "add-permission"},
		{"every pool has permission", func(d *deployment) {
			d.Policies[syncFunction] = `{"Statement":{"Sid":"wide","Effect":"Allow","Principal":{"Service":"cognito-idp.amazonaws.com"},"Action":["lambda:InvokeFunction"]}}`
		}, "sync function: other callers", Fail, `"wide" lets in any user pool of any AWS account`, "remove-permission --region us-east-1 --function-name " + syncFunction + " --statement-id wide"},
		{"a statement without a Sid", func(d *deployment) {
			d.Policies[syncFunction] = `{"Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"lambda:*"}}`
		}, "sync function: other callers", Fail, "number 1 lets in any AWS account", "name the pool in its SourceArn"},
		{"the account's pools have permission", func(d *deployment) {
			d.Policies[syncFunction] = source("arn:aws:cognito-idp:us-east-1:123456789012:*/*")
		}, "sync function: other callers", Warn, "other user pools of this account", "remove-permission"},
		{"an alias with a wide statement", func(d *deployment) {
			d.callByAlias()
			d.Policies[claims+":live"] = source("*")
		}, "claims function: other callers", Fail, "any user pool of any AWS account", "--function-name " + claims + " --statement-id pool --qualifier live"},
		{"a policy that cannot be read", func(d *deployment) { d.Denied = []string{"GetPolicy"} }, "sync function: permission", Unknown, "AccessDenied", "lambda:GetPolicy"},
		{"conditions that cannot be evaluated", func(d *deployment) {
			d.Policies[syncFunction] = strings.Replace(d.Policies[syncFunction], `"Condition":{`, `"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},`, 1)
		}, "sync function: permission", Unknown, "cannot evaluate", "check the conditions"},

		{"no function", func(d *deployment) { d.gone = syncFunction }, "sync function", Fail, "does not exist", "deploy it"},
		{"a function that is not ready", func(d *deployment) { d.state = "Pending" }, "sync function", Warn, "Pending", "wait"},
		{"a function that failed", func(d *deployment) { d.state = "Failed" }, "sync function", Fail, "Failed", "deploy it again"},
		{"no right to see the function", func(d *deployment) { d.Denied = []string{"GetFunctionConfiguration"} }, "claims function", Fail, "AccessDenied", "lambda:GetFunctionConfiguration"},
		{"an alias that serves old settings", func(d *deployment) {
			d.callByAlias()
			d.env[claims+":live"] = map[string]string{"ROLES": "old=user"}
		}, "claims function: alias", Warn, "live serves version 7, which has other code or settings", "AllAtOnce"},
		{"an alias of a function that is gone", func(d *deployment) {
			d.callByAlias()
			d.gone = claims
		}, "claims function: alias", Unknown, "ResourceNotFoundException", "lambda:GetFunctionConfiguration"},
		{"variables near 4 KB", func(d *deployment) {
			d.env[claims]["ROLES"] = strings.Repeat("some-group=some-role,", 180)
		}, "claims function: environment", Warn, "of 4096 bytes", "Shorten ROLES"},

		{"an invalid claims setting", func(d *deployment) { d.env[claims]["CLAIMS_FORMAT"] = "xml" }, "claims settings", Fail, "CLAIMS_FORMAT", "correct the function's settings"},
		{"json on V1_0", func(d *deployment) {
			d.env[claims]["CLAIMS_FORMAT"] = "json"
			d.Cognito.Pool["LambdaConfig"] = object{"PreTokenGeneration": claims}
		}, "claims settings", Fail, "V1_0", "remove CLAIMS_FORMAT"},
		{"a client may write an attribute", func(d *deployment) { d.Cognito.Clients[1]["WriteAttributes"] = []any{"custom:org_id"} }, "attributes in claims", Fail, "app client phone users can write custom:org_id", "WriteAttributes"},
		{"a client without WriteAttributes", func(d *deployment) { delete(d.Cognito.Clients[0], "WriteAttributes") }, "attributes in claims", Fail, "app client web", "WriteAttributes"},
		{"a client may write the user's id", func(d *deployment) {
			d.env[claims] = map[string]string{"USER_ID": "custom:legacy_id"}
			d.Cognito.Clients[1]["WriteAttributes"] = []any{"custom:legacy_id"}
		}, "attributes in claims", Fail, "can write custom:legacy_id, which becomes x-hasura-user-id", "WriteAttributes"},
		{"a client may write the attribute with roles", func(d *deployment) {
			d.env[claims] = map[string]string{"ROLES": "a=b", "ROLE_ATTRIBUTE": "custom:groups"}
			d.Cognito.Clients[1]["WriteAttributes"] = []any{"custom:groups"}
		}, "attributes in claims", Fail, "can write custom:groups, which gives roles", "docs/security.md"},
		{"a client for providers has the scope to write attributes", func(d *deployment) {
			d.forProviders()
			d.Cognito.Clients[1]["AllowedOAuthScopes"] = []any{"openid", "aws.cognito.signin.user.admin"}
		}, "attributes in claims", Fail, "can write custom:groups", "WriteAttributes"},
		{"a client for providers has an authentication flow", func(d *deployment) {
			d.forProviders()
			d.Cognito.Clients[1]["ExplicitAuthFlows"] = []any{"ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"}
		}, "attributes in claims", Fail, "can write custom:groups", "WriteAttributes"},
		{"a client for providers has the default flows", func(d *deployment) {
			d.forProviders()
			delete(d.Cognito.Clients[1], "ExplicitAuthFlows")
		}, "attributes in claims", Fail, "can write custom:groups", "WriteAttributes"},
		{"users can sign up with a client for providers", func(d *deployment) {
			d.forProviders()
			delete(d.Cognito.Pool, "AdminCreateUserConfig")
		}, "attributes in claims", Fail, "can write custom:groups", "WriteAttributes"},
		{"roles of machines without V3_0", func(d *deployment) {
			d.env[claims]["MACHINE_ROLES"] = "app=service"
		}, "claims settings", Fail, "only with V3_0", "--version V3_0"},
		{"a machine that the pool does not have", func(d *deployment) {
			d.env[claims]["MACHINE_ROLES"] = "other=service"
		}, "machines", Warn, "names other, which is not an app client", "correct the id"},
		{"no right to list the clients", func(d *deployment) {
			d.env[claims] = map[string]string{"MACHINE_ROLES": "web=service"}
			d.Cognito.Intercept = func(operation string) string {
				return map[string]string{"ListUserPoolClients": "AccessDeniedException"}[operation]
			}
		}, "machines", Unknown, "AccessDenied", "cognito-idp:ListUserPoolClients"},
		{"a group of two tenants", func(d *deployment) {
			d.env[claims]["TENANT_GROUPS"] = "{tenant}:{role}"
			d.Cognito.Groups = []string{"a:b", "a:b:c"}
		}, "group a:b:c", Warn, "in more than one way. It puts users into no tenant either", "separator"},
		{"no right to see the groups", func(d *deployment) {
			d.Cognito.Intercept = func(operation string) string {
				return map[string]string{"ListGroups": "AccessDeniedException"}[operation]
			}
		}, "groups", Unknown, "AccessDenied", "cognito-idp:ListGroups"},
		{"the functions take the user's id from different attributes", func(d *deployment) {
			d.env[claims]["USER_ID"] = "custom:legacy_id"
		}, "USER_ID", Fail, `the claims function has "custom:legacy_id", the sync function ""`, "same value"},
		{"an attribute that is set at sign-up", func(d *deployment) {
			d.env[claims]["SESSION_VARIABLES"] = "x-hasura-born=custom:born"
			d.Cognito.Clients[0]["WriteAttributes"] = []any{"custom:born"}
		}, "attributes in claims", Fail, "choose at sign-up", "WriteAttributes"},

		{"an invalid address", func(d *deployment) { d.env[syncFunction]["GRAPHQL_DOMAIN"] = "ftp://x" }, "sync settings", Fail, "GRAPHQL_DOMAIN", "every sync is parked"},
		{"an invalid budget", func(d *deployment) { d.env[syncFunction]["SYNC_BUDGET"] = "9s" }, "sync settings", Fail, "SYNC_BUDGET", "have their defaults"},
		{"plain http", func(d *deployment) {
			d.env[syncFunction]["GRAPHQL_DOMAIN"] = "internal-x.us-east-1.elb.amazonaws.com"
			d.options.Domain = "http://127.0.0.1:9"
		}, "sync settings", Warn, "without TLS", "GRAPHQL_CA"},
		{"an invalid address of the tunnel", func(d *deployment) { d.options.Domain = "ftp://x" }, "Hasura", Fail, "GRAPHQL_DOMAIN", "of this command"},
		{"no secret", func(d *deployment) { d.missing = true }, "secret", Fail, "ResourceNotFoundException", "SECRETS_ARN"},
		{"no key in the secret", func(d *deployment) { d.secret = `{"other":"x"}` }, "secret", Fail, "has no key", "SECRETS_KEY"},

		{"Hasura cannot be reached", func(d *deployment) { d.options.Domain = "http://127.0.0.1:9" }, "Hasura", Unknown, "cannot be reached from here", "--from-vpc"},
		{"Hasura cannot be reached from the VPC", func(d *deployment) {
			d.options.Domain, d.options.FromVPC = "http://127.0.0.1:9", true
		}, "Hasura", Fail, "cannot be reached from here", "security groups"},
		{"Hasura has inconsistent metadata", func(d *deployment) {
			d.proxy = instead("/healthz", func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, "WARN: inconsistent objects in schema")
			})
		}, "Hasura", Warn, "inconsistent", "hasura metadata inconsistency list"},
		{"Hasura is unhealthy", func(d *deployment) {
			d.proxy = instead("/healthz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
		}, "Hasura", Fail, "status 500", "database"},
		{"Hasura redirects", func(d *deployment) {
			d.proxy = instead("/healthz", func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://example.com/", http.StatusMovedPermanently)
			})
		}, "Hasura", Fail, "redirects", "GRAPHQL_HOST"},
		{"a proxy hides the health check", func(d *deployment) { d.proxy = instead("/healthz", http.NotFound) }, "Hasura", Unknown, "/healthz answers status 404", "proxy"},

		{"another admin secret", func(d *deployment) { d.hasura.AdminSecret = "rotated" }, "users table", Fail, "access-denied", "is not Hasura's"},
		{"a role that may not write", func(d *deployment) { d.env[syncFunction]["HASURA_ROLE"] = "user" }, "users table", Fail, "the role user lacks " + upsert.Insert, "docs/hasura.md"},
		{"a response that is not GraphQL", func(d *deployment) {
			d.proxy = instead("/v1/graphql", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") })
		}, "users table", Fail, "is no GraphQL API", "whole path"},
		{"an answer with the secret for a code", func(d *deployment) {
			d.proxy = instead("/v1/graphql", func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, `{"errors":[{"extensions":{"code":"`+canary+`"}}]}`)
			})
		}, "users table", Fail, "unrecognized", "docs/troubleshooting.md"},
		{"a column of another type", func(d *deployment) {
			d.schema = strings.NewReplacer("\n  "+text+": String\n", "\n  "+text+": Int\n", "\n  "+text+": citext\n", "\n  "+text+": Int\n")
		}, "users table", Fail, "the column " + text + " with the type text (it has int)", "docs/own-table.md"},
		{"a column that the table lacks", func(d *deployment) {
			at := users.Description.SyncedAt
			d.schema = strings.NewReplacer("\n  "+at+": timestamptz\n", "\n")
		}, "users table", Fail, "Hasura lacks the column " + users.Description.SyncedAt + " (timestamptz)", "docs/own-table.md"},
		{"a time without a zone", func(d *deployment) {
			at := users.Description.SyncedAt
			d.schema = strings.NewReplacer("\n  "+at+": timestamptz\n", "\n  "+at+": timestamp\n", "scalar timestamptz\n", "scalar timestamptz\nscalar timestamp\n")
		}, "users table", Fail, "the column " + users.Description.SyncedAt + " with the type timestamptz (it has timestamp)", "docs/own-table.md"},
		{"a column that is NOT NULL", func(d *deployment) {
			d.schema = strings.NewReplacer("\ntype "+upsert.Row+" {", "\ntype "+upsert.Row+" {\n  plan_id: uuid!\n  posts: [Int!]!\n")
		}, "NOT NULL columns", Warn, "plan_id", "default"},

		{"no tokens", func(d *deployment) { d.hasura.JWT = nil }, "Hasura's JWT settings", Fail, "accepts no tokens", "docs/jwt.md"},
		{"another format", func(d *deployment) { d.hasura.JWT.Format = jwt.FormatJSON }, "Hasura's JWT settings", Fail, "Hasura reads https://hasura.io/jwt/claims as json", "claims_format"},
		{"another claim", func(d *deployment) { d.env[claims]["CLAIMS_NAMESPACE"] = "claims.jwt.hasura.io" }, "Hasura's JWT settings", Fail, "tokens have claims.jwt.hasura.io", "claims_namespace"},
		{"a path to the claims", func(d *deployment) { d.hasura.JWT.NamespacePath = "$['https://hasura.io/jwt/claims']" }, "Hasura's JWT settings", Unknown, "claims_namespace_path", "TOKEN"},
		{"a map of claims", func(d *deployment) { d.hasura.JWT.Map = map[string]any{"x-hasura-default-role": "user"} }, "Hasura's JWT settings", Unknown, "claims_map", "TOKEN"},
		{"no claims settings", func(d *deployment) { d.gone = claims }, "Hasura's JWT settings", Unknown, "not known", "claims function"},
		{"another pool's issuer", func(d *deployment) {
			d.options.Token, d.hasura.JWT.Issuer = "of the pool", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"
		}, "Hasura accepts a token", Fail, "invalid-jwt", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_ExaMPle01"},
		{"the updated issuer", func(d *deployment) {
			d.Cognito.Pool["IssuerConfiguration"] = object{"Type": "UPDATED"}
			d.options.Token, d.hasura.JWT.Issuer = "of the pool", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"
		}, "Hasura accepts a token", Fail, "invalid-jwt", "https://issuer-cognito-idp.us-east-1.amazonaws.com/"},

		{"no queue", func(d *deployment) { delete(d.env[syncFunction], "SYNC_QUEUE_URL") }, "parked syncs queue", Warn, "SYNC_QUEUE_URL is not set", "deploy"},
		{"a queue that is gone", func(d *deployment) { delete(d.Queues, parked) }, "parked syncs queue", Fail, "does not exist", "deploy"},
		{"no right to see the queue", func(d *deployment) { d.Denied = []string{"GetQueueAttributes"} }, "parked syncs queue", Unknown, "AccessDenied", "sqs:GetQueueAttributes"},
		{"parked syncs", func(d *deployment) {
			d.Queues[parked]["ApproximateNumberOfMessages"], d.Queues[parked]["ApproximateNumberOfMessagesNotVisible"], d.Age = "12", "30", 1500
		}, "parked syncs queue", Warn, "42 parked syncs, the oldest at least 25m0s old", "replay function"},
		{"parked syncs of unknown age", func(d *deployment) {
			d.Queues[parked]["ApproximateNumberOfMessages"] = "1"
			d.Denied = []string{"GetMetricStatistics"}
		}, "parked syncs queue", Warn, "of unknown age: AWS answers AccessDeniedException", "replay function"},
		{"no dead-letter queue", func(d *deployment) { delete(d.Queues[parked], "RedrivePolicy") }, "dead-letter queue", Warn, "has no dead-letter queue", "redrive policy"},
		{"a dead-letter queue that is gone", func(d *deployment) { delete(d.Queues, letters) }, "dead-letter queue", Fail, "does not exist", "deploy"},
		{"dead letters", func(d *deployment) { d.Queues[letters]["ApproximateNumberOfMessages"] = "3" }, "dead-letter queue", Fail, "3 syncs were given up", "start-message-move-task --region us-east-1 --source-arn arn:aws:sqs:us-east-1:123456789012:" + letters},
		{"a replay function without settings", func(d *deployment) { d.env[replay]["HASURA_ROLE"] = " x" }, "replay settings", Fail, "HASURA_ROLE", "no parked sync is written"},
		{"a replay function that its queue does not call", func(d *deployment) { d.Sources[replay]["State"] = "Disabled" }, "replay function: queue", Fail, "is Disabled", "--uuid 0"},
		{"no replay function", func(d *deployment) { d.gone = replay }, "replay function", Fail, "does not exist", "deploy it"},

		{"an alarm of a function", func(d *deployment) { d.alarm("errors", "AWS/Lambda", "FunctionName", "acme-hasura-cognito-trigger") }, "alarms", Fail, "errors is in ALARM", "docs/troubleshooting.md"},
		{"an alarm of the queue", func(d *deployment) { d.alarm("old", "AWS/SQS", "QueueName", parked) }, "alarms", Fail, "old is in ALARM", "what it means"},
		{"an alarm of the logs", func(d *deployment) { d.alarm("sync lost", "HasuraCognito/acme", "outcome", "sync lost") }, "alarms", Fail, "sync lost is in ALARM", "what it means"},
		{"an alarm with metric math", func(d *deployment) {
			d.Alarms = []object{{"AlarmName": "rate", "Metrics": []object{{"Id": "m", "MetricStat": object{"Metric": object{"Namespace": "HasuraCognito/acme"}}}}}}
		}, "alarms", Fail, "rate is in ALARM", "docs/troubleshooting.md"},
		{"no right to see alarms", func(d *deployment) { d.Denied = []string{"DescribeAlarms"} }, "alarms", Unknown, "AccessDenied", "cloudwatch:DescribeAlarms"},
	}
	if camelCase(upsert.Insert) != upsert.Insert {
		rows = append(rows, finding{"the naming convention graphql-default", func(d *deployment) {
			d.proxy = instead("/v1/graphql", func(w http.ResponseWriter, _ *http.Request) {
				io.WriteString(w, `{"data":{"__schema":{"mutationType":{"fields":[{"name":"`+camelCase(upsert.Insert)+`","args":[{"name":"object"},{"name":"onConflict"}]}]}},"row":null,"insert":null,"update":null,"constraint":null}}`)
			})
		}, "users table", Fail, "graphql-default", "hasura-default"})
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := healthy()
			row.change(d)
			report, text := d.examine(t)
			got := report.of(row.check)
			if len(got) != 1 || got[0].Verdict != row.verdict || !strings.Contains(got[0].Found, row.found) || !strings.Contains(got[0].Hint, row.hint) {
				t.Errorf("%s is %+v, want one %s with %q and the hint %q\n%s", row.check, got, row.verdict, row.found, row.hint, text)
			}
			if row.verdict == Fail && !report.Failed() {
				t.Error("the report did not fail")
			}
		})
	}
}

// callByAlias lets the pool call the claims function by an alias.
func (d *deployment) callByAlias() {
	d.triggers()["PreTokenGenerationConfig"] = object{"LambdaArn": claims + ":live", "LambdaVersion": "V2_0"}
	d.env[claims+":live"] = d.env[claims]
	d.Policies[claims+":live"] = d.Policies[claims]
}

// forProviders maps roles to an attribute, and lets one client write it for identity providers alone.
func (d *deployment) forProviders() {
	d.env[claims] = map[string]string{"ROLES": "a=b", "ROLE_ATTRIBUTE": "custom:groups"}
	d.Cognito.Pool["AdminCreateUserConfig"] = object{"AllowAdminCreateUserOnly": true}
	maps.Copy(d.Cognito.Clients[1], object{"WriteAttributes": []any{"custom:groups"}, "ExplicitAuthFlows": []any{"ALLOW_REFRESH_TOKEN_AUTH"},
		"AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthScopes": []any{"openid"}})
}

// alarm puts an alarm into ALARM.
func (d *deployment) alarm(name, namespace, dimension, value string) {
	d.Alarms = append(d.Alarms, object{"AlarmName": name, "AlarmDescription": "what it means", "Namespace": namespace,
		"Dimensions": []object{{"Name": dimension, "Value": value}}})
}

func TestWhatIsRight(t *testing.T) {
	rows := []struct {
		name   string
		change func(*deployment)
		check  string
	}{
		{"an alias that serves the last deployment", func(d *deployment) { d.callByAlias() }, "claims function: alias"},
		{"a token of the pool", func(d *deployment) { d.options.Token = "of the pool" }, "Hasura accepts a token"},
		{"attributes that only administrators set", func(d *deployment) {
			d.env[claims]["SESSION_VARIABLES"] = "x-hasura-born=custom:born,x-hasura-provider=identities,x-hasura-status=cognito:user_status"
			d.Cognito.Pool["AdminCreateUserConfig"] = object{"AllowAdminCreateUserOnly": true}
			d.Cognito.Clients[0]["WriteAttributes"] = []any{"custom:born"}
		}, "attributes in claims"},
		{"no session variables", func(d *deployment) { d.env[claims] = nil }, "attributes in claims"},
		{"an attribute that an identity provider alone fills", func(d *deployment) { d.forProviders() }, "attributes in claims"},
		{"an attribute that chooses among tenants", func(d *deployment) {
			d.env[claims] = map[string]string{"TENANT_GROUPS": "{tenant}:{role}", "TENANT_ATTRIBUTE": "custom:tenant"}
			d.Cognito.Clients[1]["WriteAttributes"] = []any{"custom:tenant"}
		}, "attributes in claims"},
		{"roles of machines with V3_0", func(d *deployment) {
			d.env[claims]["MACHINE_ROLES"] = "app=service"
			d.triggers()["PreTokenGenerationConfig"] = object{"LambdaArn": claims, "LambdaVersion": "V3_0"}
		}, "claims settings"},
		{"a machine of the pool", func(d *deployment) {
			d.env[claims]["MACHINE_ROLES"] = "web=service,web=reader"
			d.triggers()["PreTokenGenerationConfig"] = object{"LambdaArn": claims, "LambdaVersion": "V3_0"}
		}, "machines"},
		{"a pool without groups", func(d *deployment) { d.Cognito.Groups = nil }, "groups"},
		{"another deployment's alarm", func(d *deployment) {
			d.alarm("other", "AWS/Lambda", "FunctionName", "other-hasura-cognito-trigger")
		}, "alarms"},
		{"a unique column that no sync writes", func(d *deployment) { d.schema = unique("stripe_id") }, "unique constraints"},
		{"admin", func(d *deployment) { delete(d.env[syncFunction], "HASURA_ROLE") }, "users table"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := healthy()
			row.change(d)
			report, text := d.examine(t)
			if got := report.of(row.check); len(got) != 1 || got[0].Verdict != OK || got[0].Hint != "" || report.Failed() {
				t.Errorf("%s is %+v, want ok\n%s", row.check, got, text)
			}
		})
	}
}

// A pool with two wide statements has a row for each.
func TestEveryWideStatementIsNamed(t *testing.T) {
	d := healthy()
	d.Policies[syncFunction] = strings.Replace(d.Policies[syncFunction], `"Statement":[`, `"Statement":[{"Sid":"a","Effect":"Allow","Principal":"*","Action":"*"},{"Sid":"b","Effect":"Allow","Principal":{"Service":"events.amazonaws.com"},"Action":"lambda:InvokeFunction"},`, 1)
	report, text := d.examine(t)
	got := report.of("sync function: other callers")
	if len(got) != 2 || !strings.Contains(got[0].Found, `"a"`) || !strings.Contains(got[1].Found, `"b"`) || report.of("sync function: permission")[0].Verdict != OK {
		t.Errorf("got %+v\n%s", got, text)
	}
}

// doctor prints the roles of every group, or the reason why a group gives no role.
func TestGroups(t *testing.T) {
	d := healthy()
	d.env[claims] = map[string]string{"TENANT_GROUPS": "{tenant}:{role}", "ROLES": "*,owner=tenant_owner,staff=editor,staff=author"}
	d.Cognito.Groups = []string{"staff", "acme:owner", "acme:admin", "acme:viewer", poolID + "_Google", "admin"}
	report, text := d.examine(t)
	for group, want := range map[string]string{
		"staff":            "role editor, author",
		"acme:owner":       "role tenant_owner, in the tenant acme",
		"acme:viewer":      "role viewer, in the tenant acme",
		"acme:admin":       "no role: only an entry of ROLES gives the role admin, in the tenant acme",
		poolID + "_Google": "no role: Cognito made the group for an identity provider",
		"admin":            "no role: only an entry of ROLES gives the role admin",
	} {
		if got := report.of("group " + group); len(got) != 1 || got[0].Verdict != OK || got[0].Found != want {
			t.Errorf("%s: %+v, want %q\n%s", group, got, want, text)
		}
	}
	d = healthy()
	d.env[claims]["TENANT_GROUPS"] = "{tenant}:{role}"
	for i := range shownGroups + 1 {
		d.Cognito.Groups = append(d.Cognito.Groups, fmt.Sprint("g", i))
	}
	d.Cognito.Groups = append(d.Cognito.Groups, "x:y:z")
	report, text = d.examine(t)
	if got := report.of("groups"); len(got) != 1 || !strings.Contains(got[0].Found, "the pool has 105, of which the first 100") || len(report.of("group g99")) != 0 || len(report.of("group x:y:z")) != 1 {
		t.Errorf("many groups: %+v\n%s", got, text)
	}
}

func TestPrint(t *testing.T) {
	var r Report
	r.ok("pool", "people")
	r.add("secret", Fail, "empty", "fill it")
	var plain, colored bytes.Buffer
	r.Print(&plain, false)
	r.Print(&colored, true)
	if got := plain.String(); !strings.Contains(got, "FAIL     secret") || !strings.Contains(got, "hint: fill it") || strings.Contains(got, "\x1b") {
		t.Errorf("the table is\n%s", got)
	}
	if !strings.Contains(colored.String(), "\x1b[31mFAIL") {
		t.Errorf("in color it is\n%q", &colored)
	}
}
