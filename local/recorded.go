package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// triggers are the beginnings of the events' file names, in the order in which the
// events are sent: a person's row is written before a token reads it.
var triggers = []string{"post-confirmation", "post-authentication", "pre-token-generation"}

// A recorded event is one file of events/.
type recorded struct {
	path    string
	trigger string // one of triggers
	variant string // the rest of the file's name
	json    []byte
}

// test reports whether it is an event that Cognito never sends: those that AWS's console
// and guide offer for trying a function out. No token is made of them.
func (e recorded) test() bool { return strings.HasPrefix(e.variant, "test-") }

func (e recorded) function() string { return stack.FunctionFor(e.trigger+"-", e.json) }

// load reads one event, or all of them when file is empty.
func load(file string) ([]recorded, error) {
	all, err := filepath.Glob("events/*.json")
	if err != nil || len(all) == 0 {
		return nil, errors.Join(errors.New("no events/*.json here: run this at the root of the repository"), err)
	}
	if file == "" {
		var events []recorded
		for _, path := range all {
			e, err := open(path)
			if err != nil {
				return nil, err
			}
			events = append(events, e)
		}
		slices.SortStableFunc(events, func(a, b recorded) int {
			return slices.Index(triggers, a.trigger) - slices.Index(triggers, b.trigger)
		})
		return events, nil
	}
	e, err := open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no event %s; give one of the %d in events/, such as\n  make run EVENT=%s", file, len(all), similar(file, all))
	}
	return []recorded{e}, err
}

// similar is the path that shares the longest beginning of its file name.
func similar(file string, paths []string) string {
	name := filepath.Base(file)
	common := func(path string) (n int) {
		base := filepath.Base(path)
		for n < len(base) && n < len(name) && base[n] == name[n] {
			n++
		}
		return n
	}
	return slices.MaxFunc(paths, func(a, b string) int { return common(a) - common(b) })
}

func open(path string) (recorded, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return recorded{}, err
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(data, &object); err != nil {
		return recorded{}, fmt.Errorf("%s is not an event: %w", path, err)
	}
	name := strings.TrimSuffix(filepath.Base(path), ".json")
	for _, trigger := range triggers {
		if name == trigger {
			return recorded{path, trigger, "(plain)", data}, nil
		}
		if variant, ok := strings.CutPrefix(name, trigger+"-"); ok {
			return recorded{path, trigger, variant, data}, nil
		}
	}
	return recorded{}, fmt.Errorf("%s: an event's file is named after its trigger, such as %s-mine.json; the triggers are %s",
		path, triggers[0], strings.Join(triggers, ", "))
}

// built says what to do when there is no binary to run.
func built(dir string) error {
	for _, function := range []string{stack.Trigger, stack.SyncUsers, stack.ReplaySyncs} {
		path := filepath.Join(dir, function, "bootstrap")
		if _, err := os.Stat(path); err != nil {
			return fmt.Errorf("no built function: %w\n`make run` builds them and runs this", err)
		}
	}
	return nil
}
