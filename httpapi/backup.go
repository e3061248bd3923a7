package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/persistence"
)

// backupSource is what the backup needs of *actors.Runtime.
type backupSource interface {
	Backup(ctx context.Context, w io.Writer) (persistence.BackupInfo, error)
}

const (
	headerDisposition = "Content-Disposition"
	contentTypeBinary = "application/octet-stream"
	// layoutBackup names the file of a backup by the time at which it began.
	layoutBackup = "20060102T150405Z"
	// backupWriteTimeout bounds the departure of each piece of a backup, if
	// Options.TransferTimeout is not shorter: a client that takes less than a
	// megabyte in that time is too slow.
	backupWriteTimeout = 30 * time.Second
)

// backupRoute adds the backup to the admin port.
func (s *Server) backupRoute(e *echo.Echo) { e.GET("/backup", s.backup, bare) }

// backup serves GET /backup. A backup that fails has no end: the connection is
// closed, and the last frame, if it arrives, says why.
func (s *Server) backup(c echo.Context) error {
	if err := s.skipBody(c.Request()); err != nil {
		return err
	}
	ctx := c.Request().Context()
	w := &backupBody{response: c.Response(), control: http.NewResponseController(c.Response().Writer), patience: min(s.opts.TransferTimeout, backupWriteTimeout)}
	if ctx.Value(askedForHead{}) != nil {
		w.headers()
		return s.writeBody(c.Response(), http.StatusOK, nil)
	}
	if _, err := s.rt.Backup(ctx, w); err != nil {
		return err
	}
	w.deadline(w.patience) // for what net/http sends by itself
	return nil
}

// backupBody writes a backup as the body of an answer.
type backupBody struct {
	response *echo.Response
	control  *http.ResponseController
	patience time.Duration
}

func (b *backupBody) headers() {
	set(b.response, headerContentType, contentTypeBinary)
	set(b.response, headerCacheControl, "no-store")
	set(b.response, headerBuffering, "no")
	set(b.response, headerDisposition, `attachment; filename="dormouse-`+time.Now().UTC().Format(layoutBackup)+`.backup"`)
}

// deadline bounds what is written from now on; 0 is no bound.
func (b *backupBody) deadline(after time.Duration) {
	at := time.Time{}
	if after > 0 {
		at = time.Now().Add(after)
	}
	_ = b.control.SetWriteDeadline(at) // recorders of tests have no deadline, which does no harm
}

// Write implements io.Writer. It bounds the write, not the time until the next
// one: on HTTP/2 a deadline that passes ends the stream.
func (b *backupBody) Write(p []byte) (int, error) {
	if !b.response.Committed {
		b.headers()
	}
	b.deadline(b.patience)
	n, err := b.response.Write(p)
	if err == nil {
		err = b.control.Flush() // or the last frame of one that fails would never leave
	}
	if err != nil {
		return n, errors.Join(errNoAnswer, err)
	}
	b.deadline(0)
	return n, nil
}
