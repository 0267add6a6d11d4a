// Command relay stands in a container's network for servers outside of it: whatever
// comes to a port goes to a socket of the host that is mounted into the container.
//
//	relay :80 /sockets/hasura :4566 /sockets/secrets
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"sync"
)

func main() {
	args := os.Args[1:]
	if len(args) == 0 || len(args)%2 != 0 {
		fmt.Fprintln(os.Stderr, "usage: relay <address> <socket> ...")
		os.Exit(2)
	}
	failed := make(chan error)
	for i := 0; i < len(args); i += 2 {
		l, err := net.Listen("tcp", args[i])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() { failed <- serve(l, args[i+1]) }()
	}
	fmt.Fprintln(os.Stderr, <-failed)
	os.Exit(1)
}

// serve passes connections on until the listener fails.
func serve(l net.Listener, socket string) error {
	for {
		in, err := l.Accept()
		if err != nil {
			return err
		}
		go pass(in, socket)
	}
}

func pass(in net.Conn, socket string) {
	defer in.Close()
	out, err := net.Dial("unix", socket)
	if err != nil {
		return // the caller sees its connection end
	}
	defer out.Close()
	var both sync.WaitGroup
	both.Go(func() { forward(out.(*net.UnixConn), in) })
	both.Go(func() { forward(in.(*net.TCPConn), out) })
	both.Wait()
}

// forward copies until from is at its end, and says so to the other side.
func forward(to interface {
	io.Writer
	CloseWrite() error
}, from io.Reader) {
	// A connection that breaks ends the copy like one that is closed.
	_, _ = io.Copy(to, from)
	_ = to.CloseWrite()
}
