// Package postgres runs a PostgreSQL server for proofs.
package postgres

import (
	"crypto/rand"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// initAndServe creates a cluster in PGDATA and becomes its server.
const initAndServe = `
printf %s "$PGPASSWORD" | initdb --username postgres --pwfile /dev/stdin --auth scram-sha-256 --encoding UTF8 --no-locale --no-sync
exec postgres -p "$PGPORT" -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off`

// Server returns a command that creates a cluster in a folder that does not exist and serves it
// on a port of 127.0.0.1. serverURL is that of the server, and ends with a slash.
func Server(folder, port string) (args, env []string, serverURL string) {
	password := rand.Text()
	args = []string{"sh", "-euc", initAndServe}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root. Debian's package has a user for it.
		args = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, args...)
	}
	u := url.URL{Scheme: "postgres", User: url.UserPassword("postgres", password), Host: "127.0.0.1:" + port, Path: "/"}
	return args, []string{"PGDATA=" + folder, "PGPORT=" + port, "PGPASSWORD=" + password}, u.String()
}

// Path returns PATH with the folders in which Debian has the server.
func Path() string {
	debian, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is valid
	return strings.Join(append([]string{os.Getenv("PATH")}, debian...), ":")
}
