package main

import (
	"context"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// Host names in the network of the containers. They look like those inside a VPC.
const (
	hasuraHost  = "internal-hasura-1234567890.us-east-1.elb.amazonaws.com" // port 80
	secretsHost = "secretsmanager.internal"                                // port 4566
)

// containers is what sam local needs to run the functions without a registry.
type containers struct {
	*pool          // of which only Hasura and the secret exist
	flags []string // of sam local
	env   []string // of sam local, which gives the functions the variables that template.yaml declares
}

// startDocker prepares an image, a network and servers that containers can reach. It uses
// the running Docker daemon, or starts one.
//
// The servers listen on loopback, which containers cannot reach. So a relay container
// listens in their network and connects to sockets in a mounted folder.
func (e *environment) startDocker(ctx context.Context) (version string) {
	name, sockets, root := strings.ToLower(filepath.Base(e.dir)), filepath.Join(e.dir, "sockets"), filepath.Join(e.dir, "image")
	p := e.prepare(ctx, &pool{name: "containers", url: e.ministack, secretsURL: e.moto})
	noVariables := filepath.Join(e.dir, "env.json") // the repository's env.json would win over the variables of sam local
	writeJSON(noVariables, map[string]any{})
	e.containers = &containers{p, []string{"--invoke-image", name + ":none", "--skip-pull-image", "--docker-network", name, "--env-vars", noVariables},
		[]string{"GRAPHQL_DOMAIN=" + hasuraHost, "SECRETS_ARN=" + p.secretARN, "AWS_ENDPOINT_URL_SECRETS_MANAGER=http://" + secretsHost + ":4566",
			"SYNC_QUEUE_URL="}} // without it, sam local sets the logical ID of the queue, which is no URL

	check(os.Mkdir(sockets, 0o755))
	moto := must(url.Parse(e.moto))
	for path, handler := range map[string]http.Handler{"hasura": p.stack.Hasura, "secrets": httputil.NewSingleHostReverseProxy(moto)} {
		path = filepath.Join(sockets, path)
		e.serve(must(net.Listen("unix", path)), handler)
		check(os.Chmod(path, 0o666))
	}

	// The image holds SAM's runtime interface emulator, which is all that SAM adds to AWS's image, and the relay.
	emulators := must(filepath.Glob(home + "/python/lib/python*/site-packages/samcli/local/rapid/aws-lambda-rie-" + architecture))
	if len(emulators) != 1 {
		fail("SAM's runtime interface emulator: %d files, want 1", len(emulators))
	}
	check(os.MkdirAll(filepath.Join(root, "var/rapid"), 0o755))
	check(os.Mkdir(filepath.Join(root, "tmp"), 0o755))
	check(os.Chmod(filepath.Join(root, "tmp"), 0o1777))
	check(os.WriteFile(filepath.Join(root, "var/rapid/aws-lambda-rie"), must(os.ReadFile(emulators[0])), 0o755))
	check(stack.Build(".", "proof/e2e/relay", filepath.Join(root, "relay")))

	if err := attempt(func() { version = e.useDocker(ctx, name, root, sockets) }); err != nil {
		fail("%w: %w", errDocker, err)
	}
	return version
}

// useDocker does all that can fail because of Docker.
func (e *environment) useDocker(ctx context.Context, name, root, sockets string) (version string) {
	if command(ctx, "docker", "version").Run() != nil {
		e.startDaemon(ctx)
	}
	image := name + ":rapid-" + architecture // SAM looks for this tag before it builds an image
	output(command(ctx, "tar", "-C", root, "-cf", root+".tar", "."))
	e.docker(ctx, []string{"import", root + ".tar", image}, "image", "rm", image)
	e.docker(ctx, []string{"network", "create", name}, "network", "rm", name)
	e.docker(ctx, []string{"run", "--detach", "--name", name, "--network", name, "--network-alias", hasuraHost, "--network-alias", secretsHost,
		"--volume", sockets + ":/sockets", image, "/relay", ":80", "/sockets/hasura", ":4566", "/sockets/secrets"}, "rm", "--force", name)
	return strings.TrimSpace(output(command(ctx, "docker", "version", "--format", "{{.Server.Version}}")))
}

// docker runs a command, and another at the end of the run that undoes it.
func (e *environment) docker(ctx context.Context, args []string, undo ...string) {
	output(command(ctx, append([]string{"docker"}, args...)...))
	e.atEnd(func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		return attempt(func() { output(command(ctx, append([]string{"docker"}, undo...)...)) })
	})
}

// startDaemon starts a Docker daemon that leaves nothing behind: no iptables chains, and no
// bridge that was not there before.
func (e *environment) startDaemon(ctx context.Context) {
	if _, err := exec.LookPath("dockerd"); err != nil || os.Getuid() != 0 {
		fail("there is no Docker daemon, and only root can start one, if dockerd is installed (Debian: docker.io). " +
			"Start Docker, or skip these steps: make e2e E2E_SKIP=docker")
	}
	if _, err := net.InterfaceByName("docker0"); err != nil {
		e.atEnd(func() error {
			_ = exec.Command("ip", "link", "delete", "docker0").Run() // without iproute2, the bridge stays
			return nil
		})
	}
	path := func(name string) string { return filepath.Join(e.dir, name) }
	check(os.Setenv("DOCKER_HOST", "unix://"+path("docker.sock"))) // for docker and sam
	e.start(ctx, server{name: "dockerd", args: []string{"dockerd", "--host", os.Getenv("DOCKER_HOST"), "--pidfile", path("docker.pid"),
		"--data-root", path("docker"), "--exec-root", path("docker-run"), "--iptables=false", "--ip-forward=false"},
		ready: func(ctx context.Context) error { return command(ctx, "docker", "version").Run() }})
}
