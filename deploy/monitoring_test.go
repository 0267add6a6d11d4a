package deploy_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// logged returns the messages that the Go code in a folder logs, and whether it logs them as errors. fields are the names
// of attributes.
func logged(t *testing.T, folder string) (messages map[string]bool, fields []string) {
	t.Helper()
	atRoot(t)
	messages = map[string]bool{}
	method := regexp.MustCompile(`^(Info|Warn|Error)(Context)?$`)
	// A record with two members of one name is read in different ways by different tools.
	attributes := func(path string, texts []string) {
		for _, name := range []string{"message", "msg", "level", "time", "timestamp"} {
			if slices.Contains(texts, name) {
				t.Errorf("%s logs an attribute with the name %s, which the record itself has", path, name)
			}
		}
	}
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			var texts []string
			for _, arg := range call.Args {
				if literal, ok := arg.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					text, _ := strconv.Unquote(literal.Value)
					texts = append(texts, text)
				}
			}
			if method.MatchString(f.Sel.Name) && len(texts) > 0 {
				messages[texts[0]] = messages[texts[0]] || strings.HasPrefix(f.Sel.Name, "Error")
				texts = texts[1:]
				attributes(path, texts)
			}
			if pkg, ok := f.X.(*ast.Ident); f.Sel.Name == "With" || ok && pkg.Name == "slog" {
				attributes(path, texts)
			}
			fields = append(fields, texts...)
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages, fields
}

// An alarm on a message that the code does not log never goes into ALARM. An error that no alarm names is never noticed.
func TestAlarmsAndDashboardNameWhatTheCodeLogs(t *testing.T) {
	template := readTemplate(t)
	shared, sharedFields := logged(t, "pkg")
	messages := map[string]map[string]bool{} // by metric name
	for _, f := range template.filters(t) {
		own, fields := logged(t, filepath.Join("functions", functions[f.function]))
		messages[f.name] = maps.Clone(shared)
		maps.Copy(messages[f.name], own)
		for _, field := range []string{f.field, strings.TrimPrefix(f.value, "$.")} {
			if field != "message" && field != "1" && !slices.Contains(slices.Concat(fields, sharedFields), field) {
				t.Errorf("%s reads the field %s, which %s does not log", f.name, field, f.function)
			}
		}
		if f.namespace != namespace || f.dimension != "" && f.defaultValue != "" {
			t.Errorf("%s: CloudWatch refuses a default value beside dimensions, and the namespace is %s", f.name, f.namespace)
		}
	}
	named := map[string]bool{}
	check := func(where, metric, outcome string) {
		t.Helper()
		known, counted := messages[metric]
		if _, ok := known[outcome]; !counted || outcome != "" && !ok {
			t.Errorf("%s has the metric %s with the outcome %q, which nothing logs", where, metric, outcome)
		}
	}
	ours := regexp.MustCompile(`^` + regexp.QuoteMeta(namespace) + ` (\w+) (?:outcome=(.*))?$`)
	for id, a := range template.alarms(t) {
		for _, m := range a.metrics {
			if parts := ours.FindStringSubmatch(m); parts != nil {
				check(id, parts[1], parts[2])
				named[parts[2]] = true
			}
		}
	}
	for _, own := range messages {
		for message, isError := range own {
			if isError && !named[message] {
				t.Errorf("%q is logged as an error, and no alarm names it", message)
			}
		}
	}

	var dashboard struct {
		Widgets []struct {
			Properties struct{ Metrics [][]any }
		}
	}
	body := strings.ReplaceAll(fmt.Sprint(template.Resources["Dashboard"].Properties["DashboardBody"]), "${!", "${")
	parse(t, []byte(body), &dashboard)
	search := regexp.MustCompile(`^SEARCH\('\{"` + regexp.QuoteMeta(namespace) + `",outcome\} MetricName="(\w+)"', 'Sum', 300\)$`)
	for _, widget := range dashboard.Widgets {
		for _, m := range widget.Properties.Metrics {
			switch expression := at(m[0], "expression"); {
			case expression != "":
				if parts := search.FindStringSubmatch(fmt.Sprint(expression)); parts == nil {
					t.Errorf("the dashboard searches for %v", expression)
				} else {
					check("the dashboard", parts[1], "")
				}
			case m[0] == namespace && len(m) > 3 && m[2] == "outcome":
				check("the dashboard", fmt.Sprint(m[1]), fmt.Sprint(m[3]))
			case m[0] == namespace:
				check("the dashboard", fmt.Sprint(m[1]), "")
			}
		}
	}
	if len(dashboard.Widgets) == 0 || len(named) == 0 {
		t.Error("there is no dashboard, or no alarm on an outcome")
	}
}
