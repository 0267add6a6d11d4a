// Package awsroots verifies AWS's certificates against the few authorities that issue
// them before it turns to the system's, which take Go far longer to read: on a cold
// start that reading is the costliest single thing a small function does.
//
// Nothing is trusted that would not be otherwise: the few are among every system's
// authorities. And nothing stops working when AWS moves to another authority: a
// certificate that the few do not verify is put to the whole pool.
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

// embedded are the root certificates of Amazon Trust Services (Amazon Trust Services
// Repository, www.amazontrust.com), which AWS tells its customers to keep trusted.
//
//go:embed roots.pem
var embedded []byte

var amazon = sync.OnceValue(func() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(embedded)
	return pool
})

// First makes the clients of a loaded configuration try the few authorities first.
// It leaves alone what has authorities of its own, as with AWS_CA_BUNDLE, which are
// then the only ones.
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
		// One connection carries one request at a time here; HTTP/2 would only cost its set-up.
		t.ForceAttemptHTTP2 = false
	})
}

// A dialer opens connections that crypto/tls has verified.
type dialer struct {
	dial    func(ctx context.Context, network, addr string) (net.Conn, error)
	config  *tls.Config // without authorities, which means the system's
	timeout time.Duration
	first   func() *x509.CertPool
}

// dialTLS opens a second connection where the first pool has not verified the first:
// the other side has been sent nothing by then but a greeting.
func (d dialer) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := d.handshake(ctx, network, addr, d.first())
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return d.handshake(ctx, network, addr, nil)
	}
	return conn, err
}

// handshake verifies against the roots; nil means the system's.
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
