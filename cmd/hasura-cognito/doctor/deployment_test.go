package doctor

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/awstest"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

const (
	poolID       = "us-east-1_ExaMPle01"
	poolARN      = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/" + poolID
	prefix       = "arn:aws:lambda:us-east-1:123456789012:function:acme-"
	claims       = prefix + "hasura-cognito-trigger"
	syncFunction = prefix + "hasura-cognito-sync-users"
	replay       = prefix + "hasura-cognito-replay-syncs"

	reconcileFunction = prefix + "hasura-cognito-reconcile-users"
	followFunction    = prefix + "hasura-cognito-follow-users"

	parked  = "acme-hasura-cognito-parked-syncs"
	letters = parked + "-dead-letters"
	canary  = "canary-77ab"
)

type object = awstest.Object

// A deployment is all that doctor looks at.
type deployment struct {
	*awstest.Account
	env     map[string]map[string]string // of functions, by ARN
	gone    string                       // a function that does not exist
	state   string                       // of the functions; "" means Active
	hasura  hasura.Config
	schema  *strings.Replacer // changes schema.graphql
	proxy   func(http.Handler) http.Handler
	path    string // of GRAPHQL_DOMAIN
	secret  string
	missing bool // the secret does not exist
	options Options
	region  string
}

func healthy() *deployment {
	policy := `{"Statement":[{"Sid":"pool","Effect":"Allow","Principal":{"Service":"cognito-idp.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"` + poolARN + `"}}}]}`
	return &deployment{
		Account: &awstest.Account{
			Cognito: &cognitoidp.Server{
				Pool: object{
					"Id": poolID, "Name": "people", "Arn": poolARN,
					"SchemaAttributes": []any{object{"Name": "custom:org_id", "Mutable": true}, object{"Name": "custom:born", "Mutable": false}},
					"LambdaConfig": object{
						"PreTokenGenerationConfig": object{"LambdaArn": claims, "LambdaVersion": "V2_0"},
						"PostConfirmation":         syncFunction, "PostAuthentication": syncFunction,
					},
				},
				Groups: []string{"editor", poolID + "_Google", "org:admin"},
				Clients: []object{
					{"ClientId": "web", "ClientSecret": canary, "WriteAttributes": []any{"email", "name"}},
					{"ClientId": "phone", "WriteAttributes": []any{"email"}},
				},
			},
			Policies: map[string]string{claims: policy, syncFunction: policy},
			Sources:  map[string]object{replay: {"UUID": "0", "State": "Enabled", "EventSourceArn": "arn:aws:sqs:us-east-1:123456789012:" + parked}},
			Queues: map[string]object{
				parked:  {"ApproximateNumberOfMessages": "0", "RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:123456789012:` + letters + `","maxReceiveCount":100}`},
				letters: {"ApproximateNumberOfMessages": "0"},
			},
		},
		env: map[string]map[string]string{
			claims:       {"SESSION_VARIABLES": "x-hasura-org-id=custom:org_id"},
			syncFunction: {"HASURA_ROLE": "cognito_sync", "SYNC_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/123456789012/" + parked},
			replay:       {},
		},
		hasura:  hasura.Config{AdminSecret: canary, JWT: &jwt.Config{Issuer: "https://cognito-idp.us-east-1.amazonaws.com/" + poolID, Format: jwt.FormatStringJSON}},
		secret:  `{"HASURA_ADMIN_SECRET":"` + canary + `"}`,
		options: Options{Pool: poolID},
		region:  "us-east-1",
	}
}

func (d *deployment) triggers() object { return d.Cognito.Pool["LambdaConfig"].(object) }

// All tests share these: to make them takes most of the time of a test.
var (
	project  = os.DirFS("../../../graphql")
	database = sync.OnceValues(func() (*hasura.Database, error) { return hasura.Open(context.Background(), project, "") })
	pool     = sync.OnceValues(func() (*userpool.Pool, error) { return userpool.New(poolID) })
)

// examine serves a deployment and returns doctor's report of it.
func (d *deployment) examine(t *testing.T) (Report, string) {
	t.Helper()
	serve := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	database, err := database()
	if err != nil {
		t.Fatal(err)
	}
	project := project
	if d.schema != nil {
		project = changed(t, project, d.schema)
	}
	d.hasura.Project, d.hasura.Database = project, database
	if c := d.hasura.JWT; c != nil {
		pool, err := pool()
		if err != nil {
			t.Fatal(err)
		}
		c.JWKURL = serve(pool) + "/" + poolID + "/.well-known/jwks.json"
		now := time.Now().Unix()
		id, _, err := pool.Sign(userpool.Tokens{ID: userpool.Claims{
			"iss": pool.Issuer, "iat": now, "exp": now + 3600,
			"https://hasura.io/jwt/claims": `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user"}`,
		}})
		if err != nil {
			t.Fatal(err)
		}
		if d.options.Token == "of the pool" {
			d.options.Token = id
		}
	}
	engine, err := hasura.New(d.hasura)
	if err != nil {
		t.Fatal(err)
	}
	front := http.Handler(engine)
	if d.proxy != nil {
		front = d.proxy(front)
	}
	manager := new(secretsmanager.Server)
	arn := manager.Put("app", d.secret)
	if d.missing {
		arn = strings.Replace(arn, ":app-", ":gone-", 1)
	}
	d.Secrets = manager
	for name, value := range map[string]string{"GRAPHQL_DOMAIN": serve(front) + d.path, "SECRETS_ARN": arn} {
		for _, function := range []string{syncFunction, replay, reconcileFunction, followFunction} {
			if env := d.env[function]; env != nil && env[name] == "" {
				env[name] = value
			}
		}
	}
	d.Functions = map[string]object{}
	for arn, env := range d.env {
		d.Functions[arn] = object{"FunctionName": arn, "State": cmp.Or(d.state, "Active"), "Version": "7", "Environment": object{"Variables": env}}
	}
	delete(d.Functions, d.gone)
	d.Start(t)
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion(d.region))
	if err != nil {
		t.Fatal(err)
	}
	report := Run(t.Context(), cfg, d.options)
	var table bytes.Buffer
	report.Print(&table, false)
	data, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{canary, d.options.Token} {
		if secret != "" && strings.Contains(table.String()+string(data), secret) {
			t.Errorf("a secret is in the report:\n%s", &table)
		}
	}
	return report, table.String()
}

// changed returns a Hasura project with another schema.
func changed(t *testing.T, project fs.FS, schema *strings.Replacer) fs.FS {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(project, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(project, name)
		if name == "schema.graphql" {
			data = []byte(schema.Replace(string(data)))
		}
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// under serves Hasura under a path alone.
func under(path string) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler { return http.StripPrefix(path, h) }
}

// instead answers some requests itself.
func instead(path string, answer func(http.ResponseWriter, *http.Request)) func(http.Handler) http.Handler {
	return func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == path {
				answer(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
}

func (r Report) of(check string) (rows []Row) {
	for _, row := range r {
		if row.Check == check {
			rows = append(rows, row)
		}
	}
	return rows
}
