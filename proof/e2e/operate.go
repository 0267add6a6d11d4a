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
	cmd := m.command(ctx, "go", "test", "-count=1", "-v", "-run", "^TestEmulator$", "./cmd/hasura-cognito/attach")
	cmd.Env = append(cmd.Env, "ATTACH_ENDPOINT="+m.moto)
	out, _, err := output(cmd)
	if err == nil && (!strings.Contains(out, "--- PASS: TestEmulator") || strings.Contains(out, "ATTACH_ENDPOINT is not set")) {
		err = fmt.Errorf("the test did not run:\n%s", out)
	}
	return "the triggers, and nothing else", err
}

// doctor looks at a deployed stack from the outside, with a token of its pool.
func (m *machine) doctor(ctx context.Context) (string, error) {
	out, secrets, err := m.askDoctor(ctx)
	if err != nil {
		return "", err
	}
	for _, secret := range secrets {
		if strings.Contains(out, secret) {
			return "", errors.New("the doctor's report has what it must not: an address, the admin secret or the token")
		}
	}
	var rows []struct{ Check, Verdict, Found string }
	if err := json.Unmarshal([]byte(out), &rows); err != nil {
		return "", fmt.Errorf("the doctor's report is no JSON: %w", err)
	}
	for _, row := range rows {
		if row.Verdict != "ok" {
			return "", fmt.Errorf("the doctor says %s of %s: %s", row.Verdict, row.Check, row.Found)
		}
	}
	return fmt.Sprintf("%d rows, all ok", len(rows)), nil
}

// doctorFindsOut wants the doctor to fail at the function that wrongShape left behind.
func (m *machine) doctorFindsOut(ctx context.Context) (string, error) {
	_, _, err := m.askDoctor(ctx)
	return refused(err, `"verdict": "FAIL"`, "jwt-invalid-claims")
}

// askDoctor signs somebody in and gives the doctor the token. secrets must not be in what it says.
func (m *machine) askDoctor(ctx context.Context) (report string, secrets []string, err error) {
	who, username, password, err := m.v2.newPerson(ctx)
	if err != nil {
		return "", nil, err
	}
	t, err := signIn(ctx, m.v2.cognito, m.v2.client, username, password)
	if err != nil {
		return "", nil, err
	}
	cmd := m.command(ctx, "go", "run", "./cmd/hasura-cognito", "doctor", "--pool", m.v2.id, "--json")
	cmd.Env = append(cmd.Env, "TOKEN="+t.id)
	report, _, err = output(cmd)
	return report, []string{who.email, m.v2.hasura.admin, t.id}, err
}
