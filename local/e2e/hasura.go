package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/hasura"
	"github.com/phenom-earth/hasura-cognito/local/hasura/jwt"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A graphQL is the local Hasura over a PostgreSQL database of its own.
type graphQL struct {
	url    string // without a path
	server *hasura.Server
	admin  string
}

// startHasura serves a new database. The issuer is that of the pool whose tokens it
// takes, or empty for any; keys is where the pool publishes its keys, or empty for no
// tokens at all. wrap, when it is not nil, stands in front.
func (m *machine) startHasura(ctx context.Context, database, issuer, keys string, wrap func(http.Handler) http.Handler) (*graphQL, error) {
	url, err := m.postgres.database(ctx, database)
	if err != nil {
		return nil, fmt.Errorf("create database %s: %w", database, err)
	}
	project := os.DirFS("graphql")
	db, err := hasura.Open(ctx, project, url)
	if err != nil {
		return nil, err
	}
	m.atEnd(db.Close)
	g := &graphQL{admin: rand.Text()}
	config := hasura.Config{Project: project, Database: db, AdminSecret: g.admin}
	if keys != "" {
		config.JWT = &jwt.Config{JWKURL: keys, Issuer: issuer, Format: jwt.FormatStringJSON}
	}
	if g.server, err = hasura.New(config); err != nil {
		return nil, err
	}
	var h http.Handler = g.server
	if wrap != nil {
		h = wrap(h)
	}
	g.url, err = m.serve(h)
	return g, err
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
	g.server.SetAdminSecret(g.admin)
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
