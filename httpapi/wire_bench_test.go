package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// BenchmarkWire sends requests over a connection of loopback and reads the
// answers. The row echo is what the same request costs a handler that reads the
// body, by Echo alone: what the others cost above it is ours. cpu-ns/op is the
// processor time of the whole process, client included, which is the same for
// all rows.
func BenchmarkWire(b *testing.B) {
	bare := echo.New()
	bare.POST("/:service/:key/:handler", func(c echo.Context) error {
		if _, err := io.ReadAll(c.Request().Body); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, contentTypeJSON, []byte("1"))
	})
	s, err := newServer(&fakeRuntime{forgetful: true}, Options{Logger: quiet()})
	if err != nil {
		b.Fatal(err)
	}
	awakeable := ident.AwakeableID{Invocation: testID, Index: 17}.String()
	for _, row := range []struct {
		name, path string
		server     func() *http.Server
	}{
		{"echo", "/Obj/some-key/Add", func() *http.Server { return &http.Server{Handler: bare} }},
		{"call", "/Obj/some-key/Add", func() *http.Server { return hardened(s) }},
		{"send", "/Obj/some-key/Add/send", func() *http.Server { return hardened(s) }},
		{"resolve", "/restate/awakeables/" + awakeable + "/resolve", func() *http.Server { return hardened(s) }},
	} {
		b.Run(row.name, func(b *testing.B) { benchmarkWire(b, row.server(), row.path) })
	}
}

// hardened is the ingress as Serve sets it up.
func hardened(s *Server) *http.Server {
	ingress := s.newHTTP(context.Background(), s.front.ingress)
	s.defend(ingress, s.newHTTP(context.Background(), s.front.admin))
	return ingress
}

func benchmarkWire(b *testing.B, server *http.Server, path string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	request := []byte("POST " + path + " HTTP/1.1\r\nHost: h\r\nUser-Agent: bench\r\nContent-Type: application/json\r\nContent-Length: 1\r\n\r\n1")
	answers := bufio.NewReader(conn)
	b.ReportAllocs()
	before := processorTime(b)
	for b.Loop() {
		if _, err := conn.Write(request); err != nil {
			b.Fatal(err)
		}
		if err := skipAnswer(answers); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
	if err := errors.Join(conn.Close(), server.Close()); err != nil {
		b.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		b.Fatal(err)
	}
}

// skipAnswer reads one answer without memory of its own.
func skipAnswer(r *bufio.Reader) error {
	length, first := 0, true
	for {
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return err
		case first && line[len("HTTP/1.1 ")] != '2':
			return fmt.Errorf("answer %q", line)
		case len(line) == len("\r\n"):
			_, err := r.Discard(length)
			return err
		}
		first = false
		const name = "Content-Length: "
		if len(line) > len(name) && string(line[:len(name)]) == name {
			for _, digit := range line[len(name) : len(line)-len("\r\n")] {
				length = length*10 + int(digit-'0')
			}
		}
	}
}

// processorTime is what the process has used.
func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
