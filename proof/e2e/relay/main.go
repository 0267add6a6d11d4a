// Command relay runs in the network of the containers. It passes HTTP requests from a port
// on to a Unix socket of the host, for each pair of arguments.
//
//	relay :80 /sockets/hasura :4566 /sockets/secrets
package main

import (
	"context"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"os"
)

func main() {
	failed := make(chan error)
	for i := 1; i+1 < len(os.Args); i += 2 {
		address, socket := os.Args[i], os.Args[i+1]
		proxy := &httputil.ReverseProxy{
			Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = "http", "socket" }, // the header Host stays
			Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			}},
		}
		go func() { failed <- http.ListenAndServe(address, proxy) }()
	}
	log.Fatal(<-failed)
}
