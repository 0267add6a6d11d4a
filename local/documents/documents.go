// Package documents is a second table for the local Hasura. Its rows belong to tenants:
// docs/tenants.md in practice.
package documents

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"testing/fstest"
)

//go:embed schema.graphql public_documents.yaml documents.sql
var own embed.FS

const tables = "hasura/metadata/databases/default/tables"

// AddTo returns the project with the table, its permissions and its part of the schema.
// The project is the folder graphql/.
func AddTo(project fs.FS) (fs.FS, error) {
	p := overlay{project, fstest.MapFS{}}
	for name, file := range map[string]string{"schema.graphql": "schema.graphql", path.Join(tables, "tables.yaml"): ""} {
		text, err := fs.ReadFile(project, name)
		if err != nil {
			return nil, err
		}
		more := []byte("- \"!include public_documents.yaml\"\n")
		if file != "" {
			if more, err = own.ReadFile(file); err != nil {
				return nil, err
			}
			if !bytes.Contains(text, []byte("scalar uuid\n")) {
				more = append([]byte("scalar uuid\n"), more...)
			}
		}
		p.files[name] = &fstest.MapFile{Data: append(append(text, '\n'), more...)}
	}
	metadata, err := own.ReadFile("public_documents.yaml")
	p.files[path.Join(tables, "public_documents.yaml")] = &fstest.MapFile{Data: metadata}
	return p, err
}

// Create creates the table and its rows, unless they are there.
func Create(ctx context.Context, db *sql.DB) error {
	text, err := own.ReadFile("documents.sql")
	if err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, string(text)); err != nil {
		return fmt.Errorf("create the table documents: %w", err)
	}
	return nil
}

// An overlay is a file system with further or other files.
type overlay struct {
	fs.FS
	files fstest.MapFS
}

func (o overlay) Open(name string) (fs.File, error) {
	if _, ok := o.files[name]; ok {
		return o.files.Open(name)
	}
	return o.FS.Open(name)
}
