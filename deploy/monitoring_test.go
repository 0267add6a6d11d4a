package deploy_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// uncounted are the phrases that no metric counts, and why.
var uncounted = map[string]string{
	"plain http":  "logged at each start while the setting stands",
	"library log": "nothing in itself; what it leads to is counted",
}

// logged returns the phrases that the Go code in a folder logs and the names of
// the attributes that go with any of them.
func logged(t *testing.T, folder string) (phrases, attributes []string) {
	t.Helper()
	methods := regexp.MustCompile(`^(Info|Warn|Error)(Context)?$`)
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
			texts := literals(call.Args)
			switch {
			case methods.MatchString(f.Sel.Name) && len(texts) > 0:
				phrases = append(phrases, texts[0])
				attributes = append(attributes, texts[1:]...)
			case f.Sel.Name == "With" || f.Sel.Name == "Int64" || f.Sel.Name == "String":
				attributes = append(attributes, texts...)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return phrases, attributes
}

func literals(args []ast.Expr) (texts []string) {
	for _, arg := range args {
		if literal, ok := arg.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value)
			texts = append(texts, text)
		}
	}
	return texts
}

// An alarm on a phrase that nobody logs never fires, and nobody notices.
func TestMetricsCountWhatTheCodeLogs(t *testing.T) {
	shared, sharedAttributes := logged(t, "pkg")
	counted := map[string]bool{}
	emitted := map[string]bool{}
	for _, phrase := range shared {
		emitted[phrase] = true
	}
	phrase := regexp.MustCompile(`\$\.message = "([^"]+)"`)
	field := regexp.MustCompile(`\$\.([a-z_]+)`)
	template := readTemplate(t)
	for id, name := range functions {
		own, attributes := logged(t, filepath.Join("functions", name))
		for _, phrase := range own {
			emitted[phrase] = true
		}
		for filter, r := range template.Resources {
			if r.Type != "AWS::Logs::MetricFilter" || r.Properties["LogGroupName"] != id+"Logs" {
				continue
			}
			transformation, _ := r.Properties["MetricTransformations"].([]any)
			text := fmt.Sprint(r.Properties["FilterPattern"], at(transformation[0], "MetricValue"))
			for _, match := range phrase.FindAllStringSubmatch(text, -1) {
				counted[match[1]] = true
				if !slices.Contains(own, match[1]) && !slices.Contains(shared, match[1]) {
					t.Errorf("%s counts %q, which %s does not log", filter, match[1], name)
				}
			}
			for _, match := range field.FindAllStringSubmatch(text, -1) {
				if match[1] != "message" && !slices.Contains(attributes, match[1]) && !slices.Contains(sharedAttributes, match[1]) {
					t.Errorf("%s reads the field %s, which %s does not log", filter, match[1], name)
				}
			}
		}
	}
	if len(counted) == 0 {
		t.Error("nothing is counted")
	}
	for phrase := range emitted {
		if !counted[phrase] && uncounted[phrase] == "" {
			t.Errorf("%q is logged and nothing counts it", phrase)
		}
	}
	for phrase := range uncounted {
		if !emitted[phrase] || counted[phrase] {
			t.Errorf("%q is not one that is logged and not counted", phrase)
		}
	}
}

// Alarms and the dashboard look at metrics that there are.
func TestAlarmsWatchMetricsThatThereAre(t *testing.T) {
	template := readTemplate(t)
	ours := map[string]bool{}
	for _, r := range template.Resources {
		if r.Type == "AWS::Logs::MetricFilter" {
			transformation, _ := r.Properties["MetricTransformations"].([]any)
			if got := at(transformation[0], "MetricNamespace"); got != "HasuraCognito/${Prefix}" {
				t.Errorf("a metric is in the namespace %v", got)
			}
			ours[fmt.Sprint(at(transformation[0], "MetricName"))] = true
		}
	}
	alarms := 0
	for id, r := range template.Resources {
		if r.Type != "AWS::CloudWatch::Alarm" {
			continue
		}
		alarms++
		if name := fmt.Sprint(r.Properties["MetricName"]); r.Properties["Namespace"] == "HasuraCognito/${Prefix}" && !ours[name] {
			t.Errorf("%s watches %s, which nothing emits", id, name)
		}
		if r.Properties["AlarmActions"] == nil {
			t.Errorf("%s tells nobody", id)
		}
	}
	if alarms == 0 {
		t.Error("there are no alarms")
	}
	var dashboard struct {
		Widgets []struct {
			Properties struct{ Metrics [][]any }
		}
	}
	if err := json.Unmarshal([]byte(fmt.Sprint(template.Resources["Dashboard"].Properties["DashboardBody"])), &dashboard); err != nil {
		t.Fatal(err)
	}
	shown := 0
	for _, widget := range dashboard.Widgets {
		for _, metric := range widget.Properties.Metrics {
			shown++
			if metric[0] == "HasuraCognito/${Prefix}" && !ours[fmt.Sprint(metric[1])] {
				t.Errorf("the dashboard shows %v, which nothing emits", metric[1])
			}
		}
	}
	if shown == 0 {
		t.Error("the dashboard shows nothing")
	}
}
