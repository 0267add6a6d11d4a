package doctor

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/pkg/hasura"
	"github.com/phenom-earth/hasura-cognito/pkg/secrets"
	"github.com/phenom-earth/hasura-cognito/pkg/settings"
)

// everything is the introspection query for a whole schema. Hasura's types are at most three deep, such as [users!]!.
const everything = `{
  __schema {
    queryType { name }  mutationType { name }  subscriptionType { name }
    types {
      kind name description
      fields { name description args { ...input } type { ...type } }
      inputFields { ...input }
      enumValues { name description }
      interfaces { name }
      possibleTypes { name }
    }
    directives { name description locations args { ...input } }
  }
}
fragment input on __InputValue { name description defaultValue type { ...type } }
fragment type on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`

// A definition is a type, a field, an argument, an enum value or a directive.
type definition struct {
	Kind, Name, Description                                    string
	Fields, InputFields, EnumValues, Interfaces, PossibleTypes []definition
	Args                                                       []definition
	DefaultValue                                               *string
	Type                                                       typeRef
	Locations                                                  []string
}

type typeRef struct {
	Kind, Name string
	OfType     *typeRef
}

func (t typeRef) String() string {
	switch {
	case t.OfType == nil:
		return t.Name
	case t.Kind == "LIST":
		return "[" + t.OfType.String() + "]"
	}
	return t.OfType.String() + "!"
}

// sdl reads Hasura's schema as admin and returns it as text, with types in the order of their names.
func (c caller) sdl(ctx context.Context) (string, *problem) {
	var answer struct {
		Schema struct {
			QueryType, MutationType, SubscriptionType *definition
			Types, Directives                         []definition
		} `json:"__schema"`
	}
	if p := c.query(ctx, nil, everything, &answer); p != nil {
		return "", p
	}
	s := answer.Schema
	p := new(schemaPrinter)
	p.line("schema {")
	for _, root := range []struct {
		name string
		typ  *definition
	}{{"query", s.QueryType}, {"mutation", s.MutationType}, {"subscription", s.SubscriptionType}} {
		if root.typ != nil {
			p.line("  %s: %s", root.name, root.typ.Name)
		}
	}
	p.line("}")
	byName := func(a, b definition) int { return cmp.Compare(a.Name, b.Name) }
	slices.SortFunc(s.Directives, byName)
	for _, d := range s.Directives {
		if !slices.Contains([]string{"include", "skip", "deprecated", "specifiedBy", "defer", "oneOf"}, d.Name) {
			p.line("")
			p.describe("", d.Description)
			p.line("directive @%s%s on %s", d.Name, p.arguments("", d.Args), strings.Join(d.Locations, " | "))
		}
	}
	slices.SortFunc(s.Types, byName)
	for _, t := range s.Types {
		if !strings.HasPrefix(t.Name, "__") && !slices.Contains([]string{"Boolean", "Float", "ID", "Int", "String"}, t.Name) {
			p.line("")
			p.typ(t)
		}
	}
	return p.String(), nil
}

type schemaPrinter struct{ bytes.Buffer }

func (p *schemaPrinter) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

// describe prints a description: in one line if it is short, as Hasura's own tools do.
func (p *schemaPrinter) describe(indent, text string) {
	text = strings.ReplaceAll(text, `"""`, `\"""`)
	switch {
	case text == "":
	case len(text) < 70 && !strings.Contains(text, "\n") && !strings.HasSuffix(text, `"`) && !strings.HasSuffix(text, `\`):
		p.line(`%s"""%s"""`, indent, text)
	default:
		p.line(`%s"""`, indent)
		for line := range strings.SplitSeq(text, "\n") {
			p.line("%s%s", indent, line)
		}
		p.line(`%s"""`, indent)
	}
}

func (p *schemaPrinter) typ(t definition) {
	p.describe("", t.Description)
	names := func(list []definition, separator string) string {
		var names []string
		for _, d := range list {
			names = append(names, d.Name)
		}
		return strings.Join(names, separator)
	}
	switch t.Kind {
	case "SCALAR":
		p.line("scalar %s", t.Name)
	case "UNION":
		p.line("union %s = %s", t.Name, names(t.PossibleTypes, " | "))
	case "ENUM":
		p.line("enum %s {", t.Name)
		for _, v := range t.EnumValues {
			p.describe("  ", v.Description)
			p.line("  %s", v.Name)
		}
		p.line("}")
	default:
		keyword := map[string]string{"OBJECT": "type", "INTERFACE": "interface", "INPUT_OBJECT": "input"}[t.Kind]
		if len(t.Interfaces) > 0 {
			t.Name += " implements " + names(t.Interfaces, " & ")
		}
		p.line("%s %s {", keyword, t.Name)
		for _, f := range slices.Concat(t.Fields, t.InputFields) {
			p.describe("  ", f.Description)
			p.line("  %s", p.value(f, "  "))
		}
		p.line("}")
	}
}

// value returns a field or an argument with its type.
func (p *schemaPrinter) value(f definition, indent string) string {
	text := f.Name + p.arguments(indent, f.Args) + ": " + f.Type.String()
	if f.DefaultValue != nil {
		text += " = " + *f.DefaultValue
	}
	return text
}

// arguments returns them in one line if none has a description.
func (p *schemaPrinter) arguments(indent string, args []definition) string {
	if len(args) == 0 {
		return ""
	}
	inner := new(schemaPrinter)
	var short []string
	described := false
	for _, arg := range args {
		inner.describe(indent+"  ", arg.Description)
		inner.line("%s  %s", indent, p.value(arg, indent+"  "))
		short = append(short, p.value(arg, indent))
		described = described || arg.Description != ""
	}
	if !described {
		return "(" + strings.Join(short, ", ") + ")"
	}
	return "(\n" + inner.String() + indent + ")"
}

// A Table is the users table of one Hasura.
type Table struct {
	Endpoint settings.Endpoint
	Secret   secrets.Secret // the admin secret
	Role     string         // of the sync function; "" means admin
}

func (t Table) caller() caller {
	return caller{endpoint: t.Endpoint, http: hasura.HTTPClient(t.Endpoint), secret: t.Secret, role: t.Role}
}

// Check compares the table with what a sync writes.
func (t Table) Check(ctx context.Context) Report {
	d := &doctor{isTable: true}
	if c := t.caller(); d.health(ctx, c) {
		d.table(ctx, c)
	}
	return d.report
}

// Schema returns Hasura's schema as admin sees it. The error says what to do.
func (t Table) Schema(ctx context.Context) (string, error) {
	text, p := t.caller().sdl(ctx)
	if p != nil {
		return "", fmt.Errorf("%s: %s", p.found, p.hint)
	}
	return text, nil
}
