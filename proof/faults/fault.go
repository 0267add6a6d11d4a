package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
)

// hang takes the request and never answers.
func hang(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
	drain(r)
	<-r.Context().Done()
}

func hangAfterHeaders(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	drain(r)
	w.Header().Set("Content-Length", "100")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // the client may be gone
	<-r.Context().Done()
}

// drain reads the body: only then does the server see that the client has gone.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }

// halfABody resets the connection in the middle of an answer.
func halfABody(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	drain(r)
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"canary\":{\"insert_users")
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // so that Close resets it
	}
}

// status answers with a status and a page that quotes what must not get out.
func status(code int, body string) fault {
	return func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		drain(r)
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// hasuraError answers 200 with an error of Hasura's; with a state, as PostgreSQL's.
func hasuraError(code, state string) fault {
	internal := ""
	if state != "" {
		internal = fmt.Sprintf(`,"internal":{"statement":"INSERT %s","error":{"status_code":%q,"message":"%s"},"arguments":["%s"]}`, canary, state, canary, canary)
	}
	return status(http.StatusOK, fmt.Sprintf(`{"errors":[{"message":"%s","extensions":{"path":"$","code":%q%s}}]}`, canary, code, internal))
}

// awsError answers as an AWS service does.
func awsError(code int, name string) fault {
	return status(code, fmt.Sprintf(`{"__type":%q,"message":"%s"}`, name, canary))
}

// redirect sends everyone to another host.
func redirect(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	drain(r)
	http.Redirect(w, r, "http://127.0.0.1:1/"+canary, http.StatusMovedPermanently)
}

// tooLate writes the row but answers nobody.
func tooLate(_ http.ResponseWriter, r *http.Request, next http.Handler) {
	next.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
	<-r.Context().Done()
}
