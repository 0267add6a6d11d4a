package main

import (
	"net"
	"net/http"
	"slices"
)

// protect lets only pages of this server use it. address is the server's, such as 127.0.0.1:8080.
//
// Another host name means that a foreign site's name leads to this address (DNS rebinding).
func protect(address string, next http.Handler) http.Handler {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		panic("the address of a listener has no port: " + err.Error())
	}
	hosts := []string{"127.0.0.1:" + port, "localhost:" + port}
	next = http.NewCrossOriginProtection().Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if !slices.Contains(hosts, r.Host) {
			http.Error(w, "This page is served only at http://"+hosts[0]+".", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
		next.ServeHTTP(w, r)
	})
}
