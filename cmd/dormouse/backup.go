package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/dormouse-run/dormouse/persistence"
)

// Environment variables, which are those of the program.
const (
	envAdmin      = "DORMOUSE_ADMIN"
	envTokens     = "DORMOUSE_ADMIN_TOKENS"
	envTokensFile = "DORMOUSE_ADMIN_TOKENS_FILE"
)

const (
	backupArgs   = "[-admin URL] [-tokens FILE] FILE"
	defaultAdmin = "http://localhost:9070"
	// partialSuffix is that of the file until it is a backup.
	partialSuffix = ".partial"
	silence       = 2 * time.Minute
)

// backUp takes a backup over the admin port. FILE comes into being when the backup
// has arrived and was found whole.
func backUp(ctx context.Context, c console, args []string) (status int) {
	return statusOf(c, "backup", takeBackup(ctx, c, args))
}

func takeBackup(ctx context.Context, c console, args []string) error {
	r := request{silence: silence}
	flags := flag.NewFlagSet("backup", flag.ContinueOnError)
	flags.StringVar(&r.admin, "admin", cmp.Or(os.Getenv(envAdmin), defaultAdmin), "`URL` of the admin port ("+envAdmin+")")
	flags.StringVar(&r.tokens, "tokens", "", "`file` whose first token opens the admin port ("+envTokensFile+"; or the token itself in "+envTokens+")")
	args, err := parse(flags, c, backupArgs, args, 1)
	if err != nil {
		return err
	}
	name, said := args[0], teller{w: c.out}
	var t taken
	if name == "-" {
		if err := outputIsOpen(c.out); err != nil {
			return err
		}
		said.w = c.err
		t, err = r.fetch(ctx, c.out)
	} else {
		t, err = writeNew(name, func(w io.Writer) (taken, error) { return r.fetch(ctx, w) })
	}
	if err != nil {
		return err
	}
	info := t.info
	said.line("%s: %s", name, describe(info, t.size))
	if said.err != nil {
		return fmt.Errorf("%s is complete, but %w", name, said.err)
	}
	if info.Damaged > 0 {
		return fmt.Errorf("%s is complete, but %d of its rows were damaged in the store already: keep the backups of before, and let 'dormouse check' name them in a directory restored from it", name, info.Damaged)
	}
	return nil
}

// outputIsOpen refuses a standard output that was closed. The runtime of Go has opened
// the null device in its place then, for reading and writing, as nobody else does.
func outputIsOpen(w io.Writer) error {
	f, ok := w.(*os.File)
	if !ok {
		return nil
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_ACCMODE != unix.O_RDWR {
		return nil
	}
	out, err := f.Stat()
	null, nullErr := os.Stat(os.DevNull)
	if err = errors.Join(err, nullErr); err == nil && os.SameFile(out, null) {
		err = errors.New("standard output is closed: no backup was taken")
	}
	return err
}

// taken is a backup that has arrived: what it says, and how many bytes it has.
type taken struct {
	info persistence.BackupInfo
	size int64
}

// describe says what is in a backup of that many bytes.
func describe(i persistence.BackupInfo, size int64) string {
	return fmt.Sprintf("%d rows, %d chunks of large values, %d bytes, taken %s, boot %d, data format %d",
		i.Rows-i.Chunks, i.Chunks, size, i.Taken.UTC().Format(time.RFC3339), i.Boot, i.Format)
}

// writeNew lets write fill a file beside name, and gives it that name when it is
// complete and on the disk. Nothing is ever overwritten.
func writeNew(name string, write func(io.Writer) (taken, error)) (t taken, err error) {
	if err := absent(name); err != nil {
		return t, err
	}
	partial := name + partialSuffix
	f, err := os.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return t, fmt.Errorf("%s exists: another backup is under way, or one was killed; remove it then", partial)
	} else if err != nil {
		return t, err
	}
	t, err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = absent(name)
	}
	if err == nil {
		err = os.Rename(partial, name)
	}
	if err != nil {
		return t, errors.Join(err, os.Remove(partial))
	}
	return t, syncDir(filepath.Dir(name))
}

