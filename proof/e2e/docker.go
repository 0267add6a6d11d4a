package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// What the containers find on their network, by names like those inside a VPC.
const (
	balancer = "internal-hasura-1234567890.us-east-1.elb.amazonaws.com" // port 80
	manager  = "secretsmanager.internal"                                // port 4566
)

// A yard is a Docker daemon with the images and the network that the functions run in,
// and the far sides that they reach there.
type yard struct {
	host    string // DOCKER_HOST; empty for the daemon that was there
	image   string // without a tag
	network string
	sockets string // folder of the far sides' sockets

	hasura    *graphQL
	variables string // file for SAM with the functions' variables
}

// docker is a command of Docker's client at the yard's daemon.
func (m *machine) docker(ctx context.Context, y *yard, args ...string) *exec.Cmd {
	return m.atYard(y, m.command(ctx, "docker", args...))
}

// atYard has a command find the yard's daemon.
func (m *machine) atYard(y *yard, cmd *exec.Cmd) *exec.Cmd {
	if y.host != "" {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+y.host)
	}
	return cmd
}

// openYard uses the daemon that answers, or starts one. Its errors are of Docker alone once
// the images' files are there.
func (m *machine) openYard(ctx context.Context) (note string, err error) {
	name := strings.ToLower(filepath.Base(m.dir))
	y := &yard{image: name, network: name, sockets: filepath.Join(m.dir, "sockets")}
	if err := os.Mkdir(y.sockets, 0o755); err != nil {
		return "", err
	}
	relay := filepath.Join(m.dir, "relay")
	if err := stack.Build(".", "proof/e2e/relay", relay); err != nil {
		return "", err
	}
	emulators, err := filepath.Glob(filepath.Join(filepath.Dir(m.tools.sam), "../lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-"+architecture))
	if err != nil || len(emulators) != 1 {
		return "", fmt.Errorf("SAM's emulator of the runtime interface is not in its package: %q, %v", emulators, err)
	}
	if err := m.reachFarSides(ctx, y); err != nil {
		return "", err
	}
	m.yard = y
	if note, err = m.useDocker(ctx, y, relay, emulators[0]); err != nil {
		return "", &unusable{err}
	}
	return note, nil
}

// useDocker makes the images and the network, and has a first container run in it.
func (m *machine) useDocker(ctx context.Context, y *yard, relay, emulator string) (note string, err error) {
	if err := m.docker(ctx, y, "version").Run(); err != nil {
		if err := m.startDocker(ctx, y); err != nil {
			return "", err
		}
	}
	version, _, err := output(m.docker(ctx, y, "version", "--format", "{{.Server.Version}}"))
	if err != nil {
		return "", err
	}
	// The tag is the one that SAM looks for when it is told to use this image: what it would
	// make of AWS's image by adding its emulator of the runtime interface, and no more.
	if err := m.image(ctx, y, "rapid-"+architecture, map[string]string{"var/rapid/aws-lambda-rie": emulator}); err != nil {
		return "", err
	}
	if err := m.image(ctx, y, "relay", map[string]string{"relay": relay}); err != nil {
		return "", err
	}
	if err := m.made(ctx, y, []string{"network", "create", y.network}, "network", "rm", y.network); err != nil {
		return "", err
	}
	return strings.TrimSpace(version), m.made(ctx, y, []string{"run", "--detach", "--name", y.network, "--network", y.network,
		"--network-alias", balancer, "--network-alias", manager, "--volume", y.sockets + ":/sockets",
		y.image + ":relay", "/relay", ":80", "/sockets/hasura", ":4566", "/sockets/secrets"}, "rm", "--force", y.network)
}

// made makes something at the daemon and has it undone at the end.
func (m *machine) made(ctx context.Context, y *yard, make []string, undo ...string) error {
	if _, _, err := output(m.docker(ctx, y, make...)); err != nil {
		return err
	}
	m.atEnd(func() error {
		_, _, err := output(m.docker(context.Background(), y, undo...))
		return err
	})
	return nil
}

func (m *machine) startDocker(ctx context.Context, y *yard) error {
	if m.tools.dockerd == "" || os.Getuid() != 0 {
		return errors.New("no Docker answers, and only root can start one, where dockerd is installed (Debian: docker.io)\n" +
			"start Docker, or leave these steps out: make e2e E2E_SKIP=docker")
	}
	in := func(name string) string { return filepath.Join(m.dir, name) }
	y.host = "unix://" + in("docker.sock")
	p, err := m.start("dockerd", m.command(context.WithoutCancel(ctx), m.tools.dockerd, "--host", y.host, "--pidfile", in("docker.pid"),
		"--data-root", in("docker"), "--exec-root", in("docker-run")))
	if err != nil {
		return err
	}
	return p.ready(ctx, func(ctx context.Context) error { return m.docker(ctx, y, "version").Run() })
}

// image imports an image of nothing but the given files, by their paths inside, and /tmp.
func (m *machine) image(ctx context.Context, y *yard, tag string, files map[string]string) error {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: "tmp/", Mode: 0o1777}); err != nil {
		return err
	}
	for name, path := range files {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(content))}); err != nil {
			return err
		}
		if _, err := w.Write(content); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	cmd := m.docker(ctx, y, "import", "-", y.image+":"+tag)
	cmd.Stdin = &buf
	if _, _, err := output(cmd); err != nil {
		return err
	}
	m.atEnd(func() error {
		_, _, err := output(m.docker(context.Background(), y, "image", "rm", y.image+":"+tag))
		return err
	})
	return nil
}
