package guard

import (
	"crypto/tls"
	"fmt"
	"log/slog"
)

// Certificate returns the configuration of a port with the certificate of two
// PEM files, which are read again when they change. Connections that are open keep
// what they began with. Errors name the port.
func Certificate(port, cert, key string, log *slog.Logger) (*tls.Config, error) {
	pair, err := watch(log, func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("TLS of the %s: read certificate %s with key %s: %w", port, cert, key, err)
		}
		return &c, nil
	}, cert, key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return pair.get(), nil },
	}, nil
}
