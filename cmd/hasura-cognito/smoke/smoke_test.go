package smoke

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/awstest"
	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/graphql"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/lambda"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

var built string // folder with the functions

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "smoke")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		built = dir
		for _, name := range functions.All() {
			if err := stack.Build("../../..", "functions/"+name, filepath.Join(dir, name, "bootstrap")); err != nil {
				panic(err)
			}
		}
		return m.Run()
	}())
}

type object = awstest.Object

const secret = "canary-77ab"

// A deployment is the local stack, and an AWS account with the pool and the functions.
type deployment struct {
	*awstest.Account
	config  stack.Config
	stack   *stack.Stack
	options Options
	ctx     context.Context
	cancel  context.CancelFunc
	invoke  func(ctx context.Context, arn string, event []byte) (lambda.Result, error)
	after   func() // runs between the start of the stack and the run
}

func healthy(t *testing.T) *deployment {
	d := &deployment{
		Account: &awstest.Account{Cognito: &cognitoidp.Server{
			Pool: object{
				"Id": stack.PoolID, "Name": "people", "MfaConfiguration": "OPTIONAL",
				"LambdaConfig": object{
					"PreTokenGenerationConfig": object{"LambdaArn": arn(functions.Claims), "LambdaVersion": "V2_0"},
					"PostConfirmation":         arn(functions.Sync), "PostAuthentication": arn(functions.Sync),
				},
			},
			Clients: []object{{"ClientId": "web", "ExplicitAuthFlows": []any{"ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}}},
		}},
		config:  stack.Config{Functions: built, Project: os.DirFS("../../../graphql"), AdminSecret: secret, Env: map[string]map[string]string{}},
		options: Options{Pool: stack.PoolID, Client: "web", Wait: time.Minute},
	}
	d.ctx, d.cancel = context.WithCancel(t.Context())
	return d
}

func arn(function string) string { return lambda.Function{Name: function}.ARN() }

func (d *deployment) triggers() object { return d.Cognito.Pool["LambdaConfig"].(object) }

// run starts the deployment, runs smoke, and fails if the result holds a secret.
func (d *deployment) run(t *testing.T) Result {
	t.Helper()
	var err error
	if d.stack, err = stack.Start(t.Context(), d.config); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.stack.Close(); err != nil {
			t.Error(err)
		}
	})
	d.Secrets, d.Functions = d.stack.Secrets, map[string]object{}
	for _, name := range functions.All() {
		f := d.stack.Function(name)
		d.Functions[f.ARN()] = object{"FunctionName": name, "Environment": object{"Variables": f.Env}}
	}
	d.Cognito.Tokens, d.Cognito.Invoke = d.stack.Pool, d.stack.Lambda.Invoke
	if d.invoke != nil {
		d.Cognito.Invoke = d.invoke
	}
	if d.after != nil {
		d.after()
	}
	d.Start(t)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"))
	if err != nil {
		t.Fatal(err)
	}
	result := Run(d.ctx, cfg, d.options)
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"a token": "eyJ", "the password": "-aA1!", "a secret": secret} {
		if strings.Contains(string(data), text) {
			t.Errorf("%s is in the result:\n%s", what, data)
		}
	}
	return result
}

