package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
)

// What is asked of MiniStack's Lambda is two calls without a body worth a type, so the
// suite does not depend on one more client of the SDK.

// invokeDeployed calls a function that sam deploy made.
func (m *machine) invokeDeployed(ctx context.Context, function string, event []byte) (answer []byte, err error) {
	header, answer, err := m.lambda(ctx, http.MethodPost, "/2015-03-31/functions/"+function+"/invocations", event)
	if err == nil && header.Get("X-Amz-Function-Error") != "" {
		err = fmt.Errorf("%s failed: %s", function, answer)
	}
	return answer, err
}

// replaceCode is UpdateFunctionCode: the program at path, with further files.
func (m *machine) replaceCode(ctx context.Context, function, path string, files map[string]string) error {
	program, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var buf bytes.Buffer
	z := zip.NewWriter(&buf)
	add := func(name string, mode os.FileMode, content []byte) error {
		h := &zip.FileHeader{Name: name, Method: zip.Deflate}
		h.SetMode(mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		_, err = w.Write(content)
		return err
	}
	if err := add("bootstrap", 0o755, program); err != nil {
		return err
	}
	for name, content := range files {
		if err := add(name, 0o644, []byte(content)); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	body, err := json.Marshal(map[string][]byte{"ZipFile": buf.Bytes()})
	if err != nil {
		return err
	}
	_, _, err = m.lambda(ctx, http.MethodPut, "/2015-03-31/functions/"+function+"/code", body)
	return err
}

func (m *machine) lambda(ctx context.Context, method, path string, body []byte) (http.Header, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, m.ministack+path, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, answer)
	}
	return resp.Header, answer, err
}
