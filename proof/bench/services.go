//go:build linux

package main

import (
	"context"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"

	"github.com/phenom-earth/hasura-cognito/local/secretsmanager"
)

// services are what the sync function calls: Secrets Manager over TLS, and a Hasura inside
// the same network without TLS. Hasura answers at once, so that the function is measured.
type services struct {
	root            []byte // PEM: the certificate that Secrets Manager's is issued by
	env             map[string]string
	fetched         atomic.Int32 // requests to Secrets Manager
	connected       atomic.Int32 // connections to Hasura
	manager, hasura *httptest.Server
}

func (s *services) start() {
	secrets := new(secretsmanager.Server)
	arn := secrets.Put("app", `{"HASURA_GRAPHQL_ADMIN_SECRET":"bench"}`)
	s.manager = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.fetched.Add(1)
		secrets.ServeHTTP(w, r)
	}))
	s.manager.StartTLS()
	s.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.manager.Certificate().Raw})

	s.hasura = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_, _ = io.WriteString(w, `{"data":{"row":{"__typename":"users"},"insert_users_one":{"id":"1b7c4e02-5a9d-4f6e-8c31-0d2f9a7b6e15"}}}`)
		}
	}))
	s.hasura.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.hasura.Config.ConnContext = func(ctx context.Context, _ net.Conn) context.Context {
		s.connected.Add(1)
		return ctx
	}
	s.hasura.Start()
	s.env = map[string]string{"SECRETS_ARN": arn, "AWS_ENDPOINT_URL_SECRETS_MANAGER": s.manager.URL, "GRAPHQL_DOMAIN": s.hasura.URL}
}

func (s *services) close() {
	s.manager.Close()
	s.hasura.Close()
}