// absent refuses a name that is taken.
func absent(name string) error {
	_, err := os.Lstat(name)
	switch {
	case err == nil:
		return fmt.Errorf("%s exists, and is not overwritten: choose another name", name)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	default:
		return err
	}
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// request asks for a backup. Silence is how long nothing may arrive.
type request struct {
	admin, tokens string
	silence       time.Duration
}

// fetch writes the backup to w while it checks it.
func (r request) fetch(ctx context.Context, w io.Writer) (taken, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	quiet := time.AfterFunc(r.silence, func() { cancel(fmt.Errorf("nothing has arrived for %v", r.silence)) })
	defer quiet.Stop()
	resp, err := r.send(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return taken{}, fmt.Errorf("%w; no backup was taken", context.Cause(ctx))
	case errors.Is(err, syscall.ECONNREFUSED):
		return taken{}, fmt.Errorf("%w: is the program running, and is this its admin port? -admin or %s names another", err, envAdmin)
	case err != nil:
		return taken{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return taken{}, refusal(resp)
	}
	in := &input{r: lively{resp.Body, quiet, r.silence}}
	out := &output{w: w}
	info, err := persistence.CheckBackup(io.TeeReader(in, out))
	switch {
	case err != nil && out.err != nil:
		err = out.err // what follows from it is no news
	case err != nil && ctx.Err() != nil:
		err = fmt.Errorf("%w; no backup was taken", context.Cause(ctx))
	}
	return taken{info, in.n}, err
}

// output writes, and keeps what went wrong.
type output struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// lively reads, and winds up the alarm.
type lively struct {
	io.Reader
	quiet   *time.Timer
	silence time.Duration
}

// Read implements io.Reader.
func (l lively) Read(p []byte) (int, error) {
	n, err := l.Reader.Read(p)
	if n > 0 {
		l.quiet.Reset(l.silence)
	}
	return n, err
}

func (r request) send(ctx context.Context) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url(), nil)
	if err != nil {
		return nil, err
	}
	token, err := r.token()
	if err != nil {
		return nil, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, DisableCompression: true, DisableKeepAlives: true, ForceAttemptHTTP2: true},
		// Another place would get the token.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return client.Do(req)
}

// url returns where the backup is. An address to listen on, as the program takes it
// from the same variable, will do, and so will a port.
func (r request) url() string {
	admin := strings.TrimSuffix(r.admin, "/")
	if _, err := strconv.ParseUint(admin, 10, 16); err == nil {
		admin = ":" + admin
	}
	url := admin + "/backup"
	if strings.HasPrefix(url, ":") {
		url = "localhost" + url
	}
	if !strings.Contains(url, "://") {
		url = "http://" + url
	}
	return url
}

// token returns the token to show, "" for none.
func (r request) token() (string, error) {
	file := r.tokens
	if file == "" {
		list, _, _ := strings.Cut(os.Getenv(envTokens), ",")
		if token := strings.TrimSpace(list); token != "" {
			return token, nil
		}
		if file = os.Getenv(envTokensFile); file == "" {
			return "", nil
		}
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			return line, nil
		}
	}
	return "", fmt.Errorf("%s has no token: write one per line", file)
}

// refusal is the error of an answer that is no backup.
func refusal(resp *http.Response) error {
	content, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what is missing would have been an explanation
	var said struct{ Message string }
	if json.Unmarshal(content, &said) != nil || said.Message == "" || resp.StatusCode == http.StatusNotFound {
		said.Message = "is this the admin port of a program that has backups?"
	}
	return fmt.Errorf("GET %s: %s: %s", resp.Request.URL.Redacted(), resp.Status, said.Message)
}
