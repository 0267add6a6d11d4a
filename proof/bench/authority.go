//go:build linux

package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// An authority issues as AWS's does: from a root by way of another certificate, with
// RSA keys of 2,048 bits.
type authority struct {
	root   []byte // PEM
	server tls.Certificate
}

func newAuthority() (authority, error) {
	names := []string{"bench root", "bench intermediate", "bench server"}
	var a authority
	var parent *x509.Certificate
	var parentKey *rsa.PrivateKey
	for i, name := range names {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return a, err
		}
		template := &x509.Certificate{
			SerialNumber:          big.NewInt(int64(i + 1)),
			Subject:               pkix.Name{CommonName: name},
			NotBefore:             time.Now().Add(-time.Hour),
			NotAfter:              time.Now().Add(24 * time.Hour),
			BasicConstraintsValid: true,
			IsCA:                  i < 2,
			KeyUsage:              x509.KeyUsageCertSign,
		}
		if i == 2 {
			template.KeyUsage = x509.KeyUsageDigitalSignature
			template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
			template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
		}
		if parent == nil {
			parent, parentKey = template, key
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
		if err != nil {
			return a, err
		}
		if parent, err = x509.ParseCertificate(der); err != nil {
			return a, err
		}
		parentKey = key
		if i == 0 {
			a.root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		} else {
			// The server's own goes first.
			a.server.Certificate = append([][]byte{der}, a.server.Certificate...)
		}
		a.server.PrivateKey = key
	}
	return a, nil
}

// certificates lays out a folder as Amazon Linux 2023 has it (golang/go#79018): one
// bundle, and every certificate again in a file of its own under each/. The bench's
// root is among them. system is the bundle of this machine.
func (a authority) certificates(dir, system string) (bundle, each string, err error) {
	all, err := os.ReadFile(system)
	if err != nil {
		return "", "", fmt.Errorf("%w: the bench needs a bundle of certificates, such as Debian's ca-certificates", err)
	}
	all = append(all, a.root...)
	bundle, each = filepath.Join(dir, "bundle.pem"), filepath.Join(dir, "each")
	if err := os.MkdirAll(each, 0o755); err != nil {
		return "", "", err
	}
	if err := os.WriteFile(bundle, all, 0o644); err != nil {
		return "", "", err
	}
	for i, rest := 0, all; ; i++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return bundle, each, nil
		}
		if err := os.WriteFile(filepath.Join(each, fmt.Sprintf("%03d.pem", i)), pem.EncodeToMemory(block), 0o644); err != nil {
			return "", "", err
		}
	}
}

// overlay makes go build take the bench's root for one more of Amazon's, which is the
// only way in which the program that is measured differs from the one that is
// deployed. It returns the flag.
func (a authority) overlay(root, dir string) (string, error) {
	path, err := filepath.Abs(filepath.Join(root, "pkg/awsroots/roots.pem"))
	if err != nil {
		return "", err
	}
	roots, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	more := filepath.Join(dir, "roots.pem")
	if err := os.WriteFile(more, bytes.Join([][]byte{roots, a.root}, nil), 0o644); err != nil {
		return "", err
	}
	replace, err := json.Marshal(map[string]any{"Replace": map[string]string{path: more}})
	if err != nil {
		return "", err
	}
	list := filepath.Join(dir, "overlay.json")
	return "-overlay=" + list, os.WriteFile(list, replace, 0o644)
}
