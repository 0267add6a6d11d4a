//go:build linux

package main

import (
	"context"
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// Times that the network and the far sides take; zero takes none.
type network struct {
	roundTrip, secret, hasura time.Duration
}

// sides are the far sides of the sync: Secrets Manager, and a Hasura that answers at
// once, so that what is measured is the function.
type sides struct {
	arn             string
	manager, hasura *httptest.Server
	secrets         *secretsmanager.Server
	connections     atomic.Int32 // to Hasura, ever
}

// The values of -tls: what is called over TLS.
const (
	tlsSecrets = "secrets" // Secrets Manager alone, and a Hasura in the same network without
	tlsAll     = "all"
	tlsOff     = "off"
)

func newSides(a authority, n network, encrypted string) *sides {
	s := &sides{secrets: new(secretsmanager.Server)}
	s.arn = s.secrets.Put("app", `{"HASURA_GRAPHQL_ADMIN_SECRET":"bench"}`)
	s.manager = n.server(n.secret, s.secrets)
	s.hasura = n.server(n.hasura, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = io.WriteString(w, `{"data":{"insert_users_one":{"id":"1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15"}}}`)
	}))
	s.hasura.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		s.connections.Add(1)
		return ctx
	}
	n.start(s.manager, a, encrypted != tlsOff)
	n.start(s.hasura, a, encrypted == tlsAll)
	return s
}

func (s *sides) close() {
	s.manager.Close()
	s.hasura.Close()
}

// env are the variables that point a function at the sides.
func (s *sides) env() map[string]string {
	return map[string]string{
		"SECRETS_ARN":                      s.arn,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": s.manager.URL,
		"GRAPHQL_DOMAIN":                   s.hasura.URL,
	}
}

// server answers after a round trip and the time that the side takes itself.
func (n network) server(takes time.Duration, h http.Handler) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		pause(n.roundTrip + takes)
		h.ServeHTTP(w, r)
	}))
	s.Listener = n.listen(s.Listener)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

func (n network) start(s *httptest.Server, a authority, encrypted bool) {
	if !encrypted {
		s.Start()
		return
	}
	s.TLS = &tls.Config{
		Certificates: []tls.Certificate{a.server},
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			pause(n.roundTrip) // TLS 1.3 takes one
			return nil, nil
		},
	}
	s.StartTLS()
}

// pause waits in the kernel: time.Sleep ends up to a millisecond late in a program
// that is idle otherwise, because epoll_wait(2) counts in those.
func pause(d time.Duration) {
	left := syscall.NsecToTimespec(int64(d))
	for d > 0 && syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}

// listen makes a new connection take a round trip.
func (n network) listen(l net.Listener) net.Listener { return slowListener{l, n.roundTrip} }

type slowListener struct {
	net.Listener
	setUp time.Duration
}

func (l slowListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &slowConn{Conn: c, setUp: l.setUp}, nil
}

type slowConn struct {
	net.Conn
	once  sync.Once
	setUp time.Duration
}

func (c *slowConn) Read(b []byte) (int, error) {
	c.once.Do(func() { pause(c.setUp) })
	return c.Conn.Read(b)
}
