package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/persistence"
)

func TestTheBackupRouteAnswersWithABackup(t *testing.T) {
	t.Parallel()
	store := persistence.NewMemory()
	taken := 0
	f := &fakeRuntime{backup: func(ctx context.Context, w io.Writer) error {
		taken++
		_, err := store.Backup(ctx, w)
		return err
	}}
	v := serveFake(t, f, Options{})
	resp, err := http.Get("http://" + v.Admin + "/backup")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := persistence.CheckBackup(resp.Body); err != nil {
		t.Error(err)
	}
	h := resp.Header
	if h.Get("Content-Type") != "application/octet-stream" || h.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(h.Get("Content-Disposition"), `attachment; filename="dormouse-2`) || h.Get("X-Request-Id") == "" {
		t.Errorf("headers %v", h)
	}
	head, err := http.Head("http://" + v.Admin + "/backup")
	if err != nil || head.StatusCode != 200 || head.Header.Get("Content-Disposition") == "" || taken != 1 {
		t.Errorf("HEAD: %v, %v, %d backups", head, err, taken)
	}
}

func TestABackupThatCannotBeginIsAnswered(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err           error
		status        int
		message, wait string
	}{
		{persistence.ErrBackupUnderWay, 429, "another backup is being taken", "10"},
		{fmt.Errorf("%w: %w", actors.ErrStopped, persistence.ErrClosed), 503, "stopped", "1"},
		{errors.New("/var/lib/secret"), 500, "internal error", ""},
	} {
		h := testServer(t, &fakeRuntime{backup: func(context.Context, io.Writer) error { return c.err }}, Options{}).AdminHandler()
		w := ask(h, "GET", "/backup", "")
		if w.Code != c.status || !strings.Contains(w.Body.String(), c.message) || w.Header().Get("Retry-After") != c.wait {
			t.Errorf("%v: %d %s %v", c.err, w.Code, w.Body, w.Header())
		}
		if d := w.Header().Get("Content-Disposition"); d != "" {
			t.Errorf("%v: it is offered as a file, %s", c.err, d)
		}
	}
	h := testServer(t, &fakeRuntime{}, Options{}).AdminHandler()
	if w := ask(h, "GET", "/backup?x=1", ""); w.Code != 400 {
		t.Errorf("a parameter: %d", w.Code)
	}
	if w := ask(h, "POST", "/backup", ""); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

// TestABackupThatFailsInTheMiddleHasNoEnd reads what arrives of one, and its reason.
func TestABackupThatFailsInTheMiddleHasNoEnd(t *testing.T) {
	t.Parallel()
	const reason = "the rest of it, which must arrive"
	f := &fakeRuntime{backup: func(_ context.Context, w io.Writer) error {
		for _, part := range []string{"begun, ", reason} {
			if _, err := io.WriteString(w, part); err != nil {
				return err
			}
		}
		return errors.New("it fails")
	}}
	v := serveFake(t, f, Options{})
	resp, err := http.Get("http://" + v.Admin + "/backup")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasSuffix(string(content), reason) {
		t.Errorf("%q, %v", content, err)
	}
}

// TestWritesOfABackupAreBoundedAndItsPausesAreNot takes nothing of one backup, and
// pauses within another one, over both versions of HTTP.
func TestWritesOfABackupAreBoundedAndItsPausesAreNot(t *testing.T) {
	t.Parallel()
	const patience = 100 * time.Millisecond
	piece := bytes.Repeat([]byte("x"), 1<<20)
	for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
		ended := make(chan error, 1)
		f := &fakeRuntime{}
		v := serveFake(t, f, Options{TransferTimeout: patience})
		client := &http.Client{Transport: &http.Transport{}}
		if protocol == "HTTP/2.0" {
			p := new(http.Protocols)
			p.SetUnencryptedHTTP2(true)
			client.Transport = &http.Transport{Protocols: p}
		}
		get := func() *http.Response {
			resp, err := client.Get("http://" + v.Admin + "/backup")
			if err != nil || resp.Proto != protocol {
				t.Fatal(resp, err)
			}
			return resp
		}
		f.backup = func(_ context.Context, w io.Writer) (err error) {
			for err == nil {
				_, err = w.Write(piece)
			}
			ended <- err
			return err
		}
		resp := get()
		select {
		case err := <-ended:
			if !errors.Is(err, errNoAnswer) {
				t.Errorf("%s: it ends with %v", protocol, err)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s: it is written for ever", protocol)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err == nil {
			t.Errorf("%s: the slow client sees an end", protocol)
		}
		_ = resp.Body.Close()

		f.backup = func(_ context.Context, w io.Writer) error {
			_, err := w.Write(piece)
			<-time.After(5 * patience)
			if err == nil {
				_, err = w.Write(piece)
			}
			return err
		}
		resp = get()
		if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 2<<20 {
			t.Errorf("%s: after a pause %d bytes, %v", protocol, n, err)
		}
		_ = resp.Body.Close()
		client.CloseIdleConnections()
	}
}
