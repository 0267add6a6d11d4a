package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
	"github.com/phenom-earth/hasura-cognito/local/userpool"
)

const (
	poolID  = "us-east-1_ExaMPle01"
	poolARN = "arn:aws:cognito-idp:us-east-1:123456789012:userpool/" + poolID
	prefix  = "arn:aws:lambda:us-east-1:123456789012:function:acme-"
	shaper  = prefix + "hasura-cognito-trigger"
	syncer  = prefix + "hasura-cognito-sync-users"
	canary  = "canary-77ab"
)

type object = cognitoidp.Object

// A deployment is all that a doctor looks at.
type deployment struct {
	cognito    *cognitoidp.Server
	policies   map[string]string            // by function
	env        map[string]map[string]string // by function
	gone       map[string]bool              // functions that are not deployed
	hasura     hasura.Config
	secret     string
	unreadable bool // the secret is not there
	hasuraURL  string
	own        map[string]string // the command's environment
}

func healthy() *deployment {
	policy := `{"Statement":[{"Effect":"Allow","Principal":{"Service":"cognito-idp.amazonaws.com"},"Action":"lambda:InvokeFunction","Condition":{"ArnLike":{"AWS:SourceArn":"` + poolARN + `"}}}]}`
	return &deployment{
		cognito: &cognitoidp.Server{
			Pool: object{
				"Id": poolID, "Name": "people", "Arn": poolARN,
				"SchemaAttributes": []any{object{"Name": "custom:org_id", "Mutable": true}, object{"Name": "custom:born", "Mutable": false}},
				"LambdaConfig": object{
					"PreTokenGenerationConfig": object{"LambdaArn": shaper, "LambdaVersion": "V2_0"},
					"PostConfirmation":         syncer, "PostAuthentication": syncer,
				},
			},
			Clients: []object{
				{"ClientId": "web", "ClientSecret": canary, "WriteAttributes": []any{"email", "name"}},
				{"ClientId": "phone", "WriteAttributes": []any{"email"}},
			},
		},
		policies: map[string]string{shaper: policy, syncer: policy},
		env: map[string]map[string]string{
			shaper: {"SESSION_VARIABLES": "x-hasura-org-id=custom:org_id"},
			syncer: {"HASURA_ROLE": "cognito_sync"},
		},
		gone:   map[string]bool{},
		hasura: hasura.Config{AdminSecret: canary, JWT: &jwt.Config{Issuer: "https://cognito-idp.us-east-1.amazonaws.com/" + poolID, Format: jwt.FormatStringJSON}},
		secret: `{"HASURA_ADMIN_SECRET":"` + canary + `"}`,
		own:    map[string]string{},
	}
}

// examine serves a deployment and gives the doctor's report of it.
func (d *deployment) examine(t *testing.T) (rows report, text string, code int) {
	t.Helper()
	serve := func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	}
	database, err := hasura.Open(t.Context(), os.DirFS("../../../graphql"), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Close() })
	d.hasura.Project, d.hasura.Database = os.DirFS("../../../graphql"), database
	if c := d.hasura.JWT; c != nil {
		people, err := userpool.New(poolID)
		if err != nil {
			t.Fatal(err)
		}
		c.JWKURL = serve(people) + "/" + poolID + "/.well-known/jwks.json"
		now := time.Now().Unix()
		id, _, err := people.Sign(userpool.Tokens{ID: userpool.Claims{
			"iss": people.Issuer, "iat": now, "exp": now + 3600,
			"https://hasura.io/jwt/claims": `{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user"}`,
		}})
		if err != nil {
			t.Fatal(err)
		}
		if d.own["TOKEN"] != "" {
			d.own["TOKEN"] = id
		}
	}
	engine, err := hasura.New(d.hasura)
	if err != nil {
		t.Fatal(err)
	}
	manager := new(secretsmanager.Server)
	arn := manager.Put("app", d.secret)
	if d.unreadable {
		arn = strings.Replace(arn, ":app-", ":gone-", 1)
	}
	url := d.hasuraURL
	if url == "" {
		url = serve(engine)
	}
	for name, value := range map[string]string{"GRAPHQL_DOMAIN": url, "SECRETS_ARN": arn} {
		if _, ok := d.env[syncer][name]; !ok {
			d.env[syncer][name] = value
		}
	}
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": serve(d.cognito),
		"AWS_ENDPOINT_URL_LAMBDA":                    serve(http.HandlerFunc(d.lambda)),
		"AWS_ENDPOINT_URL_SECRETS_MANAGER":           serve(manager),
		"AWS_ACCESS_KEY_ID":                          "test",
		"AWS_SECRET_ACCESS_KEY":                      "test",
		"AWS_MAX_ATTEMPTS":                           "1",
	} {
		t.Setenv(name, value)
	}
	var table, stderr bytes.Buffer
	code = run(t.Context(), []string{"-pool", poolID, "-json"}, func(name string) string { return d.own[name] }, &table, &stderr)
	if err := json.Unmarshal(table.Bytes(), &rows); err != nil {
		t.Fatalf("%v: %s%s", err, &table, &stderr)
	}
	if strings.Contains(table.String()+stderr.String(), canary) {
		t.Errorf("a secret is in the report:\n%s", &table)
	}
	return rows, table.String(), code
}

