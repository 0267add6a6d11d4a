//go:build !windows

package stack

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"
)

// reserve binds a free port without listening on it. Connections to it are refused, and no other process gets it.
func reserve() (address string, release func() error, err error) {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		return "", nil, fmt.Errorf("reserve a port: %w", err)
	}
	unix.CloseOnExec(socket)
	err = errors.Join(unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1),
		unix.Bind(socket, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, nameErr := unix.Getsockname(socket)
	if err = errors.Join(err, nameErr); err != nil {
		return "", nil, fmt.Errorf("reserve a port: %w", errors.Join(err, unix.Close(socket)))
	}
	return fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port), func() error { return unix.Close(socket) }, nil
}

// sharePort lets a listener use the port that a socket reserves.
func sharePort(_, _ string, c syscall.RawConn) error {
	var refused error
	err := c.Control(func(socket uintptr) {
		refused = unix.SetsockoptInt(int(socket), unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
	})
	return errors.Join(err, refused)
}
