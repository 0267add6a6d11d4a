package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

// builtIn is the folder of the functions, once they are built.
var builtIn string

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "play")
	builtIn = dir
	for _, name := range append(functions.All(), functions.Optional()...) {
		if err == nil {
			err = stack.Build("../..", "functions/"+name, filepath.Join(dir, name, "bootstrap"))
		}
	}
	if err == nil {
		err = stack.Build("../..", "cmd/hasura-cognito", filepath.Join(dir, "hasura-cognito"))
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(builtIn)
	os.Exit(code)
}

// start returns a page with the built functions.
func start(t *testing.T) *app { return startWith(t, nil) }

func startWith(t *testing.T, chosen stack.Settings) *app {
	t.Helper()
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(t.Context(), dir, os.DirFS("../.."), chosen)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestRun(t *testing.T) {
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	home := t.TempDir()
	t.Setenv("TMPDIR", home)
	t.Setenv("HOME", home)
	ctx, stop := context.WithCancel(t.Context())
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	var stderr strings.Builder
	go func() {
		code <- run(ctx, []string{"-functions", dir}, func(string) string { return "" }, writer, &stderr)
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(line, "Open ")
	url, _, _ := strings.Cut(rest, " ")
	if !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("output = %q, want an address on 127.0.0.1", line)
	}
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != 200 || !strings.Contains(string(body), "<h1>Users") {
		t.Errorf("%s: status %d, error %v, body\n%s", url, response.StatusCode, err, body)
	}
	response.Body.Close()
	page, err := http.PostForm(url+"/users", map[string][]string{"email": {"ada@example.com"}, "how": {"sign-in"}})
	if err != nil || page.StatusCode != 200 {
		t.Errorf("sign up: %v, %v", page, err)
	}
	page.Body.Close()
	stop()
	if files, err := os.ReadDir(home); err != nil || len(files) > 0 {
		t.Errorf("files on the disk: %v, error %v; want none", files, err)
	}
	if got := <-code; got != 0 || stderr.String() != "" {
		t.Errorf("exit code = %d, want 0; stderr: %s", got, &stderr)
	}
}

func TestRunErrors(t *testing.T) {
	rows := []struct {
		name string
		args []string
		env  map[string]string
		want string
	}{
		{"nothing is built", []string{"-functions", t.TempDir()}, nil, "`make play` builds the functions"},
		{"an unknown flag", []string{"-nonsense"}, nil, "flag provided but not defined"},
		{"a port that is a text", []string{"-port", "nonsense"}, nil, "PORT: "},
		{"an invalid setting", []string{"-port", "0"}, map[string]string{"CLAIMS_FORMAT": "nonsense"}, "CLAIMS_FORMAT: "},
		{"an unknown variable", []string{"-port", "0", "-variables", "PORT ROLES ROLE"}, nil, "ROLE: not a setting. make play knows PORT, "},
		{"a setting of the environment", []string{"-port", "0"}, map[string]string{"GRAPHQL_DOMAIN": "example.com"}, "GRAPHQL_DOMAIN: the local environment sets it"},
	}
	for _, row := range rows {
		if dir, err := built(); err != nil {
			t.Fatal(err)
		} else if len(row.args) > 0 && row.args[0] != "-functions" {
			row.args = append(row.args, "-functions", dir)
		}
		var stderr strings.Builder
		if code := run(t.Context(), row.args, func(name string) string { return row.env[name] }, io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), row.want) {
			t.Errorf("%s: exit code %d, stderr %q, want 2 and %q", row.name, code, stderr.String(), row.want)
		}
	}
}

// The AWS configuration of the machine holds credentials and endpoints. The page must not be able to load it.
func TestNoAWSConfiguration(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		if name := strings.TrimSpace(line); name == "github.com/aws/aws-sdk-go-v2/config" {
			t.Errorf("the page imports %s, which loads the AWS configuration of the machine", name)
		}
	}
}
