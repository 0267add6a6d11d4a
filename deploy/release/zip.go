package main

import (
	"archive/zip"
	"compress/flate"
	"io"
	"os"
	"time"
)

// epoch is the first day that a zip can tell.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// writeZip makes the deployment package that Lambda takes for an OS-only runtime:
// an executable called bootstrap.
func writeZip(bootstrap, path string) error {
	binary, err := os.ReadFile(bootstrap)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	z := zip.NewWriter(file)
	z.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestCompression) })
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: epoch}
	header.SetMode(0o755)
	w, err := z.CreateHeader(header)
	if err != nil {
		return err
	}
	if _, err := w.Write(binary); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return file.Close()
}
