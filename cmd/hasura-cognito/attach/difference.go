package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// flat is a pool's settings by path, such as
// "Policies.PasswordPolicy.MinimumLength": what can be compared and shown line by line.
type flat map[string]string

// A state is all there is to know of a pool, but what changes by itself.
func (s state) flat() flat {
	f := flatten(s.pool)
	for _, path := range []string{"LastModifiedDate", "EstimatedNumberOfUsers"} {
		delete(f, path)
	}
	for path, value := range flatten(s.mfa) {
		f["MFA."+path] = value
	}
	return f
}

// flatten leaves out false, 0 and "": Cognito tells some settings that were never
// made, and some not. An empty object counts: device tracking is on with one.
func flatten(settings any) flat {
	data, err := json.Marshal(settings)
	var tree any
	if err == nil {
		err = json.Unmarshal(data, &tree)
	}
	if err != nil {
		panic(err) // the SDK's types are plain data
	}
	f := flat{}
	f.add("", tree)
	delete(f, "LambdaConfig")   // an empty one is as good as none
	delete(f, "ResultMetadata") // of the SDK
	return f
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
		slices.Sort(items) // all of a pool's lists are sets
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

// differences returns the paths whose values differ, in order.
func differences(a, b flat) []string {
	paths := maps.Clone(a)
	maps.Copy(paths, b)
	maps.DeleteFunc(paths, func(path, _ string) bool { return a[path] == b[path] })
	return slices.Sorted(maps.Keys(paths))
}

// show prints the differences: what goes with a minus, what comes with a plus.
func show(out io.Writer, before, after flat) {
	for _, path := range differences(before, after) {
		fmt.Fprintf(out, "  %s\n", path)
		if value, ok := before[path]; ok {
			fmt.Fprintf(out, "    - %s\n", value)
		}
		if value, ok := after[path]; ok {
			fmt.Fprintf(out, "    + %s\n", value)
		}
	}
}
