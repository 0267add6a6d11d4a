//go:build linux

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
)

func TestEventsGrow(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile("../../events/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	parse := func(data []byte, err error) *cognito.Event {
		if err != nil {
			t.Fatal(err)
		}
		e, err := cognito.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	for _, n := range []int{0, 10} {
		e := parse(withGroups(read("pre-token-generation-v2-authentication.json"), n))
		if got := len(e.Groups()); got != n {
			t.Errorf("%d groups, want %d", got, n)
		}
		e = parse(withAttributes(read("post-authentication-admin-created.json"), n))
		if got := len(e.User.Custom()); got != n {
			t.Errorf("%d custom attributes, want %d", got, n)
		}
	}
}

func TestGrowthShowsEveryCurve(t *testing.T) {
	g := growth{
		{"claim shaper, groups", []point{{0, 90, 100, 110}, {100, 300, 310, 320}}},
		{"sync, custom attributes", []point{{0, 200, 210, 220}}},
	}
	var table, chart strings.Builder
	if err := g.print(&table); err != nil {
		t.Fatal(err)
	}
	if err := g.chart(&chart); err != nil {
		t.Fatal(err)
	}
	isXML(t, chart.String())
	for _, c := range g {
		if !strings.Contains(table.String(), c.name) || !strings.Contains(chart.String(), ">"+c.name+"<") {
			t.Errorf("%q is missing in\n%s\n%s", c.name, table.String(), chart.String())
		}
	}
}
