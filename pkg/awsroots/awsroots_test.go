package awsroots

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
)

// The certificate authorities of these tests. Go reads the system's roots once in a process,
// so they are written before any test runs.
var first, system, unknown authority

func TestMain(m *testing.M) {
	os.Exit(func() int {
		first, system, unknown = newAuthority("first"), newAuthority("system"), newAuthority("unknown")
		dir, err := os.MkdirTemp("", "awsroots")
		if err != nil {
			panic(err)
		}
		defer os.RemoveAll(dir)
		path := filepath.Join(dir, "system.pem")
		if err := os.WriteFile(path, system.pem(), 0o600); err != nil {
			panic(err)
		}
		os.Setenv("SSL_CERT_FILE", path)
		os.Setenv("SSL_CERT_DIR", "/nonexistent")
		return m.Run()
	}())
}

type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(name string) authority {
	return newCertificate(authority{}, x509.Certificate{
		Subject:               pkix.Name{CommonName: name},
		NotAfter:              time.Now().Add(time.Hour),
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign,
	})
}

func newCertificate(by authority, c x509.Certificate) authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	if by.key == nil {
		by = authority{&c, key}
	}
	c.SerialNumber = big.NewInt(1)
	c.NotBefore = time.Now().Add(-2 * time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, &c, by.certificate, &key.PublicKey, by.key)
	if err != nil {
		panic(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return authority{certificate, key}
}

func (a authority) pem() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
}

// serve returns the URL of a server with a certificate for a host, and a counter of the
// requests that it received.
func (a authority) serve(t *testing.T, host string, expires time.Time) (string, *atomic.Int32) {
	t.Helper()
	leaf := newCertificate(a, x509.Certificate{
		DNSNames:    []string{host},
		NotAfter:    expires,
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	requests := new(atomic.Int32)
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		requests.Add(1)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.certificate.Raw}, PrivateKey: leaf.key}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, requests
}

// get calls a URL and returns the error.
func get(t *testing.T, client aws.HTTPClient, url string) error {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// useFirst makes an authority the one that First tries first.
func useFirst(t *testing.T, a authority) {
	t.Helper()
	before := amazon
	t.Cleanup(func() { amazon = before })
	amazon = func() *x509.CertPool {
		pool := x509.NewCertPool()
		pool.AddCert(a.certificate)
		return pool
	}
}

func load(t *testing.T, client aws.HTTPClient) aws.Config {
	t.Helper()
	t.Setenv("AWS_CONFIG_FILE", "/nonexistent")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("eu-west-1"), config.WithHTTPClient(client))
	if err != nil {
		t.Fatal(err)
	}
	First(&cfg)
	return cfg
}

// Verification is as strict as without this package: host, dates and chain.
func TestVerification(t *testing.T) {
	useFirst(t, first)
	later, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	const host = "secretsmanager.eu-west-1.amazonaws.com"
	bundle := func(a authority) string {
		path := filepath.Join(t.TempDir(), "bundle.pem")
		if err := os.WriteFile(path, a.pem(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rows := []struct {
		name    string
		issuer  authority
		host    string
		expires time.Time
		bundle  string // AWS_CA_BUNDLE
		dials   int32
		want    string // in the error; "" for a response
	}{
		{"a chain to the first roots takes one connection", first, host, later, "", 1, ""},
		{"a chain to the system's roots alone takes two", system, host, later, "", 2, ""},
		{"an unknown authority", unknown, host, later, "", 2, "certificate signed by unknown authority"},
		{"another host, by the first roots", first, "example.com", later, "", 2, "certificate is valid for example.com, not " + host},
		{"another host, by the system's roots", system, "example.com", later, "", 2, "certificate is valid for example.com, not " + host},
		{"expired, by the first roots", first, host, past, "", 2, "certificate has expired"},
		{"expired, by the system's roots", system, host, past, "", 2, "certificate has expired"},
		{"AWS_CA_BUNDLE is trusted", unknown, host, later, bundle(unknown), 1, ""},
		{"with AWS_CA_BUNDLE the first roots are not trusted", first, host, later, bundle(unknown), 1, "certificate signed by unknown authority"},
		{"with AWS_CA_BUNDLE the system's roots are not trusted", system, host, later, bundle(unknown), 1, "certificate signed by unknown authority"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Setenv("AWS_CA_BUNDLE", row.bundle)
			url, requests := row.issuer.serve(t, row.host, row.expires)
			var dials atomic.Int32
			cfg := load(t, here(url, &dials))
			err := get(t, cfg.HTTPClient, "https://"+host)
			switch {
			case row.want == "" && err != nil:
				t.Errorf("error %v, want a response", err)
			case row.want != "" && (err == nil || !strings.Contains(err.Error(), row.want)):
				t.Errorf("error %v, want %q", err, row.want)
			}
			wantRequests := int32(0)
			if row.want == "" {
				wantRequests = 1
			}
			if got := requests.Load(); got != wantRequests {
				t.Errorf("the server received %d requests, want %d", got, wantRequests)
			}
			if got := dials.Load(); got != row.dials {
				t.Errorf("%d connections, want %d", got, row.dials)
			}
		})
	}
}

// here returns a client whose connections all go to one server, and counts them.
func here(url string, dials *atomic.Int32) *awshttp.BuildableClient {
	return awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			dials.Add(1)
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(url, "https://"))
		}
	})
}

// A server that does not respond takes the time of one handshake, not the whole call's time.
func TestHandshakeIsBounded(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	t.Setenv("AWS_CA_BUNDLE", "")
	var dials atomic.Int32
	client := here("https://"+listener.Addr().String(), &dials).
		WithTransportOptions(func(t *http.Transport) { t.TLSHandshakeTimeout = time.Millisecond })
	cfg := load(t, client)
	if err := get(t, cfg.HTTPClient, "https://sqs.eu-west-1.amazonaws.com"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want a timeout", err)
	}
	if got := dials.Load(); got != 1 {
		t.Errorf("%d connections, want 1", got)
	}
}

// First changes only the SDK's own kind of client.
func TestOtherClientsStay(t *testing.T) {
	cfg := aws.Config{HTTPClient: http.DefaultClient}
	First(&cfg)
	if cfg.HTTPClient != http.DefaultClient {
		t.Errorf("the client is %T", cfg.HTTPClient)
	}
}

// The hashes are those of the public keys in the table of www.amazontrust.com/repository.
func TestEmbeddedRoots(t *testing.T) {
	want := []string{
		"CN=Amazon Root CA 1,O=Amazon,C=US fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
		"CN=Amazon Root CA 2,O=Amazon,C=US 7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
		"CN=Amazon Root CA 3,O=Amazon,C=US 36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
		"CN=Amazon Root CA 4,O=Amazon,C=US f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
		"CN=Starfield Services Root Certificate Authority - G2,O=Starfield Technologies\\, Inc.,L=Scottsdale,ST=Arizona,C=US 2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92",
	}
	var got []string
	for rest := embedded; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
		got = append(got, c.Subject.String()+" "+hex.EncodeToString(sum[:]))
		if !c.IsCA || c.CheckSignatureFrom(c) != nil {
			t.Errorf("%s is not a root", c.Subject)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}
