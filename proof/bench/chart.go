//go:build linux

package main

import (
	"fmt"
	"html"
)

// chart draws the CPU time of a cold start as SVG: a bar for each variant, with its
// quartiles. It suits a light and a dark page.
func (r report) chart() []byte {
	const left, width, line, title = 170, 470, 26, "CPU time from start to first response, ms (median, quartiles)"
	longest := 0.0
	for _, v := range r.variants {
		longest = max(longest, quartiles(r.samples[v.name], cpu).high)
	}
	b := fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="720" height="%d" font-family="sans-serif" font-size="13" role="img">
<title>%[2]s</title>
<style>text{fill:#24292f}path{stroke:#24292f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}path{stroke:#e6edf3}}</style>
<text x="0" y="16" font-weight="bold">%[2]s</text>
`, 34+line*len(r.variants), title)
	for i, v := range r.variants {
		s, y, colour := quartiles(r.samples[v.name], cpu), 28+line*i, "#8c959f"
		if v.name == claims || v.name == sync {
			colour = "#2da44e"
		}
		x := func(ms float64) float64 { return left + ms*width/longest }
		b = fmt.Appendf(b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="18" fill="%s"/>`,
			left-8, y+14, html.EscapeString(v.name), left, y, x(s.median)-left, colour)
		b = fmt.Appendf(b, `<path d="M%.1f %dH%.1f"/><text x="%.1f" y="%d">%.1f</text>`+"\n", x(s.low), y+9, x(s.high), x(s.high)+6, y+14, s.median)
	}
	return append(b, "</svg>\n"...)
}
