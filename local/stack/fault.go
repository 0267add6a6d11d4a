package stack

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"
)

// A Fault is one way in which a service misbehaves. The zero Fault is none.
type Fault struct {
	refuse bool
	serve  func(w http.ResponseWriter, r *http.Request, service http.Handler)
}

// Refuse refuses connections.
var Refuse = Fault{refuse: true}

// Hang takes a request and never answers.
var Hang = Serve(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) { <-r.Context().Done() })

// HangAfterHeaders sends the headers of an answer and never its body.
var HangAfterHeaders = Serve(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	w.Header().Set("Content-Length", "100")
	w.WriteHeader(http.StatusOK)
	_ = http.NewResponseController(w).Flush() // the client may be gone
	<-r.Context().Done()
})

// HalfBody resets the connection in the middle of an answer.
var HalfBody = Serve(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"data\":{\"insert_users")
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // Close then resets the connection.
	}
})

// LoseAnswers lets the service do what it is asked and drops its answer.
var LoseAnswers = Serve(func(_ http.ResponseWriter, r *http.Request, service http.Handler) {
	service.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
	<-r.Context().Done()
})

// Status answers with a status and a body.
func Status(code int, body string) Fault {
	return Serve(func(w http.ResponseWriter, _ *http.Request, _ http.Handler) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	})
}

// Redirect answers that the service has moved to another URL.
func Redirect(url string) Fault {
	return Serve(func(w http.ResponseWriter, r *http.Request, _ http.Handler) {
		http.Redirect(w, r, url, http.StatusMovedPermanently)
	})
}

// Slow delays every request.
func Slow(delay time.Duration) Fault {
	return Serve(func(w http.ResponseWriter, r *http.Request, service http.Handler) {
		time.Sleep(delay)
		service.ServeHTTP(w, r)
	})
}

// Once is the fault for the first POST alone.
func Once(f Fault) Fault {
	var posts atomic.Int64
	return If(f, func(r *http.Request, _ []byte) bool { return r.Method == http.MethodPost && posts.Add(1) == 1 })
}

// If is the fault for the requests that a function picks.
func If(f Fault, picks func(r *http.Request, body []byte) bool) Fault {
	return Serve(func(w http.ResponseWriter, r *http.Request, service http.Handler) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if picks(r, body) {
			f.serve(w, r, service)
		} else {
			service.ServeHTTP(w, r)
		}
	})
}

// Serve makes a fault of a function that answers instead of a service.
func Serve(answer func(w http.ResponseWriter, r *http.Request, service http.Handler)) Fault {
	return Fault{serve: func(w http.ResponseWriter, r *http.Request, service http.Handler) {
		// The server notices that a client has gone only once the body is read.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		answer(w, r, service)
	}}
}
