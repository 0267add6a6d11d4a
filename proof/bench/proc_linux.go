package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// onCPU returns the CPU time of all threads of a process, from /proc/<pid>/task/*/schedstat
// (Documentation/scheduler/sched-stats of the kernel).
func onCPU(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return 0, fmt.Errorf("process %d has no schedstat: the bench needs Linux with CONFIG_SCHED_INFO", pid)
	}
	var total time.Duration
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended since
		}
		run, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(run, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read %s: %w", file, err)
		}
		total += time.Duration(ns)
	}
	return total, nil
}

// peak returns the most memory that a process has used, in bytes.
func peak(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB, err := strconv.Atoi(strings.Fields(rest)[0])
			return kB << 10, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmHWM", pid)
}

// A watch counts the files that any process opens in some folders: inotify(7).
type watch struct{ fd int }

func newWatch(dirs ...string) (watch, error) {
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		return watch{}, fmt.Errorf("watch certificate files: %w", err)
	}
	for _, dir := range dirs {
		if _, err := syscall.InotifyAddWatch(fd, dir, syscall.IN_OPEN); err != nil {
			_ = syscall.Close(fd)
			return watch{}, fmt.Errorf("watch %s: %w", dir, err)
		}
	}
	return watch{fd}, nil
}

// opened returns how many files were opened since the last call. Listing a folder does not
// count.
func (w watch) opened() int {
	files := 0
	buffer := make([]byte, 64<<10)
	for {
		n, err := syscall.Read(w.fd, buffer)
		if err != nil || n <= 0 {
			return files
		}
		for rest := buffer[:n]; len(rest) >= syscall.SizeofInotifyEvent; {
			event := (*syscall.InotifyEvent)(unsafe.Pointer(&rest[0]))
			name := bytes.TrimRight(rest[syscall.SizeofInotifyEvent:syscall.SizeofInotifyEvent+event.Len], "\x00")
			if len(name) > 0 && event.Mask&syscall.IN_ISDIR == 0 {
				files++
			}
			rest = rest[syscall.SizeofInotifyEvent+event.Len:]
		}
	}
}

func (w watch) close() { _ = syscall.Close(w.fd) }
