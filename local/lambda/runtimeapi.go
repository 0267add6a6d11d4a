package lambda

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxPayload bounds an event and an answer alike, in bytes: the limit of a synchronous
// call, "Lambda quotas".
const maxPayload = 6_291_556

// runtimeAPI is what the process talks to.
func (p *process) runtimeAPI(arn string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		p.next(w, r, arn)
	})
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", p.response)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", p.failure)
	mux.HandleFunc("POST /2018-06-01/runtime/init/error", p.initError)
	return mux
}

func (p *process) next(w http.ResponseWriter, r *http.Request, arn string) {
	p.once.Do(func() {
		p.init = time.Since(p.started)
		close(p.polled)
	})
	var c call
	select {
	case c = <-p.calls:
	case <-p.closing:
		panic(http.ErrAbortHandler) // the connection ends without a word
	case <-r.Context().Done():
		return
	}
	p.mu.Lock()
	p.current = c.id
	p.mu.Unlock()

	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(c.payload)))
	h.Set("Lambda-Runtime-Aws-Request-Id", c.id)
	h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(c.timeout).UnixMilli(), 10))
	h.Set("Lambda-Runtime-Invoked-Function-Arn", arn)
	h.Set("Lambda-Runtime-Trace-Id", traceID(c.id))
	// A process that is gone by now is noticed by its exit.
	_, _ = w.Write(c.payload)
}

// traceID has the form that X-Ray asks for, derived from the request's id.
func traceID(id string) string {
	hex := strings.ReplaceAll(id, "-", "")
	return "Root=1-" + hex[:8] + "-" + hex[8:] + ";Parent=" + hex[:16] + ";Sampled=0"
}

func (p *process) response(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		if p.answer(w, r, answer{payload: tooLarge(r.PathValue("id")).Payload, failed: true}) {
			refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size")
		}
		return
	}
	if err != nil {
		return // the process died while it wrote
	}
	a := answer{payload: body}
	// A runtime that fails while it streams its answer says so behind it.
	if r.Trailer.Get("Lambda-Runtime-Function-Error-Type") != "" {
		a.failed = true
		if a.payload, err = base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body")); err != nil {
			refuse(w, http.StatusBadRequest, "InvalidTrailer", "Lambda-Runtime-Function-Error-Body is not base64")
			return
		}
	}
	if p.answer(w, r, a) {
		accepted(w)
	}
}

func (p *process) failure(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		return
	}
	if p.answer(w, r, answer{payload: body, failed: true}) {
		accepted(w)
	}
}

// answer hands a on, if it is for the call that the process works on.
func (p *process) answer(w http.ResponseWriter, r *http.Request, a answer) bool {
	p.mu.Lock()
	ours := p.current != "" && p.current == r.PathValue("id")
	if ours {
		p.current = ""
	}
	p.mu.Unlock()
	if !ours {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return false
	}
	p.answers <- a
	return true
}

func (p *process) initError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if err != nil {
		return
	}
	select {
	case p.broken <- answer{payload: body, failed: true}:
		accepted(w)
	default:
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "Init error was posted before")
	}
}

func accepted(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusAccepted)
	_, _ = io.WriteString(w, `{"status":"OK"}`)
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Failure{Message: message, Type: kind})
}
