package actors_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// life is what a client knows of one life of a workflow: what it has been
// promised. Only this client uses the id.
type life struct {
	c         *killClients
	id, token string
	// begun is an hour at or before the start of the run, ended one at or after
	// its end, won the value of the promise as it was acknowledged.
	begun, ended int64
	won          string
	// late says that the retention has ended under a request, which has begun a
	// life without a run: the id is of no use any more.
	late bool
}

// live lives one life of a workflow, from before its run to its removal, and
// judges every answer by those before. In half of the lives the promise is
// resolved before the run, in half a shared handler outlives the retention. It
// returns the id for the next life.
func (c *killClients) live(id string) (next string) {
	l := &life{c: c, id: id, token: c.key(), begun: c.hour.Load()}
	n := c.next.Load()
	early, held := n%2 == 0, n%4 < 2
	if early && !l.vacant() {
		return id
	}
	if early && !l.resolve() {
		return l.fresh()
	}
	hour := l.begun
	l.start()
	if early && c.hour.Load() >= hour+flowHours { // what was resolved may be gone
		c.until(l.ask("/resolve", l.won+"-anew", quoted(l.won)), http.StatusOK, http.StatusConflict)
	}
	waits := l.waits(2)
	if !early {
		l.resolve()
	}
	for _, wait := range waits {
		if got := <-wait; got != quoted(l.won) {
			c.complain("a wait for the promise of %s gives %s, acknowledged was %s", l.token, got, l.won)
		}
	}
	over := !l.judge()
	if l.late {
		return l.fresh()
	}
	if over {
		return id
	}
	c.note("lives")
	if held {
		l.hold()
	} else {
		l.expire()
	}
	return id
}

// fresh returns an id that nobody has used.
func (l *life) fresh() string {
	l.c.note("ids left behind")
	return "f-" + l.token
}

func quoted(s string) string { return fmt.Sprintf("%q", s) }

func (c *killClients) note(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.did[what]++
}

// ask is a request to a handler of the workflow. kind names it within the life.
func (l *life) ask(path, kind, body string) killAsk {
	a := killAsk{method: http.MethodPost, url: l.c.url + "/Flow/" + l.id + path, body: body}
	if kind != "" {
		a.key = l.token + "-" + kind
	}
	return a
}

// mayBeGone reports whether the retention of the run can be over by now.
func (l *life) mayBeGone() bool { return l.c.hour.Load() >= l.begun+flowHours }

// waits begins to wait for the promise, n times.
func (l *life) waits(n int) []<-chan string {
	waits := make([]<-chan string, n)
	for i := range waits {
		waits[i] = l.wait(fmt.Sprint("get", i))
	}
	return waits
}

// wait begins to wait for the promise. kind names the wait within the life.
func (l *life) wait(kind string) <-chan string {
	done := make(chan string, 1)
	go func() {
		_, answer, _ := l.c.until(l.ask("/get", kind, ""), http.StatusOK)
		done <- string(answer)
	}()
	return done
}

// start sends the run. The id is free, so it is accepted as a new one, unless an
// earlier try was.
func (l *life) start() {
	_, answer, tries := l.c.until(l.ask("/run/send", "", quoted(l.token)), http.StatusAccepted)
	if tries == 1 && !strings.Contains(string(answer), `"Accepted"`) {
		l.c.complain("the first start of %s in %s: %s", l.token, l.id, answer)
	}
}

// resolve resolves the promise with two values at once. One of them wins, the
// other one is refused. It is false when the retention may have ended between them.
func (l *life) resolve() bool {
	hour := l.c.hour.Load()
	values, status := [2]string{l.token + "-a", l.token + "-b"}, [2]int{}
	var both sync.WaitGroup
	for i, v := range values {
		both.Go(func() {
			status[i], _, _ = l.c.until(l.ask("/resolve", v, quoted(v)), http.StatusOK, http.StatusConflict)
		})
	}
	both.Wait()
	switch status {
	case [2]int{http.StatusOK, http.StatusConflict}:
		l.won = values[0]
	case [2]int{http.StatusConflict, http.StatusOK}:
		l.won = values[1]
	default:
		if l.c.hour.Load() >= hour+flowHours {
			return false
		}
		l.c.complain("two resolutions of %s give %v", l.token, status)
	}
	return true
}

// judge looks at a run whose promise is resolved from all sides. It is false
// when the retention may have ended meanwhile.
func (l *life) judge() bool {
	status, answer, _ := l.c.until(killAsk{method: http.MethodGet, url: l.c.url + "/restate/workflow/Flow/" + l.id + "/attach"},
		http.StatusOK, http.StatusNotFound)
	if status == http.StatusNotFound && l.mayBeGone() {
		return true
	}
	l.ended = l.c.hour.Load()
	l.same("attach", string(answer), quoted(l.token+" "+l.won))
	_, answer = l.look("ended")
	if l.mayBeGone() {
		return true
	}
	l.same("look", string(answer), seen(l.view()))
	status, _, _ = l.c.until(l.ask("/resolve", "again", quoted("again")), http.StatusOK, http.StatusConflict)
	if l.mayBeGone() {
		l.late = status == http.StatusOK
		return true
	}
	if status != http.StatusConflict {
		l.c.complain("a third resolution of %s gives %d", l.token, status)
	}
	l.waitLate()
	return !l.c.stop.Load()
}