// rows returns the rows of the table.
func (d *deployment) rows(t *testing.T) []stack.Row {
	t.Helper()
	if err := d.stack.Hasura.Set(stack.Fault{}); err != nil {
		t.Fatal(err)
	}
	rows, err := d.stack.Users(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

var all = []string{"pool", "app client", "claims function", "sync function", "Hasura", "user", "sign-in", "row",
	"ID token", "ID token: Hasura", "access token", "access token: Hasura", "refresh",
	"refreshed ID token", "refreshed ID token: Hasura", "refreshed access token", "refreshed access token: Hasura",
	"clean-up: user", "clean-up: row"}

func TestHealthyDeployment(t *testing.T) {
	json := func(d *deployment) {
		d.config.Env[functions.Claims] = map[string]string{"CLAIMS_FORMAT": "json", "CLAIMS_NAMESPACE": "claims.jwt.hasura.io", "USER_ID": "preferred_username"}
		d.config.JWT = jwt.Config{Format: jwt.FormatJSON, Namespace: "claims.jwt.hasura.io"}
	}
	rows := []struct {
		name   string
		change func(*deployment)
		warns  []string
		calls  string // the last operation of a sign-in or a refresh
	}{
		{"V2_0", func(*deployment) {}, nil, "InitiateAuth"},
		{"V3_0, another namespace and format", func(d *deployment) {
			d.triggers()["PreTokenGenerationConfig"].(object)["LambdaVersion"] = "V3_0"
			json(d)
		}, nil, "InitiateAuth"},
		{"V1_0", func(d *deployment) {
			d.triggers()["PreTokenGenerationConfig"].(object)["LambdaVersion"] = "V1_0"
		}, []string{"access token", "refreshed access token"}, "InitiateAuth"},
		{"users sign in with their e-mail address", func(d *deployment) {
			d.Cognito.Pool["UsernameAttributes"] = []any{"email", "phone_number"}
			d.Cognito.Pool["Policies"] = object{"PasswordPolicy": object{"MinimumLength": 99}}
		}, nil, "InitiateAuth"},
		{"users sign in with their telephone number", func(d *deployment) {
			d.Cognito.Pool["UsernameAttributes"] = []any{"phone_number"}
		}, nil, "InitiateAuth"},
		{"required attributes", func(d *deployment) {
			required := []any{object{"Name": "sub", "Required": true}}
			for _, name := range []string{"address", "birthdate", "email", "gender", "locale", "name", "phone_number", "picture", "updated_at", "zoneinfo"} {
				required = append(required, object{"Name": name, "Required": true, "AttributeDataType": "String",
					"StringAttributeConstraints": object{"MinLength": "10", "MaxLength": "2048"}})
			}
			d.Cognito.Pool["SchemaAttributes"] = append(required, object{"Name": "custom:n", "AttributeDataType": "Number"})
		}, nil, "InitiateAuth"},
		{"an app client with a secret", func(d *deployment) { d.Cognito.Clients[0]["ClientSecret"] = secret }, nil, "InitiateAuth"},
		{"an app client with a secret that Cognito does not show", func(d *deployment) {
			d.Cognito.Clients[0]["ClientSecret"], d.options.ClientSecret = secret, secret
		}, nil, "InitiateAuth"},
		{"an app client for administrators with rotation", func(d *deployment) {
			d.Cognito.Clients[0] = object{"ClientId": "web", "ClientSecret": secret, "ExplicitAuthFlows": []any{"ALLOW_ADMIN_USER_PASSWORD_AUTH"}, "RefreshTokenRotation": object{"Feature": "ENABLED"}}
		}, nil, "GetTokensFromRefreshToken"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := healthy(t)
			row.change(d)
			result := d.run(t)
			var checks []string
			for _, c := range result.Checks {
				checks = append(checks, c.Check)
				if want := map[bool]doctor.Verdict{true: doctor.Warn, false: doctor.OK}[slices.Contains(row.warns, c.Check)]; c.Verdict != want {
					t.Errorf("%s: got %s, want %s: %s", c.Check, c.Verdict, want, c.Found)
				}
			}
			want := slices.DeleteFunc(slices.Clone(all), func(c string) bool {
				warned, ok := strings.CutSuffix(c, ": Hasura")
				return ok && slices.Contains(row.warns, warned)
			})
			if !slices.Equal(checks, want) {
				t.Errorf("got the checks %q, want %q", checks, want)
			}
			if n := len(d.Cognito.Users.All()) + len(d.rows(t)) + len(result.Left); n > 0 {
				t.Errorf("users, rows and reported leftovers: got %d, want none", n)
			}
			if calls := d.Cognito.Calls(); calls[len(calls)-2] != row.calls {
				t.Errorf("got the operations %q, want the refresh to be %s", calls, row.calls)
			}
			if result.Hasura != "v2.48.0-local ce" || result.TriggerVersion == "" {
				t.Errorf("got Hasura %q and the trigger version %q", result.Hasura, result.TriggerVersion)
			}
		})
	}
}

// during runs a function before an operation.
func (d *deployment) during(operation string, do func() string) {
	d.Cognito.Intercept = func(o string) string {
		if o == operation {
			return do()
		}
		return ""
	}
}

func (d *deployment) fails(operation, exception string) {
	d.during(operation, func() string { return exception })
}

func TestWhatIsWrongIsFound(t *testing.T) {
	if users.Description.KindOf("status") == "" || graphql.Users.Select != "users" {
		t.Skip("these faults are made in the shipped table")
	}
	rows := []struct {
		name        string
		change      func(*testing.T, *deployment)
		check       string
		verdict     doctor.Verdict
		found, hint string
		users, rows int // that are left
		left        string
	}{
		{"no pool", func(_ *testing.T, d *deployment) { d.options.Pool = "us-east-1_Other" },
			"pool", doctor.Fail, "ResourceNotFoundException", "cognito-idp:DescribeUserPool", 0, 0, ""},
		{"no app client", func(_ *testing.T, d *deployment) { d.options.Client = "other" },
			"app client", doctor.Fail, "ResourceNotFoundException", "--client-id", 0, 0, ""},
		{"an app client without passwords", func(_ *testing.T, d *deployment) {
			d.Cognito.Clients[0]["ExplicitAuthFlows"] = []any{"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
		}, "app client", doctor.Fail, "with a password", "ALLOW_USER_PASSWORD_AUTH", 0, 0, ""},
		{"no triggers", func(_ *testing.T, d *deployment) { d.Cognito.Pool["LambdaConfig"] = object{} },
			"claims function", doctor.Fail, "not on the pool's triggers", "attach", 0, 0, ""},
		{"no post authentication", func(_ *testing.T, d *deployment) { delete(d.triggers(), "PostAuthentication") },
			"sync function", doctor.Fail, "not on the pool's triggers", "attach", 0, 0, ""},
		{"no right to see the functions", func(_ *testing.T, d *deployment) { d.Denied = []string{"GetFunctionConfiguration"} },
			"claims function", doctor.Fail, "AccessDeniedException", "lambda:GetFunctionConfiguration", 0, 0, ""},
		{"an invalid setting", func(_ *testing.T, d *deployment) {
			d.config.Env[functions.Claims] = map[string]string{"CLAIMS_FORMAT": "xml"}
		}, "settings", doctor.Fail, "1 settings", "doctor", 0, 0, ""},
		{"no secret", func(t *testing.T, d *deployment) {
			d.config.Env[functions.Sync] = map[string]string{"SECRETS_ARN": "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-AbCdEf"}
		}, "secret", doctor.Fail, "ResourceNotFoundException", "secretsmanager:GetSecretValue", 0, 0, ""},
		{"Hasura cannot be reached", func(_ *testing.T, d *deployment) { d.options.Domain = "http://127.0.0.1:9" },
			"Hasura", doctor.Fail, "does not answer", "--hasura", 0, 0, ""},
		{"an invalid address", func(_ *testing.T, d *deployment) { d.options.Domain = "ftp://x" },
			"Hasura", doctor.Fail, "GRAPHQL_DOMAIN", "--hasura", 0, 0, ""},
		{"a server that is not Hasura", func(t *testing.T, d *deployment) {
			d.after = func() { set(t, d, stack.Status(404, "not found")) }
		}, "Hasura", doctor.Fail, "status 404", "--hasura", 0, 0, ""},

		{"no right to create users", func(_ *testing.T, d *deployment) { d.fails("AdminCreateUser", "AccessDeniedException") },
			"user", doctor.Fail, "AccessDeniedException", "cognito-idp:AdminCreateUser", 0, 0, ""},
		{"no right to set passwords", func(_ *testing.T, d *deployment) { d.fails("AdminSetUserPassword", "AccessDeniedException") },
			"user", doctor.Fail, "AccessDeniedException", "cognito-idp:AdminSetUserPassword", 0, 0, ""},
		{"the number belongs to another user", func(_ *testing.T, d *deployment) {
			d.Cognito.Pool["UsernameAttributes"] = []any{"phone_number"}
			d.fails("AdminCreateUser", "UsernameExistsException")
		}, "user", doctor.Fail, "UsernameExistsException", "again", 0, 0, ""},
		{"MFA", func(_ *testing.T, d *deployment) { d.Cognito.Pool["MfaConfiguration"] = "ON" },
			"sign-in", doctor.Fail, "Cognito asks for MFA_SETUP", "MFA", 0, 0, ""},
		{"a trigger that fails", func(_ *testing.T, d *deployment) {
			d.invoke = func(context.Context, string, []byte) (lambda.Result, error) {
				return lambda.Result{FunctionError: "Unhandled", Payload: []byte(`{"errorMessage":"` + secret + `"}`)}, nil
			}
		}, "sign-in", doctor.Fail, "UserLambdaValidationException", "log of the claims function", 0, 0, ""},
		{"a wrong secret of the app client", func(_ *testing.T, d *deployment) {
			d.Cognito.Clients[0]["ClientSecret"], d.options.ClientSecret = secret, "other"
		}, "sign-in", doctor.Fail, "NotAuthorizedException", "", 0, 0, ""},
		{"no refresh", func(_ *testing.T, d *deployment) {
			d.Cognito.Clients[0]["ExplicitAuthFlows"] = []any{"ALLOW_USER_PASSWORD_AUTH"}
		}, "refresh", doctor.Fail, "InvalidParameterException", "ALLOW_REFRESH_TOKEN_AUTH", 0, 0, ""},

		{"a sync that is not run", noSync, "row", doctor.Fail, "there is none after 0s", "parked", 0, 0, ""},
		{"a sync that is not run: the token", noSync, "ID token: Hasura", doctor.Warn, "there is no row to see", "check row", 0, 0, ""},
		{"a sync that is not run: the clean-up", noSync, "clean-up: row", doctor.Warn, "there is none to delete", "parked", 0, 0, ""},
		{"a row that a trigger of the database changes", func(t *testing.T, d *deployment) {
			d.after = func() {
				const change = `CREATE TRIGGER hide AFTER INSERT ON users BEGIN UPDATE users SET email = 'hidden' WHERE id = NEW.id; END`
				if _, err := d.stack.Database.SQL.ExecContext(t.Context(), change); err != nil {
					t.Fatal(err)
				}
			}
		}, "row", doctor.Fail, "it differs from the user in email", "attributes dropped", 0, 0, ""},
		{"an event without an attribute", func(_ *testing.T, d *deployment) {
			d.invoke = func(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
				return d.stack.Lambda.Invoke(ctx, arn, []byte(strings.Replace(string(event), `"cognito:user_status"`, `"x"`, 1)))
			}
		}, "row", doctor.Warn, "it has no status", "the event may have lacked the attribute", 0, 0, ""},

		{"Hasura reads another format", func(_ *testing.T, d *deployment) {
			d.config.Env[functions.Claims] = map[string]string{"CLAIMS_FORMAT": "json"}
		}, "ID token: Hasura", doctor.Fail, "jwt-invalid-claims", "docs/troubleshooting.md", 0, 0, ""},
		{"no claims", func(_ *testing.T, d *deployment) {
			d.invoke = func(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
				return lambda.Result{Payload: event}, nil
			}
			d.options.Wait = 0
		}, "ID token", doctor.Fail, "it has no claim https://hasura.io/jwt/claims", "docs/jwt.md", 0, 0, ""},
		{"claims of another user", func(_ *testing.T, d *deployment) {
			d.invoke = func(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
				return d.stack.Lambda.Invoke(ctx, arn, []byte(strings.Replace(string(event), `"sub":"`, `"sub":"f`, 1)))
			}
			d.options.Wait = 0
		}, "ID token", doctor.Fail, "x-hasura-user-id is not the user's id", "claims function", 0, 0, ""},
		{"a default role without permission", func(t *testing.T, d *deployment) {
			d.config.Project = permissions(t, "role: user\n", "role: others\n")
		}, "access token: Hasura", doctor.Warn, "may not read the users table", "allow list", 0, 0, ""},
		{"a user who sees no row", func(t *testing.T, d *deployment) {
			d.config.Project = permissions(t, "_eq: X-Hasura-User-Id", "_eq: 5d20c8f4-0000-4000-8000-000000000000")
		}, "ID token: Hasura", doctor.Fail, "does not see the row", "X-Hasura-User-Id", 0, 0, ""},
		{"a user who sees other rows", func(t *testing.T, d *deployment) {
			d.config.Project = permissions(t, "\n        id:\n          _eq: X-Hasura-User-Id", " {}")
			d.after = func() {
				const other = `INSERT INTO users (id) VALUES ('5d20c8f4-0000-4000-8000-000000000000')`
				if _, err := d.stack.Database.SQL.ExecContext(t.Context(), other); err != nil {
					t.Fatal(err)
				}
			}
		}, "ID token: Hasura", doctor.Warn, "rows of other users", "X-Hasura-User-Id", 0, 1, ""},

		{"the user cannot be deleted", func(_ *testing.T, d *deployment) { d.fails("AdminDeleteUser", "AccessDeniedException") },
			"clean-up: user", doctor.Fail, "AccessDeniedException", "admin-delete-user --region us-east-1 --user-pool-id " + stack.PoolID, 1, 0, "the user smoke-"},
		{"the row cannot be deleted", func(t *testing.T, d *deployment) {
			d.during("AdminDeleteUser", func() string { set(t, d, stack.Refuse); return "" })
		}, "clean-up: row", doctor.Fail, "does not answer", "delete the row ", 0, 1, "the row "},
		{"Ctrl-C at the sign-in", func(_ *testing.T, d *deployment) {
			d.during("InitiateAuth", func() string { d.cancel(); return "InternalErrorException" })
		}, "sign-in", doctor.Fail, "interrupted", "", 0, 0, ""},
		{"Ctrl-C after the sync", func(_ *testing.T, d *deployment) {
			d.invoke = func(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
				defer d.cancel()
				return d.stack.Lambda.Invoke(context.WithoutCancel(ctx), arn, event)
			}
		}, "clean-up: row", doctor.OK, "deleted", "", 0, 0, ""},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := healthy(t)
			row.change(t, d)
			result := d.run(t)
			i := slices.IndexFunc(result.Checks, func(c doctor.Row) bool { return c.Check == row.check })
			if i < 0 {
				t.Fatalf("there is no check %s: %+v", row.check, result.Checks)
			}
			if c := result.Checks[i]; c.Verdict != row.verdict || !strings.Contains(c.Found, row.found) || !strings.Contains(c.Hint, row.hint) {
				t.Errorf("got %+v, want %s with %q and the hint %q", c, row.verdict, row.found, row.hint)
			}
			if users, rows := len(d.Cognito.Users.All()), len(d.rows(t)); users != row.users || rows != row.rows {
				t.Errorf("got %d users and %d rows, want %d and %d\n%+v", users, rows, row.users, row.rows, result.Checks)
			}
			if left := strings.Join(result.Left, ""); (left == "") != (row.left == "") || !strings.HasPrefix(left, row.left) {
				t.Errorf("got the leftovers %q, want %q", left, row.left)
			}
		})
	}
}

