// Package awsroots makes the AWS SDK verify certificates against the roots of Amazon Trust
// Services before the system's roots. Reading the system's roots is the most expensive part
// of a small function's cold start.
//
// This trusts no new root: every system has Amazon's. It also keeps working if AWS changes
// its certificate authority: a certificate that Amazon's roots do not verify is verified
// against the system's roots.
package awsroots

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	_ "embed"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// embedded are the root certificates of Amazon Trust Services, which AWS tells its
// customers to trust (www.amazontrust.com/repository).
//
//go:embed roots.pem
var embedded []byte

var amazon = sync.OnceValue(func() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(embedded)
	return pool
})

// First makes the HTTP client of a loaded configuration try Amazon's roots first. It does
// nothing if the client has its own root CAs, as with AWS_CA_BUNDLE.
func First(cfg *aws.Config) {
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !ok {
		return
	}
	cfg.HTTPClient = client.WithTransportOptions(func(t *http.Transport) {
		if t.TLSClientConfig == nil {
			t.TLSClientConfig = new(tls.Config)
		}
		if t.TLSClientConfig.RootCAs != nil {
			return
		}
		d := dialer{dial: t.DialContext, config: t.TLSClientConfig, timeout: t.TLSHandshakeTimeout, first: amazon}
		t.DialTLSContext = d.dialTLS
		// One connection carries one request at a time, so HTTP/2 would only cost its set-up.
		t.ForceAttemptHTTP2 = false
	})
}

// A dialer opens TLS connections. crypto/tls verifies them.
type dialer struct {
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	config  *tls.Config // without RootCAs
	timeout time.Duration
	first   func() *x509.CertPool
}

// dialTLS connects, and connects again with the system's roots if the first roots did not
// verify the certificate. By then the server got nothing but the client's TLS greeting.
func (d dialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.handshake(ctx, network, addr, d.first())
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return d.handshake(ctx, network, addr, nil)
	}
	return conn, err
}

// handshake connects and verifies the certificate against roots; nil means the system's.
func (d dialer) handshake(ctx context.Context, network, addr string, roots *x509.CertPool) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	plain, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	config := d.config.Clone()
	config.RootCAs = roots
	if config.ServerName == "" {
		config.ServerName = host
	}
	ctx, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		_ = plain.Close()
		return nil, err
	}
	return conn, nil
}
