//go:build linux

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// A sample is one start of a variant and the calls after it.
type sample struct {
	cpu       time.Duration // of all threads, from the start to the first response
	wall      time.Duration // the same by the clock
	warm      time.Duration // CPU of one call after that, on average
	p50, p99  time.Duration // of those calls by the clock
	peak      int           // bytes of memory
	files     int           // certificate files opened until the first response
	fetched   int           // requests to Secrets Manager after it
	connected int           // connections to Hasura in all
}

// measure starts each variant once a round, in a changing order. A variant's samples are in
// the order of the rounds.
func measure(ctx context.Context, all []variant, s *services, w watch, rounds, warm int) (map[string][]sample, error) {
	samples := make(map[string][]sample)
	for range rounds {
		for _, i := range rand.Perm(len(all)) {
			one, err := start(ctx, all[i], s, w, warm)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", all[i].name, err)
			}
			samples[all[i].name] = append(samples[all[i].name], one)
		}
	}
	return samples, nil
}

func start(ctx context.Context, v variant, s *services, w watch, warm int) (one sample, err error) {
	w.opened()
	connected := s.connected.Load()
	e, err := lambda.Start(lambda.Function{Name: "bench", Path: v.path, Env: v.env, Timeout: 20 * time.Second})
	if err != nil {
		return one, err
	}
	defer e.Close()
	invoke := func() (lambda.Result, error) {
		r, err := e.Invoke(ctx, v.event)
		if err == nil && r.FunctionError != "" {
			err = fmt.Errorf("the function failed: %s", r.Payload)
		}
		return r, err
	}
	r, err := invoke()
	if err != nil {
		return one, err
	}
	if one.cpu, err = onCPU(e.PID()); err != nil {
		return one, err
	}
	one.files, one.wall = w.opened(), r.Init+r.Duration

	fetched := s.fetched.Load()
	took := make([]time.Duration, warm)
	for i := range took {
		if r, err = invoke(); err != nil {
			return one, err
		}
		took[i] = r.Duration
	}
	total, err := onCPU(e.PID())
	if err != nil {
		return one, err
	}
	slices.Sort(took)
	one.p50, one.p99 = took[warm/2], took[warm*99/100]
	one.warm = (total - one.cpu) / time.Duration(warm)
	one.fetched = int(s.fetched.Load() - fetched)
	one.connected = int(s.connected.Load() - connected)
	one.peak, err = peak(e.PID())
	return one, err
}

// The figures of a sample, in the units of the report.
func cpu(s sample) float64    { return s.cpu.Seconds() * 1e3 }
func wall(s sample) float64   { return s.wall.Seconds() * 1e3 }
func warm(s sample) float64   { return s.warm.Seconds() * 1e6 }
func p50(s sample) float64    { return s.p50.Seconds() * 1e6 }
func p99(s sample) float64    { return s.p99.Seconds() * 1e6 }
func peakMB(s sample) float64 { return float64(s.peak) / mebi }

// mebi is what AWS calls a megabyte.
const mebi = 1 << 20

// A spread is the quartiles of a figure.
type spread struct{ low, median, high float64 }

func quartiles(samples []sample, of func(sample) float64) spread {
	figures := make([]float64, len(samples))
	for i, s := range samples {
		figures[i] = of(s)
	}
	return spreadOf(figures)
}

// ratios divides the figures of two variants round by round. A machine that is slow in one
// round does not change its ratio.
func ratios(over, under []sample, of func(sample) float64) spread {
	figures := make([]float64, len(over))
	for i := range figures {
		figures[i] = of(over[i]) / of(under[i])
	}
	return spreadOf(figures)
}

func spreadOf(figures []float64) spread {
	slices.Sort(figures)
	at := func(quarter int) float64 { // between the two nearest figures
		place := float64(quarter*(len(figures)-1)) / 4
		i := int(place)
		j := min(i+1, len(figures)-1)
		return figures[i] + (place-float64(i))*(figures[j]-figures[i])
	}
	return spread{at(1), at(2), at(3)}
}
