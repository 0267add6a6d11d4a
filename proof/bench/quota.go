//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// whole is the memory with which a Lambda function has one processor, in MB
// ("Configure Lambda function memory"): with less it has as much less of one.
const whole = 1769

// period is that in which the kernel grants the share, in microseconds.
const period = 20_000

// parseSizes reads memory sizes in MB.
func parseSizes(list string) ([]int, error) {
	var sizes []int
	for text := range strings.SplitSeq(list, ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		size, err := strconv.Atoi(text)
		if err != nil || size < 128 || size > 10240 {
			return nil, fmt.Errorf("-memory has %q where MB from 128 to 10240 are wanted", text)
		}
		sizes = append(sizes, size)
	}
	return sizes, nil
}

// share is the processor's time in a period, in microseconds.
func share(megabytes int) int { return megabytes * period / whole }

// A group is a control group that limits the processor's time of what is in it.
type group struct{ dir string }

// newGroup makes a group of version 2, or of version 1 where that has the processor's
// controller (the kernel's Documentation/admin-guide/cgroup-v2.rst, section CPU, and
// Documentation/scheduler/sched-bwc.rst).
func newGroup(megabytes int) (group, error) {
	name := fmt.Sprintf("hasura-cognito-bench-%d-%d", os.Getpid(), megabytes)
	settings := [][2]string{
		{"cpu.cfs_period_us", strconv.Itoa(period)},
		{"cpu.cfs_quota_us", strconv.Itoa(share(megabytes))},
	}
	parent := "/sys/fs/cgroup/cpu"
	if controllers, err := os.ReadFile("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		if !strings.Contains(string(controllers), "cpu") {
			return group{}, fmt.Errorf("no control group may limit the processor here")
		}
		parent = "/sys/fs/cgroup"
		if err := os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+cpu"), 0o644); err != nil {
			return group{}, err
		}
		settings = [][2]string{{"cpu.max", fmt.Sprintf("%d %d", share(megabytes), period)}}
	}
	g := group{filepath.Join(parent, name)}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		return group{}, err
	}
	for _, s := range settings {
		if err := os.WriteFile(filepath.Join(g.dir, s[0]), []byte(s[1]), 0o644); err != nil {
			g.close()
			return group{}, err
		}
	}
	return g, nil
}

func (g group) close() { _ = os.Remove(g.dir) }

// within returns a variant whose process joins the group before it becomes the
// variant's. Until then it is a shell, at full speed.
func (g group) within(v variant) (variant, error) {
	script := fmt.Sprintf("#!/bin/sh\necho $$ >'%s/cgroup.procs' && exec '%s'\n", g.dir, v.path)
	v.path = filepath.Join(filepath.Dir(v.path), filepath.Base(g.dir))
	return v, os.WriteFile(v.path, []byte(script), 0o755)
}

// quotas prints how long cold starts take with the share of the processor that
// memory sizes get, from the process's start on. Lambda may give more during init,
// which its documentation does not say.
func (b bench) quotas(ctx context.Context, out io.Writer, s *sides, sizes []int) error {
	columns := []string{"cold ms [quartiles]"}
	cells := make(map[string][]string)
	for _, megabytes := range sizes {
		g, err := newGroup(megabytes)
		if err != nil {
			fmt.Fprintf(out, "\nCold starts with a share of the processor are left out: %v\n", err)
			return nil
		}
		samples, err := b.measureIn(ctx, g, s)
		g.close()
		if err != nil {
			return err
		}
		columns = append(columns, fmt.Sprintf("%d MB: %.3f processors", megabytes, float64(share(megabytes))/period))
		for _, v := range b.variants {
			low, median, high := quartiles(samples[v.name], cold)
			cells[v.name] = append(cells[v.name], fmt.Sprintf("%.0f [%.0f, %.0f]", median, low, high))
		}
	}
	fmt.Fprintln(out)
	t := newTable(out, columns...)
	for _, v := range b.variants {
		t.row(append([]string{v.name}, cells[v.name]...)...)
	}
	return t.flush()
}

func (b bench) measureIn(ctx context.Context, g group, s *sides) (map[string][]sample, error) {
	var inside []variant
	for _, v := range b.variants {
		v, err := g.within(v)
		if err != nil {
			return nil, err
		}
		defer os.Remove(v.path)
		inside = append(inside, v)
	}
	return measure(ctx, inside, s, b.watch, b.rounds, 0)
}
