package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe is axe-core of the npm package of this name: https://github.com/dequelabs/axe-core
//
//go:embed axe.min.js
var axe string

//go:embed find.js
var find string

// patience is how long a browser waits for what it is told to see. It is long because CI is slow.
const patience = 30 * time.Second

type config struct{ program, functions, pictures, docs string }

// A browser is a tab of headless Chromium on a page of its own.
type browser struct {
	url string // of the page, without a path

	ctx      context.Context // of the tab
	pictures string
	docs     string // as in config
	end      []func() error

	mu      sync.Mutex
	errors  []string // of the console
	allowed []string // parts of errors that are expected
}

// newBrowser starts the page and a browser.
func newBrowser(ctx context.Context, c config) (b *browser, err error) {
	b = &browser{pictures: c.pictures, docs: c.docs}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.close())
		}
	}()
	if err := os.MkdirAll(c.pictures, 0o755); err != nil {
		return nil, err
	}
	if err := b.serve(c); err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(ctx, options...)
	b.end = append(b.end, func() error { stop(); return nil })
	b.ctx, stop = chromedp.NewContext(ctx)
	b.end = append(b.end, func() error { stop(); return nil })
	if err := chromedp.Listen(b.ctx, b.listen); err != nil {
		return nil, fmt.Errorf("start Chromium: %w", err)
	}
	return b, chromedp.Do(b.ctx, resize(1440, "light"))
}

// serve starts the page.
func (b *browser) serve(c config) error {
	cmd := exec.Command(c.program, "-functions", c.functions)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	b.end = append(b.end, func() error { return errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()) })
	line, err := bufio.NewReader(out).ReadString('\n')
	if b.url = regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(line); b.url == "" {
		return fmt.Errorf("the page does not start: %q %v", line, err)
	}
	return nil
}

func (b *browser) close() (err error) {
	for i := len(b.end) - 1; i >= 0; i-- {
		err = errors.Join(err, b.end[i]())
	}
	return err
}

func (b *browser) listen(event any) {
	text := ""
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		text = e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError || e.Type == runtime.ConsoleAPICalledTypeWarning {
			for _, arg := range e.Args {
				text += fmt.Sprint(arg.Value) + arg.Description + " "
			}
		}
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError || e.Entry.Level == log.EntryLevelWarning {
			text = e.Entry.Text + " " + e.Entry.URL
		}
	}
	if text == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.errors = append(b.errors, text)
}

// A failure is the panic that ends a row.
type failure struct{ err error }

func check(err error) {
	if err != nil {
		panic(failure{err})
	}
}

// expectFailure fails unless do ends with an error that has the text.
func (b *browser) expectFailure(text string, do func()) {
	if err := attempt(do); err == nil || !strings.Contains(err.Error(), text) {
		fail("the error is %v, want %q", err, text)
	}
}

func fail(format string, args ...any) { check(fmt.Errorf(format, args...)) }

// attempt runs f and returns the error that ended it.
func attempt(f func()) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case failure:
			err = v.err
		default:
			panic(v)
		}
	}()
	f()
	return nil
}

// try runs a row, and then looks for errors in the console.
func (b *browser) try(do func(*browser)) (err error) {
	b.allowed = nil
	if err := attempt(func() { do(b) }); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, text := range b.errors {
		expected := false
		for _, part := range b.allowed {
			expected = expected || strings.Contains(text, part)
		}
		if !expected {
			return fmt.Errorf("the console has an error: %s", text)
		}
	}
	b.errors = nil
	return nil
}

// allow expects errors with this text in the console, during this row.
func (b *browser) allow(part string) { b.allowed = append(b.allowed, part) }

// do runs an action of chromedp.
func do[T any](b *browser, action chromedp.Action[T]) T {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	check(err)
	return value
}

// open loads a path of the page.
func (b *browser) open(path string) { do(b, chromedp.Navigate(b.url+path)) }

// script is an action that evaluates a JavaScript expression. It can use the functions in find.js.
func script[T any](expression string) chromedp.Action[T] {
	return chromedp.Evaluate[T]("{"+find+";"+expression+"}", chromedp.EvalAwaitPromise)
}

// eval evaluates a JavaScript expression. It can use the functions in find.js.
func eval[T any](b *browser, expression string) T { return do(b, script[T](expression)) }

