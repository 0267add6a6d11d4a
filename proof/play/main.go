// Command play proves the page of make play in a real browser. It drives the built page in headless Chromium, prints a row for
// each thing that the page can do, and keeps pictures of every page: wide and narrow, light and dark.
//
//	make e2e-play               every page
//	make e2e-play PAGES=users   some pages
//	make e2e-play DOCS=1        also take the picture that README.md shows
//
// A row also fails on an error in the browser's console, on what axe-core finds (labels, contrast, names, landmarks), and if
// the page is wider than a phone.
//
// The exit code is 0 if no row failed, 1 if one failed, and 2 if the run cannot start.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// sections has the rows, by section of the page. Each section gets its own server and its own browser tab, in which its rows run in order.
var sections = []section{
	usersPage,
	tokensPage,
	settingsPage,
	breakPage,
	poolPage,
	doctorPage,
	brokenPage,
}

// A section is what one file of this folder proves.
type section struct {
	name string
	rows []row
}

// A row is one thing that a page can do. It ends by check or fail if the page does not.
type row struct {
	name string
	do   func(*browser)
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout)
	stop()
	os.Exit(code)
}

// run expects the root of the repository as working directory.
func run(ctx context.Context, args []string, stdout io.Writer) int {
	flags := flag.NewFlagSet("play", flag.ContinueOnError)
	flags.SetOutput(stdout)
	var c config
	flags.StringVar(&c.program, "play", ".build/play/play", "the built page")
	flags.StringVar(&c.functions, "functions", ".build", "folder with the built functions")
	flags.StringVar(&c.pictures, "pictures", ".build/play", "folder for the pictures")
	flags.StringVar(&c.docs, "docs", "", "folder for the picture that README.md shows; empty means that none is taken")
	chosen := flags.String("pages", "", "names of the pages to prove, with commas between them; empty means all")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	names := strings.FieldsFunc(*chosen, func(r rune) bool { return r == ',' || r == ' ' })
	began, failed := time.Now(), 0
	for _, p := range sections {
		if len(names) > 0 && !slices.Contains(names, p.name) {
			continue
		}
		n, err := p.prove(ctx, c, stdout)
		if err != nil {
			fmt.Fprintf(stdout, "%s: %v\n", p.name, err)
			return 2
		}
		failed += n
	}
	took := time.Since(began).Round(time.Second)
	if failed > 0 {
		fmt.Fprintf(stdout, "\nFAILED after %v: %d\n", took, failed)
		return 1
	}
	fmt.Fprintf(stdout, "\nall as expected after %v; pictures are in %s\n", took, c.pictures)
	return 0
}

// prove runs the rows of a page. The first that fails ends it, because later rows use what earlier ones left.
func (p section) prove(ctx context.Context, c config, stdout io.Writer) (failed int, err error) {
	b, err := newBrowser(ctx, c)
	if err != nil {
		return 0, err
	}
	defer func() {
		if closeErr := b.close(); err == nil {
			err = closeErr
		}
	}()
	for i, row := range p.rows {
		fmt.Fprintf(stdout, "%-10s %-64s ", p.name, row.name)
		began := time.Now()
		err := b.try(row.do)
		result := "ok"
		if err != nil {
			result = "FAILED"
		}
		fmt.Fprintf(stdout, "%-7s %5.1f s\n", result, time.Since(began).Seconds())
		if err != nil {
			fmt.Fprintf(stdout, "\n%v\n%d rows of the page are not run; the picture is %s\n\n", err, len(p.rows)-i-1, b.picture("failed-"+p.name))
			return 1, nil
		}
	}
	return 0, nil
}
