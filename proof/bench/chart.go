//go:build linux

package main

import (
	"fmt"
	"html"
	"io"
)

// chart draws the on-CPU time of a cold start: a bar for each variant, and its quartiles.
func (r report) chart(out io.Writer) error {
	const left, width, line = 170, 470, 26
	longest := 0.0
	for _, v := range r.variants {
		_, _, high := quartiles(r.still[v.name], cpu)
		longest = max(longest, high)
	}
	scale := width / longest
	b := svg(720, 34+line*len(r.variants), "Processor time from start to first answer, ms (median, quartiles)")
	for i, v := range r.variants {
		low, median, high := quartiles(r.still[v.name], cpu)
		y := 28 + line*i
		colour := "#8c959f"
		if v.name == shaper || v.name == ours {
			colour = "#2da44e"
		}
		b = fmt.Appendf(b, `<text x="%d" y="%d" text-anchor="end">%s</text><rect x="%d" y="%d" width="%.1f" height="18" fill="%s"/>`,
			left-8, y+14, html.EscapeString(v.name), left, y, median*scale, colour)
		b = fmt.Appendf(b, `<path class="q" d="M%.1f %dH%.1f"/><text x="%.1f" y="%d">%.1f</text>`+"\n",
			left+low*scale, y+9, left+high*scale, left+high*scale+6, y+14, median)
	}
	_, err := out.Write(append(b, "</svg>\n"...))
	return err
}

// svg begins an SVG with its title. It is read on a light and on a dark page.
func svg(width, height int, title string) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" font-family="sans-serif" font-size="13" role="img">
<title>%[3]s</title>
<style>text{fill:#24292f}.q{stroke:#24292f}@media(prefers-color-scheme:dark){text{fill:#e6edf3}.q{stroke:#e6edf3}}</style>
<text x="0" y="16" font-weight="bold">%[3]s</text>
`, width, height, title)
}
