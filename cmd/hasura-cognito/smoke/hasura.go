package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"

	"github.com/Khan/genqlient/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// A hasuraAPI is the Hasura of the deployment.
type hasuraAPI struct {
	endpoint settings.Endpoint
	secret   secrets.Secret
	http     *http.Client

	rows, remove string // root fields: the query of many rows, and the mutation that deletes rows
}

// findHasura checks that Hasura can be reached and that admin can read and delete rows, before anything is made.
func (s *smoke) findHasura(ctx context.Context) bool {
	const check = "Hasura"
	h := s.hasura
	if s.Domain != "" {
		var err error
		if h.endpoint, err = settings.NewEndpoint(s.Domain, ""); err != nil {
			s.add(check, doctor.Fail, err.Error(), "correct --hasura")
			return false
		}
	}
	h.http = hasura.HTTPClient(h.endpoint)
	if code := h.introspect(ctx); code != "" {
		s.add(check, doctor.Fail, code, "run this inside the VPC, or through a tunnel with --hasura http://127.0.0.1:8080. "+runDoctor)
		return false
	}
	if h.rows == "" || h.remove == "" {
		s.add(check, doctor.Fail, "admin cannot read and delete rows of the users table", "apply the migrations and the metadata of graphql/hasura: docs/hasura.md")
		return false
	}
	s.result.Hasura = h.version(ctx)
	s.ok(check, s.result.Hasura)
	return true
}

// A field is a root field in an introspection.
type field struct {
	Name string
	Args []struct {
		Name string
		Type struct{ OfType *struct{ Name string } }
	}
	Type struct {
		OfType *struct {
			OfType *struct{ OfType *struct{ Name string } }
		}
	}
}

// introspect finds the root fields of the users table by their types, because a project can give them other names. It returns
// why Hasura does not answer.
func (h *hasuraAPI) introspect(ctx context.Context) (code string) {
	document, err := parser.ParseQuery(&ast.Source{Input: hasura.Upsert})
	if err != nil {
		panic(err) // genqlient has read the same text
	}
	insert := document.Operations[0].VariableDefinitions.ForName("user").Type.Name()
	row := strings.TrimSuffix(strings.TrimSuffix(insert, "_insert_input"), "InsertInput")
	condition := strings.NewReplacer("_insert_input", "_bool_exp", "InsertInput", "BoolExp").Replace(insert)
	var schema struct {
		Schema struct{ QueryType, MutationType struct{ Fields []field } } `json:"__schema"`
	}
	code = h.query(ctx, h.asAdmin(), `{ __schema {
  queryType { fields { name args { name type { ofType { name } } } type { ofType { ofType { ofType { name } } } } } }
  mutationType { fields { name args { name type { ofType { name } } } } }
} }`, &schema)
	for _, f := range schema.Schema.QueryType.Fields {
		list := f.Type.OfType != nil && f.Type.OfType.OfType != nil && f.Type.OfType.OfType.OfType != nil && f.Type.OfType.OfType.OfType.Name == row
		if list && f.has("where") && f.has("limit") && !f.has("args") { // a function of the database has args
			h.rows = f.Name
		}
	}
	for _, f := range schema.Schema.MutationType.Fields {
		if len(f.Args) == 1 && f.Args[0].Type.OfType != nil && f.Args[0].Type.OfType.Name == condition {
			h.remove = f.Name
		}
	}
	return code
}

func (f field) has(argument string) bool {
	for _, a := range f.Args {
		if a.Name == argument {
			return true
		}
	}
	return false
}

// version returns Hasura's version. Cloud and DDN may not serve it.
func (h *hasuraAPI) version(ctx context.Context) string {
	const unknown = "of unknown version"
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(h.endpoint.Health(), "/healthz")+"/v1/version", nil)
	if err != nil {
		return unknown
	}
	response, err := doer{h, nil}.Do(r)
	if err != nil {
		return unknown
	}
	defer response.Body.Close()
	var answer struct {
		Version string
		Type    string `json:"server_type"`
	}
	if json.NewDecoder(response.Body).Decode(&answer) != nil || answer.Version == "" {
		return unknown
	}
	return strings.TrimSpace(logs.Code(answer.Version) + " " + answer.Type)
}

func (h *hasuraAPI) asAdmin() http.Header {
	return http.Header{"X-Hasura-Admin-Secret": {h.secret.Reveal()}}
}

func asOwner(token string) http.Header { return http.Header{"Authorization": {"Bearer " + token}} }

// query sends a GraphQL query. It returns "", Hasura's code, or why there is none. Other texts of Hasura can quote the token.
func (h *hasuraAPI) query(ctx context.Context, header http.Header, query string, data any) (code string) {
	err := graphql.NewClient(h.endpoint.URL.String(), doer{h, header}).MakeRequest(ctx, &graphql.Request{Query: query}, &graphql.Response{Data: data})
	if err == nil {
		return ""
	}
	var status *graphql.HTTPError
	var list gqlerror.List
	if errors.As(err, &status) {
		list = status.Response.Errors // with one error for a body that is not GraphQL
	} else {
		errors.As(err, &list)
	}
	if len(list) > 0 {
		code, _ = list[0].Extensions["code"].(string)
	}
	switch {
	case code != "" || status == nil && len(list) > 0:
		return logs.Code(code, h.secret.Reveal())
	case status != nil:
		return fmt.Sprintf("Hasura answers status %d", status.StatusCode)
	case ctx.Err() != nil:
		return "interrupted"
	}
	return "Hasura does not answer"
}

// condition is the boolean expression for the user's row. The kind of the key is UUID or Text, so GraphQL takes a text for it.
func condition(column, value string) string {
	quoted, _ := json.Marshal(value) // a text can always be encoded
	return fmt.Sprintf("{%s: {_eq: %s}}", column, quoted)
}

// A doer sends the requests of the GraphQL client with headers.
type doer struct {
	*hasuraAPI
	header http.Header
}

func (d doer) Do(r *http.Request) (*http.Response, error) {
	r.Host = d.endpoint.Host
	maps.Copy(r.Header, d.header)
	return d.http.Do(r)
}
