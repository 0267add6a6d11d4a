// Command play serves a page to try the functions with users, groups and settings of your own. It runs the built functions
// in the local environment until Ctrl-C.
//
//	make play              on a free port
//	make play PORT=8080    on this port
//	make play ROLES=a=b    with settings of the functions
//
// It listens on 127.0.0.1 alone, keeps everything in memory, and cannot reach AWS.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/stack"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the command. Its working directory is the root of the repository.
func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) (code int) {
	flags := flag.NewFlagSet("play", flag.ContinueOnError)
	flags.SetOutput(stderr)
	built := flags.String("functions", ".build", "folder with <function>/bootstrap for each function")
	port := flags.String("port", "0", "port on 127.0.0.1; 0 is a free one")
	variables := flags.String("variables", "", "names of the variables that make was given; an unknown one is refused")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	chosen, err := stack.ReadSettings(getenv)
	if err = errors.Join(err, stack.CheckVariables("play", strings.Fields(*variables), "PORT")); err == nil {
		err = serve(ctx, options{*built, *port, chosen}, stdout)
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	return 0
}

type options struct {
	built, port string
	settings    stack.Settings
}

func serve(ctx context.Context, o options, stdout io.Writer) (err error) {
	for _, function := range append(functions.All(), functions.Optional()...) {
		if _, err := os.Stat(filepath.Join(o.built, function, "bootstrap")); err != nil {
			return fmt.Errorf("no built function: %w\n`make play` builds the functions and runs this", err)
		}
	}
	if port, err := strconv.ParseUint(o.port, 10, 16); err != nil || strconv.FormatUint(port, 10) != o.port {
		return fmt.Errorf("PORT: %q is not a port from 1 to 65535. Leave it out to take a free one", o.port)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", o.port))
	if err != nil {
		return fmt.Errorf("PORT: %w. Choose another, or leave it out to take a free one", err)
	}
	app, err := newApp(ctx, o.built, os.DirFS("."), o.settings)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	defer func() { err = errors.Join(err, app.Close()) }()
	server := &http.Server{Handler: protect(listener.Addr().String(), app), ReadHeaderTimeout: 10 * time.Second}
	fmt.Fprintf(stdout, "Open http://%s in a browser. Press Ctrl-C to stop.\n", listener.Addr())
	closed := make(chan error, 1)
	go func() {
		<-ctx.Done()
		closed <- server.Close()
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return <-closed
}
