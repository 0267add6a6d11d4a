package deploy_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
)

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

// The alias would stay at the version with the old value of a parameter that Settings lacks. .ci/versions.py checks the
// rest of the mechanism in what SAM makes of the template.
func TestEveryChangeOfAParameterMakesANewVersion(t *testing.T) {
	template := readTemplate(t)
	content := fmt.Sprint(template.Resources["Settings"].Properties["Content"])
	for _, id := range []string{"HasuraCognitoTrigger", "HasuraCognitoSyncUsers"} {
		versioned := maps.Clone(template.Resources[id].Properties)
		maps.DeleteFunc(versioned, func(name string, _ any) bool { return slices.Contains(unversioned, name) })
		names := append(template.parametersOf(versioned), template.parametersOf(template.Globals.Function)...)
		if len(names) < 6 {
			t.Errorf("%s: its versions hold only the parameters %v", id, names)
		}
		for _, name := range names {
			// Prefix begins the names of roles, log groups and queues: another one makes other functions.
			if name != "Prefix" && !strings.Contains(content, "${"+name+"}") {
				t.Errorf("%s: a change of %s publishes no version: Settings lacks it", id, name)
			}
		}
	}
	for _, name := range []string{"TriggerReserved", "SyncReserved", "TriggerProvisioned", "SyncProvisioned"} {
		if strings.Contains(content, "${"+name+"}") {
			t.Errorf("Settings has %s, which needs no new version", name)
		}
	}
}

// The linter sees one value of each parameter at a time. So .ci/lint has a row with every value of a switch, and with one
// value of every other parameter.
func TestEveryParameterIsLinted(t *testing.T) {
	rows := string(readFile(t, ".ci/lint"))
	for name, p := range readTemplate(t).Parameters {
		if !regexp.MustCompile(`[ "=]` + name + `=[^ "]`).MatchString(rows) {
			t.Errorf(".ci/lint has no row with %s", name)
		}
		if len(p.AllowedValues) > 12 {
			continue // days of log retention, which are all alike
		}
		for _, value := range p.AllowedValues {
			if value != p.Default && !regexp.MustCompile(`[ "]`+name+`=`+regexp.QuoteMeta(fmt.Sprint(value))+`[ "]`).MatchString(rows) {
				t.Errorf(".ci/lint has no row with %s=%v", name, value)
			}
		}
	}
}

// SAM asks the mapping whether CodeDeploy is used. What CodeDeploy needs has the condition IsDeployedByCodeDeploy.
func TestCodeDeployIsUsedWhereItIsAskedFor(t *testing.T) {
	template := readTemplate(t)
	for _, value := range template.Parameters["DeploymentPreference"].AllowedValues {
		if got, want := template.Mappings["Deployment"][fmt.Sprint(value)]["ByCodeDeploy"], fmt.Sprint(value != "None"); got != want {
			t.Errorf("DeploymentPreference=%v: ByCodeDeploy is %q, want %s", value, got, want)
		}
	}
	for _, name := range []string{"DeploymentRole", "TriggerVersionErrorsAlarm", "SyncVersionErrorsAlarm"} {
		if got := template.Resources[name].Condition; got != "IsDeployedByCodeDeploy" {
			t.Errorf("%s has the condition %q", name, got)
		}
	}
}
