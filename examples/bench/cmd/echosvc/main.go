// Command echosvc is the ceiling of the HTTP side: Echo, which reads the body of
// POST /:object/:key/:handler and answers a constant. With -net it is bare
// net/http.
package main

import (
	"io"
	"net/http"
	"os"

	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
	"github.com/labstack/echo/v4"
)

func main() {
	fs := command.Flags("echosvc")
	addr := fs.String("addr", "127.0.0.1:28610", "`address` to listen on")
	bare := fs.Bool("net", false, "net/http without Echo")
	command.Exit("echosvc", command.Parse(fs, os.Args[1:]))
	handler := http.Handler(withEcho())
	if *bare {
		handler = withoutEcho()
	}
	command.Exit("echosvc", http.ListenAndServe(*addr, handler))
}

func withEcho() *echo.Echo {
	e := echo.New()
	e.POST("/:object/:key/:handler", func(c echo.Context) error {
		if _, err := io.ReadAll(c.Request().Body); err != nil {
			return err
		}
		return c.Blob(http.StatusOK, "application/json", []byte("1"))
	})
	return e
}

func withoutEcho() *http.ServeMux {
	m := http.NewServeMux()
	m.HandleFunc("POST /{object}/{key}/{handler}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte("1")) // a caller that is gone does not want it
	})
	return m
}
