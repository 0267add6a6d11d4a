//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/lambda"
)

// A sample is one start of one variant and the calls that followed.
type sample struct {
	init, cold time.Duration // from the start to the first poll, and to the first answer
	cpu        time.Duration // of all threads, to the first answer
	p50, p99   time.Duration // of the calls that followed
	busy       time.Duration // on-CPU time of all threads in each of those, on average
	peak       int           // bytes, over all of it
	files      int           // certificate files opened before the first answer
	fetched    int           // calls to Secrets Manager after the first answer
	connected  int           // connections to Hasura, over all of it
}

// measure starts every variant once a round, in an order that changes by the round:
// whatever else the machine does meets them all alike. The samples of all variants are
// in the order of the rounds.
func measure(ctx context.Context, all []variant, s *sides, w watch, rounds, warm int) (map[string][]sample, error) {
	samples := make(map[string][]sample)
	for range rounds {
		for _, i := range rand.Perm(len(all)) {
			one, err := once(ctx, all[i], s, w, warm)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", all[i].name, err)
			}
			samples[all[i].name] = append(samples[all[i].name], one)
		}
	}
	return samples, nil
}

func once(ctx context.Context, v variant, s *sides, w watch, warm int) (sample, error) {
	var one sample
	env := maps.Clone(v.env)
	if v.syncs {
		if env == nil {
			env = make(map[string]string)
		}
		maps.Copy(env, s.env())
	}
	w.opened()
	connections := s.connections.Load()
	e, err := lambda.Start(lambda.Function{Name: "bench", Path: v.path, Env: env, Timeout: 20 * time.Second})
	if err != nil {
		return one, err
	}
	defer e.Close()
	invoke := func() (lambda.Result, error) {
		r, err := e.Invoke(ctx, v.event)
		if err == nil && r.FunctionError != "" {
			err = fmt.Errorf("failed with %s", r.Payload)
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
	one.files = w.opened()
	one.init, one.cold = r.Init, r.Init+r.Duration

	fetched := s.secrets.Calls()
	took := make([]time.Duration, warm)
	for i := range took {
		if r, err = invoke(); err != nil {
			return one, err
		}
		took[i] = r.Duration
	}
	slices.Sort(took)
	if warm > 0 {
		one.p50, one.p99 = took[warm/2], took[warm*99/100]
		total, err := onCPU(e.PID())
		if err != nil {
			return one, err
		}
		one.busy = (total - one.cpu) / time.Duration(warm)
	}
	one.fetched = s.secrets.Calls() - fetched
	one.connected = int(s.connections.Load() - connections)
	one.peak, err = peak(e.PID())
	return one, err
}

// quartiles returns the three of a figure over samples.
func quartiles(samples []sample, of func(sample) float64) (low, median, high float64) {
	figures := make([]float64, len(samples))
	for i, s := range samples {
		figures[i] = of(s)
	}
	return spread(figures)
}

// paired returns the quartiles of the ratios of two variants' figures in each round,
// which a machine that is slow for a while leaves alone.
func paired(over, under []sample, of func(sample) float64) (low, median, high float64) {
	ratios := make([]float64, min(len(over), len(under)))
	for i := range ratios {
		ratios[i] = of(over[i]) / of(under[i])
	}
	return spread(ratios)
}

func spread(figures []float64) (low, median, high float64) {
	slices.Sort(figures)
	at := func(q float64) float64 {
		place := q * float64(len(figures)-1)
		i := int(place)
		if i+1 == len(figures) {
			return figures[i]
		}
		return figures[i] + (place-float64(i))*(figures[i+1]-figures[i])
	}
	return at(0.25), at(0.5), at(0.75)
}

// The figures of a sample, in the unit that they are shown in.
func cpu(s sample) float64    { return ms(s.cpu) }
func cold(s sample) float64   { return ms(s.cold) }
func toInit(s sample) float64 { return ms(s.init) }
func p50(s sample) float64    { return 1000 * ms(s.p50) }
func p99(s sample) float64    { return 1000 * ms(s.p99) }
func busy(s sample) float64   { return 1000 * ms(s.busy) }
func memory(s sample) float64 { return float64(s.peak) / mebi }

// mebi is what AWS, whose limits these are, calls a megabyte.
const mebi = 1 << 20

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// worst is the greatest of a count over samples.
func worst(samples []sample, of func(sample) int) int {
	most := 0
	for _, s := range samples {
		most = max(most, of(s))
	}
	return most
}
