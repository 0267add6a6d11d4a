package usertable

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
)

// Progress shows how far a run is: a bar on a terminal, else a line from time to time. Lines of the log are written through it.
type Progress struct {
	out   io.Writer
	bar   *progressbar.ProgressBar // nil without a terminal
	total int

	mu          sync.Mutex
	done        int
	start, last time.Time
}

// between is the time between two lines.
const between = 10 * time.Second

// NewProgress begins to show how many of about total users are read.
func NewProgress(out io.Writer, terminal bool, total int) *Progress {
	p := &Progress{out: out, total: total, start: time.Now(), last: time.Now()}
	if terminal {
		p.bar = progressbar.NewOptions(max(total, 1), progressbar.OptionSetWriter(out), progressbar.OptionShowCount(), progressbar.OptionShowIts(),
			progressbar.OptionSetItsString("users"), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionSetWidth(30))
	}
	return p
}

// Add counts users that were read.
func (p *Progress) Add(users int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += users
	if p.bar != nil {
		if p.done >= p.total { // the number of users is an estimate
			p.total = p.done + 1
			p.bar.ChangeMax(p.total)
		}
		_ = p.bar.Add(users) // it fails only when the terminal is gone
		return
	}
	if now := time.Now(); now.Sub(p.last) >= between {
		p.last = now
		fmt.Fprintln(p.out, p.line(now.Sub(p.start)))
	}
}

func (p *Progress) line(elapsed time.Duration) string {
	perSecond := float64(p.done) / max(elapsed.Seconds(), 0.001)
	text := fmt.Sprintf("%s of about %s users, %s per second", thousands(p.done), thousands(max(p.total, p.done)), thousands(int(perSecond)))
	if left := p.total - p.done; left > 0 && perSecond > 0 {
		text += fmt.Sprintf(", about %v left", time.Duration(float64(left)/perSecond*float64(time.Second)).Round(time.Second))
	}
	return text
}

// Write writes a line of the log above the bar.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		_ = p.bar.Clear()
	}
	return p.out.Write(text)
}

// Close removes the bar.
func (p *Progress) Close() {
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}