// lambda is the part of Lambda's API that a doctor asks.
func (d *deployment) lambda(w http.ResponseWriter, r *http.Request) {
	part := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	name := part[2]
	w.Header().Set("Content-Type", "application/json")
	policy, ok := d.policies[name]
	switch {
	case d.gone[name] || part[3] == "policy" && !ok:
		w.Header().Set("X-Amzn-Errortype", "ResourceNotFoundException")
		w.WriteHeader(http.StatusNotFound)
		json.NewEncoder(w).Encode(object{"Message": "not found"})
	case part[3] == "policy":
		json.NewEncoder(w).Encode(object{"Policy": policy})
	default:
		json.NewEncoder(w).Encode(object{"FunctionName": name, "State": "Active", "Version": "7", "Environment": object{"Variables": d.env[name]}})
	}
}

func (r report) of(check string) (rows []row) {
	for _, row := range r {
		if row.Check == check {
			rows = append(rows, row)
		}
	}
	return rows
}

func TestHealthyDeployment(t *testing.T) {
	rows, text, code := healthy().examine(t)
	want := []string{"pool", "pre token generation", "trigger version", "post confirmation", "post authentication",
		"claims function: permission", "claims function", "claims settings", "session variables",
		"sync function: permission", "sync function", "sync settings", "secret", "Hasura", "table users",
		"Hasura's JWT settings", "Hasura takes a token"}
	var got []string
	for _, row := range rows {
		got = append(got, row.Check)
		if wanted := map[bool]verdict{true: unknown, false: good}[row.Check == "Hasura takes a token"]; row.Verdict != wanted {
			t.Errorf("%s is %s, want %s: %s", row.Check, row.Verdict, wanted, row.Found)
		}
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") || code != 0 {
		t.Errorf("exit code %d, rows %q, want %q\n%s", code, got, want, text)
	}
}