// There are a hundred reserved telephone numbers. The user of another one must stay, whatever Cognito's error is.
func TestOtherUsersStay(t *testing.T) {
	for exception, left := range map[string]string{"UsernameExistsException": "", "AccessDeniedException": "", "UserLambdaValidationException": "",
		"TooManyRequestsException": "", "InternalErrorException": "perhaps the user +120255501"} {
		d := healthy(t)
		d.Cognito.Pool["UsernameAttributes"] = []any{"phone_number"}
		d.Cognito.Users = new(cognitoidp.Users)
		for n := range 100 {
			d.Cognito.Users.Put(cognitoidp.User{Username: fmt.Sprintf("user-%d", n), Status: cognitoidp.Confirmed, Enabled: true, Attributes: map[string]string{
				"sub": fmt.Sprintf("00000000-0000-7000-8000-%012d", n), "phone_number": fmt.Sprintf("+120255501%02d", n)}})
		}
		d.fails("AdminCreateUser", exception)
		result := d.run(t)
		if n := len(d.Cognito.Users.All()); n != 100 || !strings.HasPrefix(strings.Join(result.Left, ""), left) || len(result.Left) != min(1, len(left)) {
			t.Errorf("%s: %d of 100 users are left, leftovers %q, want %q", exception, n, result.Left, left)
		}
	}
}

