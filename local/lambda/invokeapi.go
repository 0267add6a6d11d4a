package lambda

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
)

// ServeHTTP answers POST /2015-03-31/functions/{name}/invocations: "Invoke" in the
// Lambda API Reference. Signatures are not checked; callers are local.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mux.ServeHTTP(w, r)
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	if kind := r.Header.Get("X-Amz-Invocation-Type"); kind != "" && kind != "RequestResponse" {
		fault(w, http.StatusBadRequest, "InvalidParameterValueException", "only RequestResponse is served here")
		return
	}
	payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
	if _, over := errors.AsType[*http.MaxBytesError](err); over {
		fault(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", "the event is larger than Lambda allows")
		return
	}
	if err != nil {
		return // the caller is gone
	}
	if len(payload) > 0 && !json.Valid(payload) {
		fault(w, http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json")
		return
	}

	result, err := s.Invoke(r.Context(), r.PathValue("name"), payload)
	switch {
	case errors.Is(err, ErrNotFound):
		missing := Function{Name: plain(r.PathValue("name"))}
		fault(w, http.StatusNotFound, "ResourceNotFoundException", "Function not found: "+missing.ARN())
	case errors.Is(err, ErrThrottled):
		fault(w, http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.")
	case err != nil:
		fault(w, http.StatusInternalServerError, "ServiceException", err.Error())
	default:
		h := w.Header()
		h.Set("Content-Type", "application/json")
		h.Set("X-Amz-Executed-Version", "$LATEST")
		h.Set("X-Amzn-RequestId", result.RequestID)
		if result.FunctionError != "" {
			h.Set("X-Amz-Function-Error", result.FunctionError)
		}
		_, _ = w.Write(result.Payload)
	}
}

// fault answers in the shape of Lambda's exceptions.
func fault(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Amzn-ErrorType", kind)
	w.WriteHeader(status)
	by := "User"
	if status >= http.StatusInternalServerError {
		by = "Service"
	}
	_ = json.NewEncoder(w).Encode(map[string]string{"Type": by, "Message": message})
}
