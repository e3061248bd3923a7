package httpapi

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/guard"
)

// authority is a certificate that signs itself, in files.
type authority struct {
	TLSFiles
	pool *x509.CertPool
}

// certify writes a new certificate for this machine, named by its serial number.
func certify(t *testing.T, dir string, serial int64) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	a := authority{TLSFiles{Cert: filepath.Join(dir, "cert.pem"), Key: filepath.Join(dir, "key.pem")}, x509.NewCertPool()}
	for path, block := range map[string]*pem.Block{a.Cert: {Type: "CERTIFICATE", Bytes: der}, a.Key: {Type: "PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	a.pool.AppendCertsFromPEM(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	return a
}

// get asks over TLS and returns the answer and what was negotiated.
func (a authority) get(t *testing.T, url string, change func(*tls.Config), h2 bool) (*http.Response, error) {
	t.Helper()
	config := &tls.Config{RootCAs: a.pool}
	if change != nil {
		change(config)
	}
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: h2, DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport, Timeout: time.Minute}).Get(url)
	if err == nil {
		_ = resp.Body.Close()
	}
	return resp, err
}

func TestEachPortIsEncryptedWithFilesOfItsOwn(t *testing.T) {
	t.Parallel()
	in, admin := certify(t, t.TempDir(), 1), certify(t, t.TempDir(), 2)
	v := serveFake(t, guarded(), Options{Safety: Safety{IngressTLS: in.TLSFiles, AdminTLS: admin.TLSFiles}})
	for _, h2 := range []bool{false, true} {
		resp, err := in.get(t, "https://"+v.Ingress+"/restate/health", nil, h2)
		if err != nil || resp.StatusCode != 200 || (resp.ProtoMajor == 2) != h2 {
			t.Errorf("with HTTP/2 %t: %+v, %v", h2, resp, err)
		}
	}
	if resp, err := admin.get(t, "https://"+v.Admin+"/health", nil, false); err != nil || resp.StatusCode != 200 {
		t.Errorf("the admin port: %v, %v", resp, err)
	}
	if _, err := in.get(t, "https://"+v.Admin+"/health", nil, false); err == nil {
		t.Error("the admin port shows the certificate of the ingress")
	}
	old := func(c *tls.Config) { c.MaxVersion = tls.VersionTLS11 }
	if _, err := in.get(t, "https://"+v.Ingress+"/restate/health", old, false); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	resp, err := http.Get("http://" + v.Ingress + "/restate/health")
	if err != nil || resp.StatusCode != http.StatusBadRequest {
		t.Errorf("without TLS: %v, %v", resp, err)
	}
	for _, path := range []string{"/version", "/"} {
		h := testServer(t, guarded(), Options{Safety: Safety{IngressTLS: in.TLSFiles}}).AdminHandler()
		if w := ask(h, "GET", path, ""); !strings.Contains(w.Body.String(), `"ingress_endpoint":"https://`) {
			t.Errorf("%s says %s", path, w.Body)
		}
	}
}

func TestACertificateIsReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	a := certify(t, dir, 1)
	var log bytes.Buffer
	config, err := a.config("ingress", slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	serial := func() int64 {
		// The files are looked at once a second.
		c, err := config.GetCertificate(nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Leaf.SerialNumber.Int64()
	}
	eventuallyTrue(t, "the first certificate", func() bool { return serial() == 1 })
	key, err := os.ReadFile(a.Key)
	if err != nil {
		t.Fatal(err)
	}
	certify(t, dir, 2)
	fresh, err := os.ReadFile(a.Key)
	if err != nil {
		t.Fatal(err)
	}
	// Who copies files copies one after the other.
	if err := os.WriteFile(a.Key, key, 0o600); err != nil {
		t.Fatal(err)
	}
	<-time.After(2 * guard.LookEvery)
	if got := serial(); got != 1 {
		t.Errorf("a certificate is used without its key: %d", got)
	}
	if err := os.WriteFile(a.Key, fresh, 0o600); err != nil {
		t.Fatal(err)
	}
	eventuallyTrue(t, "the second certificate", func() bool { return serial() == 2 })
	if n := strings.Count(log.String(), "cannot be used"); n != 1 {
		t.Errorf("the log complains %d times: %s", n, log.String())
	}
}

// eventuallyTrue waits until something holds.
func eventuallyTrue(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
		<-time.After(5 * time.Millisecond)
	}
}
