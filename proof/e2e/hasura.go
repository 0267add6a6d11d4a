package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A graphQL is the local Hasura over a PostgreSQL database of its own.
type graphQL struct {
	url   string // without a path
	admin string

	database *hasura.Database
	server   atomic.Pointer[hasura.Server]
	down     atomic.Bool // it ends connections without an answer
}

func (g *graphQL) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if g.down.Load() {
		panic(http.ErrAbortHandler)
	}
	g.server.Load().ServeHTTP(w, r)
}

// startHasura serves a new database. It takes no tokens until trust. wrap, when it is not
// nil, stands in front.
func (m *machine) startHasura(ctx context.Context, database string, wrap func(http.Handler) http.Handler) (*graphQL, error) {
	url, err := m.postgres.database(ctx, database)
	if err != nil {
		return nil, fmt.Errorf("create database %s: %w", database, err)
	}
	g := &graphQL{admin: rand.Text()}
	if g.database, err = hasura.Open(ctx, project, url); err != nil {
		return nil, err
	}
	m.atEnd(g.database.Close)
	if err := g.start(nil); err != nil {
		return nil, err
	}
	var h http.Handler = g
	if wrap != nil {
		h = wrap(h)
	}
	g.url, err = m.serve(h)
	return g, err
}

// project is the folder with Hasura's metadata and migrations.
var project = os.DirFS("graphql")

// start is that of the engine: it reads its settings once.
func (g *graphQL) start(tokens *jwt.Config) error {
	server, err := hasura.New(hasura.Config{Project: project, Database: g.database, AdminSecret: g.admin, JWT: tokens})
	if err == nil {
		g.server.Store(server)
	}
	return err
}

// trust has Hasura take the tokens of a pool: the issuer is its own, or empty for any, and
// keys is where it publishes its keys.
func (g *graphQL) trust(issuer, keys string) error {
	return g.start(&jwt.Config{JWKURL: keys, Issuer: issuer, Format: jwt.FormatStringJSON})
}

// serve listens on loopback until the end of the run.
func (m *machine) serve(h http.Handler) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	m.serveAt(l, h)
	return "http://" + l.Addr().String(), nil
}

func (m *machine) serveAt(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = s.Serve(l) }() // ends with ErrServerClosed
	m.atEnd(s.Close)
}

// rotate makes another admin secret the only one that Hasura takes.
func (g *graphQL) rotate() {
	g.admin = rand.Text()
	g.server.Load().SetAdminSecret(g.admin)
}

var errNoRow = errors.New("there is no row")

// row is the row of a person.
func (g *graphQL) row(ctx context.Context, sub string) (stack.Row, error) {
	rows, err := stack.Users(ctx, g.url, g.admin)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row.Text("id") == sub {
			return row, nil
		}
	}
	return nil, errNoRow
}
