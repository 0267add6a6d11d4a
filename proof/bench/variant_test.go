//go:build linux

package main

import "testing"

func TestMatching(t *testing.T) {
	all := []variant{{name: echo}, {name: ours}, {name: noSDK}, {name: nodeSync}}
	for pattern, want := range map[string]int{"": 4, "^sync$": 1, "sync": 3, "Node|echo": 2} {
		if got, err := matching(all, pattern); err != nil || len(got) != want {
			t.Errorf("%q matches %d variants, %v, want %d", pattern, len(got), err, want)
		}
	}
	for _, pattern := range []string{"(", "nothing"} {
		if got, err := matching(all, pattern); err == nil {
			t.Errorf("%q matches %v, want an error", pattern, got)
		}
	}
}
