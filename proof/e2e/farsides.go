package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// reachFarSides gives the yard a Hasura over PostgreSQL and moto's Secrets Manager, and the
// functions the variables with which they find them from inside of a container.
func (m *machine) reachFarSides(ctx context.Context, y *yard) (err error) {
	if y.hasura, err = m.startHasura(ctx, "containers", nil); err != nil {
		return err
	}
	arn, err := createSecret(ctx, m.moto, "containers/app", y.hasura.admin)
	if err != nil {
		return err
	}
	if err := errors.Join(m.reach(y, "hasura", y.hasura.url), m.reach(y, "secrets", m.moto)); err != nil {
		return err
	}
	variables := map[string]string{"GRAPHQL_DOMAIN": balancer, "SECRETS_ARN": arn,
		"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://" + manager + ":4566",
		// Outside of AWS a reference to a resource is its name, and no URL.
		"SYNC_QUEUE_URL": ""}
	y.variables = filepath.Join(m.dir, "variables.json")
	return writeJSON(y.variables, map[string]any{logical[stack.SyncUsers]: variables, logical[stack.ReplaySyncs]: variables})
}

func writeJSON(path string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

// reach lets the containers reach a server on loopback, through a socket. Nothing listens
// on any other address of the machine.
func (m *machine) reach(y *yard, name, target string) error {
	to, err := url.Parse(target)
	if err != nil {
		return err
	}
	path := filepath.Join(y.sockets, name)
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	// What the function sends as Host stays as it is.
	m.serveAt(l, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }})
	return os.Chmod(path, 0o666)
}