// noSync lets Cognito call every function but the sync function.
func noSync(_ *testing.T, d *deployment) {
	d.options.Wait = 0
	d.invoke = func(ctx context.Context, arn string, event []byte) (lambda.Result, error) {
		if strings.Contains(arn, functions.Sync) {
			return lambda.Result{Payload: event}, nil
		}
		return d.stack.Lambda.Invoke(ctx, arn, event)
	}
}

func set(t *testing.T, d *deployment, fault stack.Fault) {
	t.Helper()
	if err := d.stack.Hasura.Set(fault); err != nil {
		t.Error(err)
	}
}

// permissions returns the Hasura project with other select permissions.
func permissions(t *testing.T, old, changed string) fs.FS {
	t.Helper()
	const metadata = "hasura/metadata/databases/default/tables/public_users.yaml"
	files := fstest.MapFS{}
	project := os.DirFS("../../../graphql")
	err := fs.WalkDir(project, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(project, name)
		if name == metadata {
			text := string(data)
			at := strings.Index(text, "role: user\n")
			at = strings.LastIndex(text[:at+1], "select_permissions")
			if at < 0 || !strings.Contains(text[at:], old) {
				t.Fatalf("the select permissions have no %q", old)
			}
			data = []byte(text[:at] + strings.ReplaceAll(text[at:], old, changed))
		}
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
