package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// warmContainers are the functions in containers that sam local start-lambda keeps from
// one call to the next, as Lambda does with its environments.
type warmContainers struct {
	url string
	log string // file with what SAM and the functions print
}

// inContainers are the flags with which SAM runs the functions in a yard, offline.
func (y *yard) inContainers() []string {
	return []string{"--env-vars", y.variables, "--invoke-image", y.image + ":none", "--skip-pull-image", "--docker-network", y.network}
}

func (m *machine) startLambda(ctx context.Context, y *yard) (*warmContainers, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	args := append([]string{"local", "start-lambda", "--host", "127.0.0.1", "--port", port, "--warm-containers", "LAZY",
		"--parameter-overrides", "Architecture=" + architecture}, y.inContainers()...)
	p, err := m.start("start-lambda", m.atYard(y, m.command(context.WithoutCancel(ctx), m.tools.sam, args...)))
	if err != nil {
		return nil, err
	}
	w := &warmContainers{url: "http://127.0.0.1:" + port, log: p.log}
	return w, p.ready(ctx, answers(w.url))
}

// invoke gives an event to a function, by its logical id.
func (w *warmContainers) invoke(ctx context.Context, function string, event []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/2015-03-31/functions/"+function+"/invocations", bytes.NewReader(event))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && (resp.StatusCode != http.StatusOK || resp.Header.Get("X-Amz-Function-Error") != "") {
		err = fmt.Errorf("%s failed with %s: %s; its log is %s", function, resp.Status, answer, w.log)
	}
	return answer, err
}

// logged is how much the log has.
func (w *warmContainers) logged() int64 {
	info, err := os.Stat(w.log)
	if err != nil {
		return 0
	}
	return info.Size()
}

// messages are those of the log records since the log had a size.
func (w *warmContainers) messages(since int64) (messages []string) {
	text, err := os.ReadFile(w.log)
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(text[since:])) {
		var record struct{ Level, Message string }
		if json.Unmarshal([]byte(line), &record) == nil && record.Level != "" {
			messages = append(messages, record.Message)
		}
	}
	return messages
}
