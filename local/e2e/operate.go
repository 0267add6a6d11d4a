package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// attachTo runs the attach command's test at moto: a pool full of unusual settings must
// come out of it with the triggers changed and nothing else.
func (m *machine) attachTo(ctx context.Context) (string, error) {
	cmd := m.command(ctx, "go", "test", "-count=1", "-v", "-run", "^TestEmulator$", "./operate/attach")
	cmd.Env = append(cmd.Env, "ATTACH_ENDPOINT="+m.moto)
	out, _, err := output(cmd)
	if err == nil && (!strings.Contains(out, "--- PASS: TestEmulator") || strings.Contains(out, "ATTACH_ENDPOINT is not set")) {
		err = fmt.Errorf("the test did not run:\n%s", out)
	}
	return "the triggers, and nothing else", err
}

// doctor looks at a deployed stack from the outside, with a token of its pool.
func (m *machine) doctor(ctx context.Context) (string, error) {
	who, username, password, err := m.v2.newPerson(ctx)
	if err != nil {
		return "", err
	}
	t, err := signIn(ctx, m.v2.cognito, m.v2.client, username, password)
	if err != nil {
		return "", err
	}
	cmd := m.command(ctx, "go", "run", "./operate/doctor", "-pool", m.v2.id, "-json")
	cmd.Env = append(cmd.Env, "TOKEN="+t.id)
	out, _, err := output(cmd)
	if err != nil {
		return "", err
	}
	var rows []struct{ Check, Verdict, Found string }
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return "", fmt.Errorf("the doctor's report is no JSON: %w", err)
	}
	count := make(map[string]int)
	for _, row := range rows {
		count[row.Verdict]++
	}
	if strings.Contains(out, who.email) || strings.Contains(out, m.v2.hasura.admin) || strings.Contains(out, t.id) {
		return "", errors.New("the doctor's report has what it must not: an address, the admin secret or the token")
	}
	return fmt.Sprintf("%d rows: %v", len(rows), count), nil
}

// doctorFindsOut has the doctor look while Hasura is down.
func (m *machine) doctorFindsOut(ctx context.Context) (string, error) {
	m.v2.hasura.down.Store(true)
	defer m.v2.hasura.down.Store(false)
	_, _, err := output(m.command(ctx, "go", "run", "./operate/doctor", "-pool", m.v2.id))
	return refused(err, "FAIL", "exit status 1")
}
