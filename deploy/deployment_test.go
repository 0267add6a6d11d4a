package deploy_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The functions that Cognito calls, with what begins the names of their parameters.
var called = map[string]string{"HasuraCognitoTrigger": "Trigger", "HasuraCognitoSyncUsers": "Sync"}

// unversioned are the properties of a function that a version of it does not hold.
var unversioned = []string{"FunctionName", "Description", "VersionDescription", "ReservedConcurrentExecutions", "AutoPublishAlias",
	"ProvisionedConcurrencyConfig", "DeploymentPreference"}

// parametersOf returns the parameters that a value of the template names.
func (t template) parametersOf(value any) []string {
	found := map[string]bool{}
	for _, word := range regexp.MustCompile(`[A-Za-z]+`).FindAllString(fmt.Sprint(value), -1) {
		if _, ok := t.Parameters[word]; ok {
			found[word] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// A parameter that the settings lacked would change nothing for people when it is
// changed: the alias would stay at the version with the old one.
func TestEveryChangeOfAParameterMakesANewVersion(t *testing.T) {
	template := readTemplate(t)
	settings := fmt.Sprint(template.Resources["Settings"].Properties["Content"])
	for id := range called {
		versioned := maps.Clone(template.Resources[id].Properties)
		maps.DeleteFunc(versioned, func(name string, _ any) bool { return slices.Contains(unversioned, name) })
		names := append(template.parametersOf(versioned), template.parametersOf(template.Globals.Function)...)
		if len(names) < 6 {
			t.Errorf("%s: its versions hold no parameters but %v", id, names)
		}
		for _, name := range names {
			// The names of roles, log groups and queues begin with it; another one makes other functions.
			if name != "Prefix" && !strings.Contains(settings, "${"+name+"}") {
				t.Errorf("%s: a change of %s makes no new version: it is not in the settings", id, name)
			}
		}
		for _, property := range []string{"Description", "VersionDescription"} {
			value := fmt.Sprint(template.Resources[id].Properties[property])
			if !strings.HasPrefix(value, "[IsCalledByAlias ") || !strings.Contains(value, "${Settings.VersionNumber}") {
				t.Errorf("%s: %s is %s, which no change of the settings changes", id, property, value)
			}
		}
	}
	// Lambda publishes no version of a function that is as it was. So what the settings name has to change both functions,
	// which it does by their descriptions, and nothing else may name the version.
	for _, name := range []string{"TriggerReserved", "SyncReserved", "TriggerProvisioned", "SyncProvisioned"} {
		if strings.Contains(settings, "${"+name+"}") {
			t.Errorf("the settings hold %s, which takes effect without a new version", name)
		}
	}
}

// The linter looks at one value of a parameter at a time: .ci/lint has a row with
// each of a switch, and one at least of everything else.
func TestEveryParameterIsLinted(t *testing.T) {
	rows := string(readFile(t, ".ci/lint"))
	for name, p := range readTemplate(t).Parameters {
		if !regexp.MustCompile(`[ "=]` + name + `=[^ "]`).MatchString(rows) {
			t.Errorf(".ci/lint has no row with %s", name)
		}
		if len(p.AllowedValues) > 12 {
			continue // days, of which one is like the other
		}
		for _, value := range p.AllowedValues {
			if value != p.Default && !regexp.MustCompile(`[ "]`+name+`=`+regexp.QuoteMeta(fmt.Sprint(value))+`[ "]`).MatchString(rows) {
				t.Errorf(".ci/lint has no row with %s=%v", name, value)
			}
		}
	}
}

func TestAFailingVersionIsTakenBack(t *testing.T) {
	template := readTemplate(t)
	for id, name := range called {
		preference := at(template.Resources[id].Properties, "DeploymentPreference")
		alarm := name + "VersionErrorsAlarm"
		for _, row := range []struct {
			what string
			got  any
			want string
		}{
			{"the alias has the name that attach is told", template.Resources[id].Properties["AutoPublishAlias"], "live"},
			{"the parameter says how", at(preference, "Type"), "DeploymentPreference"},
			{"the parameter says whether", at(preference, "Enabled"), "[Deployment DeploymentPreference ByCodeDeploy]"},
			{"the role is exact", at(preference, "Role"), "DeploymentRole.Arn"},
			{"its errors and all faults take it back", at(preference, "Alarms"), "[HasMonitoring [" + alarm + " FaultsAlarm] [" + alarm + "]]"},
			{"the errors are those of the new version", template.Resources[alarm].Properties["Dimensions"],
				"[map[Name:FunctionName Value:" + id + "] map[Name:Resource Value:${" + id + "}:live] map[Name:ExecutedVersion Value:" + id + ".Version.Version]]"},
			{"they are noticed within the shortest canary", template.Resources[alarm].Properties["Period"], "60"},
			{"some are kept started", template.Resources[id].Properties["ProvisionedConcurrencyConfig"],
				"[Has" + name + "Provisioned map[ProvisionedConcurrentExecutions:" + name + "Provisioned] AWS::NoValue]"},
		} {
			if got := fmt.Sprint(row.got); got != row.want {
				t.Errorf("%s: %s: got %s, want %s", id, row.what, got, row.want)
			}
		}
	}
	for name, r := range template.Resources {
		if name == "DeploymentRole" || strings.HasSuffix(name, "VersionErrorsAlarm") {
			if r.Condition != "IsDeployedByCodeDeploy" {
				t.Errorf("%s is there without CodeDeploy: its condition is %q", name, r.Condition)
			}
		}
	}
	for _, value := range template.Parameters["DeploymentPreference"].AllowedValues {
		want := map[bool]string{true: "false", false: "true"}[value == "None"]
		if got := template.Mappings["Deployment"][fmt.Sprint(value)]["ByCodeDeploy"]; got != want {
			t.Errorf("DeploymentPreference=%v has CodeDeploy: %q, want %s", value, got, want)
		}
	}
}
