//go:build linux

package main

import (
	"slices"
	"testing"
)

func TestMemoryBuysProcessor(t *testing.T) {
	sizes, err := parseSizes("128, 1769")
	if err != nil || !slices.Equal(sizes, []int{128, 1769}) {
		t.Fatalf("parseSizes = %v, %v, want 128 and 1769", sizes, err)
	}
	if got := share(1769); got != period {
		t.Errorf("1,769 MB have %d µs of %d, want all", got, period)
	}
	if got := share(128); got != 1447 {
		t.Errorf("128 MB have %d µs of %d, want 1447", got, period)
	}
	for _, list := range []string{"64", "much", "128,,x"} {
		if sizes, err := parseSizes(list); err == nil {
			t.Errorf("parseSizes(%q) = %v, want an error", list, sizes)
		}
	}
}