// waitLate waits for the promise of a run that has ended. When its retention ends
// meanwhile, the wait may be one for the promise of a life without a run, which
// nobody else resolves.
func (l *life) waitLate() {
	done := l.wait("late")
	var resolved int64 // the hour; what was resolved is gone with its life, and the wait may begin in the next one
	for {
		select {
		case got := <-done:
			if !l.late {
				l.same("late wait", got, quoted(l.won))
			}
			return
		case <-time.After(100 * time.Millisecond):
			if hour := l.c.hour.Load(); l.mayBeGone() && hour > resolved {
				l.late, resolved = true, hour
				l.c.until(l.ask("/resolve", fmt.Sprint("late", hour), quoted("late")), http.StatusOK, http.StatusConflict)
			}
		}
	}
}

func (l *life) same(what, got, want string) {
	if got != want {
		l.c.complain("%s of %s in %s gives %s, acknowledged was %s", what, l.token, l.id, got, want)
	}
}

func (l *life) view() flowView { return flowView{Token: l.token, Promise: l.won} }

// expire waits until the result is given no more, which must not be early, and
// not late. It is false when the loop ends.
func (l *life) expire() bool {
	output := killAsk{method: http.MethodGet, url: l.c.url + "/restate/workflow/Flow/" + l.id + "/output"}
	for !l.c.stop.Load() {
		before := l.c.hour.Load()
		status, answer, _ := l.c.until(output, http.StatusOK, http.StatusNotFound)
		switch {
		case status == http.StatusNotFound && l.mayBeGone():
			l.c.note("expired")
			return true
		case status == http.StatusNotFound:
			l.c.complain("%s is gone after %d hours", l.token, l.c.hour.Load()-l.begun)
			return true
		case status == 0:
			return false
		case l.ended > 0 && before > l.ended+flowHours:
			l.c.complain("%s is still there after %d hours", l.token, before-l.ended)
		}
		l.same("output", string(answer), quoted(l.token+" "+l.won))
		<-time.After(20 * time.Millisecond)
	}
	return false
}

// hold lets a shared handler outlive the retention: until it has ended nothing
// of the workflow is removed, and who waits for a promise that nobody has
// completed is told so.
func (l *life) hold() {
	token := l.token + "-hold"
	l.c.until(l.ask("/hold/send", "hold", quoted(token)), http.StatusAccepted)
	l.c.until(l.ask("/never/send", "never", quoted(l.token)), http.StatusAccepted)
	id := l.c.arrived(token)
	held := !l.mayBeGone()
	over := l.expire()
	if over && held {
		l.outlived()
	}
	resolve := killAsk{method: http.MethodPost, url: l.c.url + "/restate/awakeables/" + id + "/resolve", body: `"go"`}
	l.c.until(resolve, http.StatusAccepted)
	var v heldViews
	_, answer := l.result("hold", http.StatusOK)
	switch err := json.Unmarshal(answer, &v); {
	case err != nil || v.Before != v.After:
		l.c.complain("who outlives %s sees %s", l.token, answer)
	case v.Before == flowView{} && !held: // it came after the removal
	case v.Before != l.view():
		l.c.complain("who outlives %s sees %s, acknowledged was %+v", l.token, answer, l.view())
	}
	if !over {
		return
	}
	if !held { // then it may wait in a life that has no run, and that the next run joins
		l.c.until(l.ask("/free", "free", quoted(l.token)), http.StatusOK, http.StatusNotFound, http.StatusConflict)
		l.result("never", http.StatusOK, http.StatusNotFound)
		return
	}
	// It ended when the retention of the run was over or later, and is kept for a day.
	forgotten := l.c.hour.Load() >= l.begun+flowHours+24
	if _, answer := l.result("never", http.StatusNotFound); !strings.Contains(string(answer), "was never completed") && !forgotten {
		l.c.complain("a wait in %s that nobody answers ends with %s", l.token, answer)
	}
	if _, answer := l.look("after"); string(answer) != seen(flowView{}) {
		l.c.complain("after the removal of %s its id shows %s", l.token, answer)
	}
	l.c.note("outlived")
}

// outlived judges a workflow whose retention is over while a shared handler
// holds it.
func (l *life) outlived() {
	_, answer, _ := l.c.until(l.ask("/run/send", "", quoted(l.token+"-too-early")), http.StatusAccepted)
	if !strings.Contains(string(answer), `"PreviouslyAccepted"`) {
		l.c.complain("%s is held by a shared handler, and a new run gives %s", l.token, answer)
	}
	_, answer = l.look("held")
	l.same("look while held", string(answer), seen(l.view()))
}

// result waits for the end of a shared handler that was sent.
func (l *life) result(handler string, want ...int) (status int, answer []byte) {
	a := l.ask("/"+handler+"/"+l.token+"-"+handler+"/attach", "", "")
	a.method, a.url = http.MethodGet, strings.Replace(a.url, "/Flow/", "/restate/invocation/Flow/", 1)
	status, answer, _ = l.c.until(a, want...)
	return status, answer
}

// look asks a shared handler what it sees.
func (l *life) look(kind string) (status int, answer []byte) {
	status, answer, _ = l.c.until(l.ask("/look", "look-"+kind, ""), http.StatusOK)
	return status, answer
}

// vacant waits until a shared handler sees nothing of the life before, or all of
// it: what is over is removed within moments.
func (l *life) vacant() bool {
	hour := l.c.hour.Load()
	for n := 0; !l.c.stop.Load(); n++ {
		_, answer := l.look(fmt.Sprint("vacant", n))
		if string(answer) == seen(flowView{}) {
			return true
		}
		if now := l.c.hour.Load(); now > hour+24 {
			l.c.complain("after %d hours %s still shows %s", now-hour, l.id, answer)
			return true
		}
		<-time.After(20 * time.Millisecond)
	}
	return false
}

func seen(v flowView) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}
