package main

import (
	"context"
	"fmt"
	"strings"
)

// fidelity runs the local Hasura's own tests, SQLite and PostgreSQL side by side.
func (m *machine) fidelity(ctx context.Context) (string, error) {
	url, err := m.postgres.database(ctx, "fidelity")
	if err != nil {
		return "", err
	}
	cmd := m.command(ctx, "go", "test", "-count=1", "-v", "./local/hasura/...")
	cmd.Env = append(cmd.Env, "DATABASE_URL="+url)
	out, _, err := output(cmd)
	if err != nil {
		return "", err
	}
	passed := make(map[string]int)
	for line := range strings.Lines(out) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- PASS: TestReplay/"); ok {
			if database, row, _ := strings.Cut(name, "/"); row != "" {
				passed[database]++
			}
		}
	}
	if passed["PostgreSQL"] == 0 || passed["PostgreSQL"] != passed["SQLite"] {
		return "", fmt.Errorf("%d rows of the replay ran on PostgreSQL and %d on SQLite", passed["PostgreSQL"], passed["SQLite"])
	}
	return fmt.Sprintf("%d requests replayed on each database", passed["PostgreSQL"]), nil
}
