package attach

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// flat has a pool's settings by path, such as "Policies.PasswordPolicy.MinimumLength", to compare and to show line by line.
type flat map[string]string

// flatten leaves out false, 0 and "": Cognito sends some settings that were never made, and others not. It keeps an empty
// object, which is a setting: with one, device tracking is on.
func flatten(settings any) flat {
	f := flat{}
	f.add("", tree(settings))
	delete(f, "LambdaConfig") // empty means absent
	return f
}

// tree returns settings as JSON, with all members that their type knows.
func tree(settings any) (t map[string]any) {
	data, err := json.Marshal(settings)
	if err == nil {
		err = json.Unmarshal(data, &t)
	}
	if err != nil {
		panic(err) // the SDK's types are plain data
	}
	return t
}

func (f flat) add(path string, value any) {
	switch value := value.(type) {
	case nil:
	case map[string]any:
		before := len(f)
		for key, member := range value {
			f.add(strings.TrimPrefix(path+"."+key, "."), member)
		}
		if len(f) == before && path != "" {
			f[path] = "{}"
		}
	case []any:
		var items []string
		for _, item := range value {
			text, _ := json.Marshal(item)
			items = append(items, string(text))
		}
		slices.Sort(items) // all lists of a pool are sets
		if items != nil {
			f[path] = "[" + strings.Join(items, ",") + "]"
		}
	case bool:
		if value {
			f[path] = "true"
		}
	case string:
		if value != "" {
			f[path] = value
		}
	default:
		if text := fmt.Sprint(value); text != "0" {
			f[path] = text
		}
	}
}

// paths returns the path of every member that is not an object with members, whatever its value.
func paths(settings map[string]any) map[string]bool {
	all := map[string]bool{}
	for key, value := range settings {
		members, _ := value.(map[string]any)
		for path := range paths(members) {
			all[key+"."+path] = true
		}
		if len(members) == 0 {
			all[key] = true
		}
	}
	return all
}

// differences returns the paths whose values differ, in order.
func differences(a, b flat) []string {
	paths := maps.Clone(a)
	maps.Copy(paths, b)
	maps.DeleteFunc(paths, func(path, _ string) bool { return a[path] == b[path] })
	return slices.Sorted(maps.Keys(paths))
}

// A Change is a setting before and after. An absent one is "".
type Change struct {
	Setting string `json:"setting"`
	Before  string `json:"before,omitempty"`
	After   string `json:"after,omitempty"`
}

func changes(before, after flat) []Change {
	list := []Change{}
	for _, path := range differences(before, after) {
		list = append(list, Change{path, before[path], after[path]})
	}
	return list
}

// show prints changes: the value before with a minus, the value after with a plus.
func show(out io.Writer, list []Change) {
	for _, c := range list {
		fmt.Fprintf(out, "  %s\n", c.Setting)
		if c.Before != "" {
			fmt.Fprintf(out, "    - %s\n", c.Before)
		}
		if c.After != "" {
			fmt.Fprintf(out, "    + %s\n", c.After)
		}
	}
}
