package main

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"sync"

	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/documents"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// An app is the page and the local environment behind it.
type app struct {
	stack *stack.Stack
	pool  *cognitoidp.Server
	mux   *http.ServeMux

	root  fs.FS  // the repository
	built string // folder of the functions and of the command line

	acting sync.Mutex // held during an action: the rows before and after it belong to it

	mu       sync.Mutex
	chosen   stack.Settings // of the functions
	exported stack.Settings // only for the files of the page Settings: the stand-ins are in their place here
	applied  *applied       // what the last change of settings led to

	lastID  int
	actions []*action
	tokens  map[string]*signed // of the last sign-in, by sub or client id

	poolRun     *poolRun // the last of the page Pool; nil if there was none
	driftBefore *drift   // before it

	broken   string  // name of the breakage of the page Break it; empty if nothing is broken
	brokenAt int     // how many lines had been logged then
	broke    *action // the last sign-in of that page
	replayed string  // what the last replay did
}

// newApp starts the environment. built is the folder of the functions, root the repository. ctx is for newApp alone.
func newApp(ctx context.Context, built string, root fs.FS, chosen stack.Settings) (*app, error) {
	project, err := fs.Sub(root, "graphql")
	if err == nil {
		project, err = documents.AddTo(project)
	}
	if err != nil {
		return nil, err
	}
	config := stack.Config{Functions: built, Project: project}
	local(chosen).Set(&config)
	s, err := stack.Start(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := documents.Create(ctx, s.Database.SQL); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	watch(s)
	a := &app{stack: s, pool: s.UserPool, mux: http.NewServeMux(), root: root, built: built, chosen: chosen, tokens: make(map[string]*signed)}
	a.route()
	return a, nil
}

// route has every address of the page, section by section.
func (a *app) route() {
	handle := func(pattern string, h handler) { a.mux.Handle(pattern, h) }
	a.mux.Handle("GET /static/", http.FileServerFS(files))
	a.mux.Handle("GET /{$}", http.RedirectHandler("/users", http.StatusSeeOther))
	handle("/", func(http.ResponseWriter, *http.Request) error {
		return problemf(http.StatusNotFound, "There is no page at this address.")
	})

	handle("GET /users", a.showUsers)
	handle("POST /users", a.createUser)
	handle("POST /users/machine", a.actMachine)
	handle("GET /users/{sub}", a.showUser)
	handle("POST /users/{sub}", a.editUser)
	handle("POST /users/{sub}/delete", a.deleteUser)
	handle("POST /users/{sub}/act", a.actUser)
	handle("GET /users/actions/{id}", a.showAction)
	handle("GET /users/actions/{id}/events/{step}", a.saveEvent)

	handle("GET /tokens", a.showTokens)
	handle("POST /tokens/query", a.queryHasura)

	handle("GET /settings", a.showSettings)
	handle("POST /settings", a.applySettings)
	handle("POST /settings/check", a.checkSettings)
	handle("GET /settings/files/{file}", a.saveSettings)

	handle("GET /pool", a.showPool)
	handle("POST /pool/{action}", a.actPool)

	handle("GET /doctor", a.showDoctor)
	handle("POST /doctor", a.judgePasted)

	handle("GET /break", a.showBreak)
	handle("POST /break", a.breakIt)
	handle("POST /break/repair", a.repairAll)
	handle("POST /break/sign-in", a.signInBroken)
	handle("POST /break/replay", a.replay)
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	broken := a.broken
	a.mu.Unlock()
	for _, b := range breakages {
		if b.Name == broken {
			r = r.WithContext(context.WithValue(r.Context(), brokenKey{}, b.Label))
		}
	}
	a.mux.ServeHTTP(w, r)
}

// Close ends the environment.
func (a *app) Close() error { return a.stack.Close() }
