package lambda

import (
	"bytes"
	"io"
	"sync"
)

// lines passes on what is written to it one whole line a Write, so that the output of
// two processes never meets within a line.
type lines struct {
	to   io.Writer
	drop func(line []byte) bool // nil drops nothing

	partial []byte
}

func (l *lines) Write(p []byte) (int, error) {
	l.partial = append(l.partial, p...)
	for {
		end := bytes.IndexByte(l.partial, '\n')
		if end < 0 {
			return len(p), nil
		}
		if err := l.pass(l.partial[:end+1]); err != nil {
			return 0, err
		}
		l.partial = l.partial[end+1:]
	}
}

// flush passes on a last line that has no end.
func (l *lines) flush() {
	if len(l.partial) > 0 {
		// The process is gone; there is nobody to tell that its last words were lost.
		_ = l.pass(append(l.partial, '\n'))
		l.partial = nil
	}
}

func (l *lines) pass(line []byte) error {
	if l.to == nil || l.drop != nil && l.drop(line) {
		return nil
	}
	_, err := l.to.Write(line)
	return err
}

// locked lets many environments, and both streams of each, share writers.
type locked struct {
	mu *sync.Mutex
	to io.Writer
}

func (l locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
