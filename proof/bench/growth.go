//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// A growth is what a call costs by how much is in its event.
type growth []curve

type curve struct {
	name   string
	points []point
}

// A point is a number of groups or attributes and the on-CPU time of a warm call with
// them, in microseconds.
type point struct {
	n                 int
	low, median, high float64
}

// growth measures the deployed functions with events that have more and more in them.
func (b bench) growth(ctx context.Context, s *sides) (growth, error) {
	kinds := []struct {
		name, function string
		counts         []int
		event          func(event []byte, n int) ([]byte, error)
	}{
		{"claim shaper, groups", shaper, []int{0, 10, 25, 50, 100}, withGroups},
		{"sync, custom attributes", ours, []int{0, 10, 25, 50}, withAttributes},
	}
	var all []variant
	key := func(name string, n int) string { return fmt.Sprint(name, " ", n) }
	for _, kind := range kinds {
		for _, v := range named(b.variants, kind.function) {
			for _, n := range kind.counts {
				event, err := kind.event(v.event, n)
				if err != nil {
					return nil, err
				}
				v.name, v.event = key(kind.name, n), event
				all = append(all, v)
			}
		}
	}
	samples, err := measure(ctx, all, s, b.watch, b.rounds, max(b.warm, 1))
	if err != nil {
		return nil, err
	}
	var g growth
	for _, kind := range kinds {
		c := curve{name: kind.name}
		for _, n := range kind.counts {
			if some := samples[key(kind.name, n)]; len(some) > 0 {
				low, median, high := quartiles(some, busy)
				c.points = append(c.points, point{n, low, median, high})
			}
		}
		if len(c.points) > 0 {
			g = append(g, c)
		}
	}
	return g, nil
}

func withGroups(event []byte, n int) ([]byte, error) {
	groups := make([]string, n)
	for i := range groups {
		groups[i] = fmt.Sprintf("group-%04d", i)
	}
	return inRequest(event, func(request map[string]any) {
		request["groupConfiguration"] = map[string]any{"groupsToOverride": groups}
	})
}

func withAttributes(event []byte, n int) ([]byte, error) {
	return inRequest(event, func(request map[string]any) {
		attributes, _ := request["userAttributes"].(map[string]any)
		for i := range n {
			attributes[fmt.Sprintf("custom:attribute_%04d", i)] = "some text"
		}
	})
}

func inRequest(event []byte, change func(map[string]any)) ([]byte, error) {
	var members map[string]any
	if err := json.Unmarshal(event, &members); err != nil {
		return nil, err
	}
	request, ok := members["request"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("the event has no request")
	}
	change(request)
	return json.Marshal(members)
}

func (g growth) print(out io.Writer) error {
	fmt.Fprintln(out)
	t := newTable(out, "on-CPU µs of a warm call [quartiles]", "how many", "µs")
	for _, c := range g {
		for _, p := range c.points {
			t.row(c.name, fmt.Sprint(p.n), fmt.Sprintf("%.0f [%.0f, %.0f]", p.median, p.low, p.high))
		}
	}
	return t.flush()
}

// chart draws the curves as SVG, each point with its quartiles.
func (g growth) chart(out io.Writer) error {
	const left, top, width, height = 50, 34, 600, 260
	most, longest := 1, 1.0
	for _, c := range g {
		for _, p := range c.points {
			most, longest = max(most, p.n), max(longest, p.high)
		}
	}
	x := func(n int) float64 { return left + width*float64(n)/float64(most) }
	y := func(v float64) float64 { return top + height*(1-v/longest) }
	b := svg(720, top+height+34, "On-CPU time of a warm call, µs, by groups or custom attributes (median, quartiles)")
	b = fmt.Appendf(b, `<path class="q" fill="none" d="M%d %dV%dH%d"/>`, left, top, top+height, left+width)
	for i := range 5 {
		n, v := most*i/4, longest*float64(i)/4
		b = fmt.Appendf(b, `<text x="%.1f" y="%d" text-anchor="middle">%d</text><text x="%d" y="%.1f" text-anchor="end">%.0f</text>`+"\n",
			x(n), top+height+18, n, left-6, y(v)+4, v)
	}
	for i, c := range g {
		colour := []string{"#2da44e", "#0969da"}[i%2]
		var line strings.Builder
		for j, p := range c.points {
			fmt.Fprintf(&line, "%c%.1f %.1f", "ML"[min(j, 1)], x(p.n), y(p.median))
			b = fmt.Appendf(b, `<path stroke="%s" d="M%.1f %.1fV%.1f"/>`, colour, x(p.n), y(p.low), y(p.high))
		}
		last := c.points[len(c.points)-1]
		b = fmt.Appendf(b, `<path fill="none" stroke-width="2" stroke="%s" d="%s"/><text x="%.1f" y="%.1f" text-anchor="end">%s</text>`+"\n",
			colour, line.String(), x(last.n), y(last.median)-12, c.name)
	}
	_, err := out.Write(append(b, "</svg>\n"...))
	return err
}
