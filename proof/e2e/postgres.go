package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// A postgresServer is a PostgreSQL with nothing in it, as any team's.
type postgresServer struct {
	version string
	url     url.URL
}

func (m *machine) startPostgres(ctx context.Context) (note string, err error) {
	s := &postgresServer{}
	// PostgreSQL refuses to run as root, so root runs it as the user that Debian has for it.
	var as *syscall.Credential
	if os.Getuid() == 0 {
		if as, err = credential("postgres"); err != nil {
			return "", err
		}
	}
	data, password := filepath.Join(m.dir, "postgresql"), filepath.Join(m.dir, "password")
	secret := rand.Text()
	if err := os.WriteFile(password, []byte(secret), 0o600); err != nil {
		return "", err
	}
	if err := os.Mkdir(data, 0o700); err != nil {
		return "", err
	}
	if as != nil {
		for _, path := range []string{data, password} {
			if err := os.Chown(path, int(as.Uid), int(as.Gid)); err != nil {
				return "", err
			}
		}
	}
	postgres := func(program string, args ...string) *exec.Cmd {
		cmd := m.command(context.WithoutCancel(ctx), program, args...)
		cmd.Dir = m.dir
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
		return cmd
	}
	_, _, err = output(postgres(m.tools.initdb, "--pgdata", data, "--username", "postgres", "--pwfile", password,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--no-locale", "--no-sync"))
	if err != nil {
		return "", err
	}
	port, err := freePort()
	if err != nil {
		return "", err
	}
	s.url = url.URL{Scheme: "postgres", User: url.UserPassword("postgres", secret), Host: "127.0.0.1:" + port, Path: "/postgres"}
	p, err := m.start("postgresql", postgres(m.tools.postgres, "-D", data, "-p", port, "-c", "listen_addresses=127.0.0.1",
		"-c", "unix_socket_directories=", "-c", "fsync=off"))
	if err != nil {
		return "", err
	}
	if err := p.ready(ctx, s.ping); err != nil {
		return "", err
	}
	m.postgres = s
	return s.version, nil
}

// ping finds out the version, too.
func (s *postgresServer) ping(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	return conn.QueryRow(ctx, "SELECT current_setting('server_version')").Scan(&s.version)
}

// database makes an empty one and returns its URL.
func (s *postgresServer) database(ctx context.Context, name string) (string, error) {
	conn, err := pgx.Connect(ctx, s.url.String())
	if err != nil {
		return "", err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
		return "", err
	}
	u := s.url
	u.Path = "/" + name
	return u.String(), nil
}

func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root, and the user that Debian has for it is missing: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}
