package httpapi

import (
	"crypto/tls"
	"fmt"
	"log/slog"

	"github.com/dormouse-run/dormouse/internal/guard"
)

// TLSFiles are the files with which a port is encrypted, in PEM. Both are read
// again when they change; connections that are open keep what they began with.
type TLSFiles struct {
	// Cert has the certificate, followed by those between it and a root.
	Cert string
	// Key has its private key.
	Key string
}

// scheme is that of the URLs of a port.
func (f TLSFiles) scheme() string {
	if f == (TLSFiles{}) {
		return "http"
	}
	return "https"
}

// config returns the configuration of a port, nil when it is not encrypted.
func (f TLSFiles) config(port string, log *slog.Logger) (*tls.Config, error) {
	switch {
	case f == TLSFiles{}:
		return nil, nil
	case f.Cert == "":
		return nil, fmt.Errorf("TLS of the %s: there is a key and no certificate: name the file of the certificate as well", port)
	case f.Key == "":
		return nil, fmt.Errorf("TLS of the %s: there is a certificate and no key: name the file of the key as well", port)
	}
	return guard.Certificate(port, f.Cert, f.Key, log)
}
