package actors_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// watcher follows the events of one child after the other. It judges what it is
// told by itself, and by what the next child knows: an event is only sent of what
// is durable.
type watcher struct {
	c *killClients
	// last is the position of the last frame, "" before the first one, and boot
	// and n what stands in it.
	last    string
	boot, n uint64
	// ended are the invocations of this boot whose end was told.
	ended map[string]bool
	// told is the last invocation that has ended and is kept, in hour.
	told string
	hour int64
}

// watch follows events until the loop ends.
func (c *killClients) watch() {
	w := &watcher{c: c, ended: map[string]bool{}}
	for !c.stop.Load() {
		if err := w.follow(); err != nil {
			c.complain("events behind %s: %v", w.last, err)
			return
		}
		if w.told != "" && c.hour.Load() < w.hour+20 { // of the 24 for which it is kept
			c.until(killAsk{method: http.MethodGet, url: c.url + "/restate/invocation/" + w.told + "/output"}, http.StatusOK)
			c.note("told and kept")
		}
		w.told = ""
	}
}

// follow reads one stream to its end. Its error is one of the stream itself.
func (w *watcher) follow() error {
	r, err := http.NewRequestWithContext(w.c.ctx, http.MethodGet, w.c.admin+"/introspection/events?topics=invocation", nil)
	if err != nil {
		return err
	}
	if w.last != "" {
		r.Header.Set("Last-Event-ID", w.last)
	}
	resp, err := w.c.http.Do(r)
	if err != nil {
		<-time.After(20 * time.Millisecond) // the child is being replaced
		return nil
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		<-time.After(20 * time.Millisecond)
		return nil
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	frame := map[string]string{}
	for lines.Scan() && !w.c.stop.Load() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		if frame[name] = value; lines.Text() != "" {
			continue
		}
		if err := w.take(frame["id"], frame["event"], frame["data"]); err != nil {
			return err
		}
		clear(frame)
	}
	return nil // a child that is killed ends it anywhere
}

// take judges one frame: positions rise within a start of the process, an
// earlier start is not gone on with, and nothing is told of an invocation behind
// its end but that it is removed.
func (w *watcher) take(id, event, data string) error {
	first, second, _ := strings.Cut(id, "-")
	boot, err := strconv.ParseUint(first, 10, 64)
	if err != nil {
		return fmt.Errorf("the position %q of %q: %w", id, event, err)
	}
	n, err := strconv.ParseUint(second, 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("the position %q of %q: %w", id, event, err)
	case boot < w.boot || boot == w.boot && (n < w.n || n == w.n && event != "" && event != "reset"):
		return fmt.Errorf("%q at %s comes behind %s", event, id, w.last)
	case boot != w.boot && w.last != "" && event != "reset":
		return fmt.Errorf("%q at %s without a reset", event, id)
	case boot != w.boot:
		clear(w.ended)
		w.c.note("boots watched")
	}
	w.last, w.boot, w.n = id, boot, n
	if event == "" || event == "reset" {
		return nil
	}
	var of struct {
		ID, Target string
	}
	if err := json.Unmarshal([]byte(data), &of); err != nil {
		return fmt.Errorf("%q at %s: %w: %.300s", event, id, err, data)
	}
	switch {
	case event == "invocation.removed":
		delete(w.ended, of.ID)
	case w.ended[of.ID] && event != "invocation.created":
		return fmt.Errorf("%q at %s of %s, which has ended", event, id, of.ID)
	case event == "invocation.created": // an id may live again
		delete(w.ended, of.ID)
	case event == "invocation.completed":
		w.ended[of.ID] = true
		if strings.HasPrefix(of.Target, "Account/a") {
			w.told, w.hour = of.ID, w.c.hour.Load()
		}
	}
	return nil
}
