//go:build linux

package main

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// A variant is a program that is measured.
type variant struct {
	name  string
	path  string // what Lambda would start
	event []byte
	env   map[string]string
	syncs bool // calls Secrets Manager and Hasura
	size  int  // bytes of what is deployed, without Node's runtime
	zip   int
}

// The variants that reports compare or highlight.
const (
	echo   = "echo"
	claims = "claims function"
	sync   = "sync function"
)

// certificates is the folder with one file for each CA certificate.
const certificates = "certificates"

// everySetting has those that make the claims function do the most.
var everySetting = map[string]string{
	"GOMAXPROCS": "1", "ROLES": "*,staff=editor,admin=tenant_admin", "ROLE_ATTRIBUTE": "custom:groups", "DEFAULT_ROLE": "editor,user",
	"TENANT_GROUPS": "{tenant}:{role}", "TENANT_ATTRIBUTE": "custom:tenant", "MACHINE_ROLES": "1example23456789example013=service",
	"SESSION_VARIABLES": "x-hasura-teams=groups:team-*,x-hasura-email=email,x-hasura-app=client_id,x-hasura-name=username,x-hasura-scopes=scopes",
	"USER_ID":           "custom:legacy_id", "ACCESS_TOKEN_AUDIENCE": "client_id",
}

// inTenants returns the event of a user in the group editor as one of a user in n tenants.
func inTenants(event []byte, n int) []byte {
	var groups []string
	for i := range n {
		groups = append(groups, fmt.Sprintf(`"tenant%03d:editor"`, i))
	}
	return bytes.Replace(event, []byte(`"editor"`), []byte(strings.Join(groups, ", ")), 1)
}

// A builder builds the variants into dir.
type builder struct {
	dir      string
	overlay  string // flag of go build that adds the certificate of the services to pkg/awsroots
	services services

	token, signIn   []byte // the events
	groups, tenants []byte // token for a user in 100 groups, and in 100 tenants
}

// newBuilder lays out certificates as Amazon Linux 2023 has them (golang/go#79018): a
// bundle, and each certificate again in a separate file.
func newBuilder(dir, bundle string) (*builder, error) {
	all, err := os.ReadFile(bundle)
	if err != nil {
		return nil, fmt.Errorf("%w: set -certificates to a bundle of CA certificates", err)
	}
	roots, err := os.ReadFile("pkg/awsroots/roots.pem")
	if err != nil {
		return nil, err
	}
	token, err := os.ReadFile("events/pre-token-generation-v2-authentication.json")
	if err != nil {
		return nil, err
	}
	groups, err := os.ReadFile("events/pre-token-generation-v2-many-groups.json")
	if err != nil {
		return nil, err
	}
	signIn, err := os.ReadFile("events/post-authentication.json")
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, certificates), 0o755); err != nil {
		return nil, err
	}
	embedded, err := filepath.Abs("pkg/awsroots/roots.pem")
	if err != nil {
		return nil, err
	}
	few := filepath.Join(dir, "few.pem")
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{embedded: few}})
	if err != nil {
		return nil, err
	}
	b := &builder{dir: dir, overlay: "-overlay=" + filepath.Join(dir, "overlay.json"), token: token, signIn: signIn, groups: groups}
	b.tenants = inTenants(token, 100)
	b.services.start()
	all = append(all, b.services.root...)
	files := map[string][]byte{"bundle.pem": all, "few.pem": append(roots, b.services.root...), "root.pem": b.services.root, "overlay.json": overlay}
	for block, rest := pem.Decode(all); block != nil; block, rest = pem.Decode(rest) {
		files[filepath.Join(certificates, fmt.Sprintf("%03d.pem", len(files)))] = pem.EncodeToMemory(block)
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// variants builds those in Go. They have the variables of template.yaml, but for echo and
// for the naive sync, which have those of Lambda alone.
func (b *builder) variants() (all []variant, err error) {
	one := map[string]string{"GOMAXPROCS": "1"}
	trusting := func(file, folder string) map[string]string {
		env := map[string]string{"SSL_CERT_FILE": filepath.Join(b.dir, file), "SSL_CERT_DIR": folder}
		maps.Copy(env, b.services.env)
		return env
	}
	deployed, bare := trusting("bundle.pem", "/nonexistent"), trusting("few.pem", "/nonexistent")
	maps.Copy(deployed, one)
	maps.Copy(bare, one)
	const others = "proof/bench/variants/"
	all = []variant{
		{name: echo, path: others + "echo", event: b.token},
		{name: "echo, GOMAXPROCS=1", path: others + "echo", event: b.token, env: one},
		{name: claims, path: "functions/" + functions.Claims, event: b.token, env: one},
		{name: "claims, every setting", path: "functions/" + functions.Claims, event: b.token, env: everySetting},
		{name: "claims, 100 groups", path: "functions/" + functions.Claims, event: b.groups, env: one},
		{name: "claims, 100 tenants", path: "functions/" + functions.Claims, event: b.tenants, env: everySetting},
		{name: sync, path: "functions/" + functions.Sync, event: b.signIn, env: deployed, syncs: true},
		{name: "sync without an SDK", path: others + "nosdk", event: b.signIn, env: bare, syncs: true},
		{name: "sync, naive", path: others + "naive", event: b.signIn, env: trusting("bundle.pem", filepath.Join(b.dir, certificates)), syncs: true},
	}
	for i := range all {
		v := &all[i]
		pkg := v.path
		v.path = filepath.Join(b.dir, filepath.Base(pkg), "bootstrap")
		if filepath.Base(pkg) == "naive" {
			err = command("", "go", "build", "-o", v.path, "./"+pkg)
		} else {
			err = stack.Build(".", pkg, v.path, b.overlay)
		}
		if err == nil {
			v.size, v.zip, err = sizes(v.path)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// node bundles the variants in Node, as package.json says.
func (b *builder) node() ([]variant, error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(b.dir, "node")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if err := os.CopyFS(dir, os.DirFS("proof/bench/variants/node")); err != nil {
		return nil, err
	}
	if err := command(dir, "npm", "install", "--no-audit", "--no-fund", "--prefer-offline"); err != nil {
		return nil, err
	}
	if err := command(dir, "npm", "run", "build"); err != nil {
		return nil, err
	}
	env := maps.Clone(b.services.env)
	env["NODE_EXTRA_CA_CERTS"] = filepath.Join(b.dir, "root.pem")
	all := []variant{
		{name: "claims in Node", path: "trigger", event: b.token},
		{name: "sync in Node", path: "sync", event: b.signIn, env: env, syncs: true},
	}
	for i := range all {
		v := &all[i]
		if v.size, v.zip, err = sizes(filepath.Join(dir, "dist", v.path+".js")); err != nil {
			return nil, err
		}
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' '%s/dist/%s.js'\n", node, dir, v.path)
		v.path = filepath.Join(dir, "dist", v.path+".sh")
		if err := os.WriteFile(v.path, []byte(script), 0o755); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func command(dir, name string, args ...string) error {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

// sizes are the bytes of a file, as it is and compressed as in a zip.
func sizes(path string) (size, zip int, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, 0, err
	}
	var compressed bytes.Buffer
	w, err := flate.NewWriter(&compressed, flate.BestCompression)
	if err != nil {
		return 0, 0, err
	}
	if _, err := w.Write(data); err != nil {
		return 0, 0, err
	}
	err = w.Close()
	return len(data), compressed.Len(), err
}