// until waits until a JavaScript expression is true.
func (b *browser) until(what, expression string) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	for {
		// While the browser loads the next page, there is nothing to evaluate in.
		if is, err := chromedp.Run(ctx, script[bool]("Boolean("+expression+")")); err == nil && is {
			return
		}
		select {
		case <-ctx.Done():
			fail("%s: not within %v. The page shows:\n%s", what, patience, b.text())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func quote(text string) string {
	quoted, err := json.Marshal(text)
	check(err)
	return string(quoted)
}

// text returns what the page shows.
func (b *browser) text() string {
	text, err := chromedp.Run(b.ctx, script[string]("document.body.innerText"))
	if err != nil {
		return err.Error() // it is for messages
	}
	return text
}

// sees waits until the page shows each of the texts, whatever the white space between words.
func (b *browser) sees(texts ...string) {
	for _, text := range texts {
		b.until("see "+text, "shown().includes(spaces("+quote(text)+"))")
	}
}

// lacks fails if the page shows the text.
func (b *browser) lacks(text string) {
	if eval[bool](b, "shown().includes(spaces("+quote(text)+"))") {
		fail("the page shows %q:\n%s", text, b.text())
	}
}

// click clicks the link, button or summary with this text. If that leads to another page, click waits for it.
func (b *browser) click(name string) {
	b.until("find "+name, "control("+quote(name)+")")
	at := eval[[]float64](b, "middle(control("+quote(name)+"))")
	leads := eval[bool](b, "window.stays = leads(control("+quote(name)+"))")
	do(b, chromedp.MouseClickXY(at[0], at[1]))
	if leads {
		b.until("load the page that "+name+" leads to", `!window.stays && document.readyState === "complete"`)
	}
}

// fill puts a value into the field with this label. It chooses the option of this text. An empty value takes the tick out of a
// box, another one puts it there.
func (b *browser) fill(label, value string) {
	b.until("find the field "+label, "field("+quote(label)+")")
	if problem := eval[string](b, "fill(field("+quote(label)+"),"+quote(value)+")"); problem != "" {
		fail("%s: %s", label, problem)
	}
}

// press presses keys, such as kb.Tab, in the element with the focus.
func (b *browser) press(keys string) { do(b, chromedp.KeyEvent(keys)) }

// scripts turns the page's scripts on or off.
func (b *browser) scripts(on bool) {
	do(b, chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

func resize(width int64, scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		size := emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1}
		_, err := cdp.Call(ctx, t, emulation.SetDeviceMetricsOverride, size)
		media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
		_, mediaErr := cdp.Call(ctx, t, emulation.SetEmulatedMedia, media)
		return errors.Join(err, mediaErr)
	})
}

// look checks what is shown now at both widths and in both colour schemes, and takes a picture of each.
func (b *browser) look(name string) {
	defer func() { _ = chromedp.Do(b.ctx, resize(1440, "light")) }() // the next action reports an error
	for _, width := range []int64{1440, 360} {
		for _, scheme := range []string{"light", "dark"} {
			do(b, chromedp.Steps(resize(width, scheme), chromedp.Sleep(200*time.Millisecond))) // colours change over some frames
			where := fmt.Sprintf("%s-%d-%s", name, width, scheme)
			picture := b.picture(where)
			if wide := eval[int64](b, "document.documentElement.scrollWidth"); wide > width {
				fail("%s: the page is %d pixels wide, in a window of %d: %s", picture, wide, width, eval[string](b, "widest()"))
			}
			do(b, chromedp.Evaluate[chromedp.Void](axe))
			if found := eval[[]string](b, "violations()"); len(found) > 0 {
				fail("%s: axe-core finds:\n%s", picture, strings.Join(found, "\n"))
			}
		}
	}
}

// picture takes a picture of the whole page and returns its path.
func (b *browser) picture(name string) (path string) {
	path = filepath.Join(b.pictures, name+".png")
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		return "missing: " + err.Error()
	}
	if err := os.WriteFile(path, png, 0o644); err != nil {
		return "missing: " + err.Error()
	}
	return path
}

// picturePart takes the picture of the README: the upper part of an element, in a small window.
func (b *browser) picturePart(selector string, height float64) {
	if b.docs == "" {
		return
	}
	do(b, resize(1000, "light"))
	defer func() { _ = chromedp.Do(b.ctx, resize(1440, "light")) }() // the next action reports an error
	top := eval[float64](b, "document.querySelector("+quote(selector)+").getBoundingClientRect().y + scrollY")
	clip := &page.Viewport{X: 0, Y: top - 16, Width: 1000, Height: height, Scale: 1}
	png := do(b, func(ctx context.Context, t *chromedp.Target) ([]byte, error) {
		r, err := cdp.Call(ctx, t, page.CaptureScreenshot, page.CaptureScreenshotParams{Clip: clip, CaptureBeyondViewport: new(true)})
		return r.Data, err
	})
	check(os.WriteFile(filepath.Join(b.docs, "play.png"), png, 0o644))
}