func TestWhatIsWrongIsFound(t *testing.T) {
	triggers := func(d *deployment) object { return d.cognito.Pool["LambdaConfig"].(object) }
	source := func(arn string) string {
		return strings.ReplaceAll(healthy().policies[syncer], poolARN, arn)
	}
	rows := []struct {
		name    string
		damage  func(*deployment)
		check   string
		verdict verdict
		found   string // in what was found
	}{
		{"the pool is not there", func(d *deployment) { d.cognito.Pool["Id"] = "other" }, "pool", bad, "ResourceNotFoundException"},
		{"no pre token generation", func(d *deployment) { delete(triggers(d), "PreTokenGenerationConfig") }, "pre token generation", bad, "no function"},
		{"another's pre token generation", func(d *deployment) {
			triggers(d)["PreTokenGenerationConfig"] = object{"LambdaArn": prefix + "x", "LambdaVersion": "V2_0"}
		}, "pre token generation", bad, "is not hasura-cognito-trigger"},
		{"V1_0", func(d *deployment) {
			triggers(d)["PreTokenGenerationConfig"] = object{"LambdaArn": shaper, "LambdaVersion": "V1_0"}
		}, "trigger version", doubt, "access tokens get no claims"},
		{"the older key alone is V1_0", func(d *deployment) {
			d.cognito.Pool["LambdaConfig"] = object{"PreTokenGeneration": shaper}
		}, "trigger version", doubt, "V1_0"},
		{"no post confirmation", func(d *deployment) { delete(triggers(d), "PostConfirmation") }, "post confirmation", bad, "no function"},
		{"no post authentication", func(d *deployment) { delete(triggers(d), "PostAuthentication") }, "post authentication", bad, "no function"},
		{"two syncs", func(d *deployment) { triggers(d)["PostConfirmation"] = prefix + "old-hasura-cognito-sync-users" }, "one sync", bad, "different functions"},
		{"nobody may call it", func(d *deployment) { delete(d.policies, shaper) }, "claims function: permission", bad, "nobody"},
		{"another pool may call it", func(d *deployment) { d.policies[syncer] = source(poolARN + "2") }, "sync function: permission", bad, "the pool may not"},
		{"every pool may call it", func(d *deployment) {
			d.policies[syncer] = `{"Statement":{"Effect":"Allow","Principal":{"Service":"cognito-idp.amazonaws.com"},"Action":["lambda:InvokeFunction"]}}`
		}, "sync function: permission", bad, "any user pool in any account"},
		{"the account's pools may call it", func(d *deployment) { d.policies[syncer] = source("arn:aws:cognito-idp:us-east-1:123456789012:*/*") }, "sync function: permission", doubt, "more pools"},
		{"it is forbidden to", func(d *deployment) {
			d.policies[syncer] = strings.Replace(d.policies[syncer], "Allow", "Deny", 1)
		}, "sync function: permission", bad, "forbids"},
		{"the function is gone", func(d *deployment) { d.gone[syncer] = true }, "sync function", bad, "ResourceNotFoundException"},
		{"an alias that serves old settings", func(d *deployment) {
			d.callByAlias()
			d.env[shaper+":live"] = map[string]string{"ROLES": "old=user"}
		}, "claims function: alias", doubt, "live serves version 7, whose code or settings are not"},
		{"an alias of a function that is gone", func(d *deployment) {
			d.callByAlias()
			d.gone[shaper] = true
		}, "claims function: alias", unknown, "ResourceNotFoundException"},
		{"a wrong claims setting", func(d *deployment) { d.env[shaper]["CLAIMS_FORMAT"] = "xml" }, "claims settings", bad, "CLAIMS_FORMAT"},
		{"json on V1_0", func(d *deployment) {
			d.env[shaper]["CLAIMS_FORMAT"] = "json"
			d.cognito.Pool["LambdaConfig"] = object{"PreTokenGeneration": shaper}
		}, "claims settings", bad, "V1_0 can only"},
		{"a client may write an attribute that is one", func(d *deployment) { d.cognito.Clients[1]["WriteAttributes"] = []any{"custom:org_id"} }, "session variables", bad, "app client phone people can write custom:org_id"},
		{"a client says not what it may write", func(d *deployment) { delete(d.cognito.Clients[0], "WriteAttributes") }, "session variables", bad, "app client web"},
		{"an attribute that is set at sign-up", func(d *deployment) {
			d.env[shaper]["SESSION_VARIABLES"] = "x-hasura-born=custom:born"
			d.cognito.Clients[0]["WriteAttributes"] = []any{"custom:born"}
		}, "session variables", bad, "choose at sign-up"},
		{"a wrong sync setting", func(d *deployment) { d.env[syncer]["GRAPHQL_DOMAIN"] = "ftp://x" }, "sync settings", bad, "GRAPHQL_DOMAIN"},
		{"a load balancer's own name", func(d *deployment) {
			d.env[syncer]["GRAPHQL_DOMAIN"] = "internal-x.us-east-1.elb.amazonaws.com"
			d.own["GRAPHQL_DOMAIN"] = "http://127.0.0.1:9"
		}, "sync settings", doubt, "without TLS"},
		{"no secret", func(d *deployment) { d.unreadable = true }, "secret", bad, "ResourceNotFoundException"},
		{"no key in the secret", func(d *deployment) { d.secret = `{"other":"x"}` }, "secret", bad, "has no key"},
		{"another admin secret", func(d *deployment) { d.hasura.AdminSecret = "rotated" }, "table users", bad, "access-denied"},
		{"Hasura is out of reach", func(d *deployment) { d.own["GRAPHQL_DOMAIN"] = "http://127.0.0.1:9" }, "Hasura", unknown, "cannot be reached from here"},
		{"a role that may not write", func(d *deployment) { d.env[syncer]["HASURA_ROLE"] = "user" }, "table users", bad, "the role user does not have insert_users_one"},
		{"Hasura takes no tokens", func(d *deployment) { d.hasura.JWT = nil }, "Hasura's JWT settings", bad, "takes no tokens"},
		{"Hasura reads another format", func(d *deployment) { d.hasura.JWT.Format = jwt.FormatJSON }, "Hasura's JWT settings", bad, "Hasura reads https://hasura.io/jwt/claims as json"},
		{"Hasura reads another claim", func(d *deployment) { d.env[shaper]["CLAIMS_NAMESPACE"] = "claims.jwt.hasura.io" }, "Hasura's JWT settings", bad, "tokens have claims.jwt.hasura.io"},
		{"Hasura's issuer is another pool", func(d *deployment) {
			d.own["TOKEN"], d.hasura.JWT.Issuer = "of the pool", "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_Other"
		}, "Hasura takes a token", bad, "invalid-jwt"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			d := healthy()
			row.damage(d)
			report, text, code := d.examine(t)
			got := report.of(row.check)
			if len(got) != 1 || got[0].Verdict != row.verdict || !strings.Contains(got[0].Found, row.found) || got[0].Hint == "" {
				t.Errorf("%s is %+v, want one %s with %q and a hint\n%s", row.check, got, row.verdict, row.found, text)
			}
			if (code != 0) != report.failed() {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

// callByAlias has the pool call the claims function by an alias.
func (d *deployment) callByAlias() {
	d.cognito.Pool["LambdaConfig"].(object)["PreTokenGenerationConfig"] = object{"LambdaArn": shaper + ":live", "LambdaVersion": "V2_0"}
	d.env[shaper+":live"] = d.env[shaper]
}

func TestAnAliasThatServesWhatWasDeployedLast(t *testing.T) {
	d := healthy()
	d.callByAlias()
	rows, text, code := d.examine(t)
	if got := rows.of("claims function: alias"); code != 0 || len(got) != 1 || got[0].Verdict != good {
		t.Errorf("exit code %d, %+v\n%s", code, got, text)
	}
}

func TestATokenOfThePoolProvesTheRest(t *testing.T) {
	d := healthy()
	d.own["TOKEN"] = "of the pool"
	rows, text, code := d.examine(t)
	if got := rows.of("Hasura takes a token"); code != 0 || len(got) != 1 || got[0].Verdict != good || strings.Contains(text, d.own["TOKEN"]) {
		t.Errorf("exit code %d, %+v\n%s", code, got, text)
	}
}

func TestWhoCanWriteWhat(t *testing.T) {
	d := healthy()
	d.env[shaper]["SESSION_VARIABLES"] = "x-hasura-born=custom:born,x-hasura-provider=identities,x-hasura-status=cognito:user_status"
	d.cognito.Pool["AdminCreateUserConfig"] = object{"AllowAdminCreateUserOnly": true}
	d.cognito.Clients[0]["WriteAttributes"] = []any{"custom:born"}
	rows, text, _ := d.examine(t)
	if got := rows.of("session variables"); len(got) != 1 || got[0].Verdict != good {
		t.Errorf("what administrators alone can set is %+v\n%s", got, text)
	}
}

func TestTable(t *testing.T) {
	var r report
	r.add("pool", good, "people", "nothing")
	r.add("secret", bad, "empty", "fill it")
	var out bytes.Buffer
	if err := r.print(&out, false); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); !strings.Contains(got, "FAIL     secret") || !strings.Contains(got, "hint: fill it") || strings.Contains(got, "nothing") {
		t.Errorf("the table is\n%s", got)
	}
	var stderr bytes.Buffer
	if code := run(t.Context(), nil, os.Getenv, &out, &stderr); code != 2 || !strings.Contains(stderr.String(), "USER_POOL_ID") {
		t.Errorf("without a pool, exit code %d: %s", code, &stderr)
	}
}
