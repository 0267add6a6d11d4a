package main

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestProtect(t *testing.T) {
	const address = "127.0.0.1:8080"
	rows := []struct {
		name, method, host string
		header             http.Header
		want               int
	}{
		{"a page", "GET", address, nil, 200},
		{"a page by the name localhost", "GET", "localhost:8080", nil, 200},
		{"a form of the page", "POST", address, http.Header{"Sec-Fetch-Site": {"same-origin"}, "Origin": {"http://" + address}}, 200},
		{"a form of the page, in an old browser", "POST", address, http.Header{"Origin": {"http://" + address}}, 200},
		{"a foreign name that leads here", "GET", "attacker.example:8080", nil, 421},
		{"a foreign name without a port", "GET", "attacker.example", nil, 421},
		{"another port", "GET", "127.0.0.1:8081", nil, 421},
		{"no host", "GET", "", nil, 421},
		{"a form of a foreign page", "POST", address, http.Header{"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://attacker.example"}}, 403},
		{"a form of another local port", "POST", address, http.Header{"Sec-Fetch-Site": {"same-site"}, "Origin": {"http://127.0.0.1:9"}}, 403},
		{"a foreign form, in an old browser", "POST", address, http.Header{"Origin": {"https://attacker.example"}}, 403},
		{"a foreign form from a sandbox", "POST", address, http.Header{"Origin": {"null"}}, 403},
	}
	handler := protect(address, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, row := range rows {
		r := httptest.NewRequest(row.method, "/users", nil)
		r.Host = row.host
		if row.header != nil {
			r.Header = row.header
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != row.want {
			t.Errorf("%s: status = %d, want %d", row.name, w.Code, row.want)
		}
		for name, want := range map[string]string{
			"Cache-Control":           "no-store",
			"Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
			"X-Content-Type-Options":  "nosniff",
		} {
			if got := w.Header().Get(name); got != want {
				t.Errorf("%s: %s = %q, want %q", row.name, name, got, want)
			}
		}
	}
}
