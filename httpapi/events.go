package httpapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/query"
	"github.com/dormouse-run/dormouse/internal/stream"
)

// eventSource is what the live stream needs of *actors.Runtime.
type eventSource interface {
	Events(ctx context.Context, o actors.EventOptions, emit func(actors.EventBatch) error) error
}

const (
	headerLastEvent    = "Last-Event-Id"
	headerCacheControl = "Cache-Control"
	// headerBuffering keeps proxies that know it from collecting a stream.
	headerBuffering = "X-Accel-Buffering"
	contentTypeSSE  = "text/event-stream"
	// eventWriteTimeout bounds the departure of one batch of events, if
	// Options.TransferTimeout is not shorter.
	eventWriteTimeout = 15 * time.Second
)

// eventRoutes adds the live stream to the admin port.
func (s *Server) eventRoutes(e *echo.Echo) { e.GET("/introspection/events", s.events) }

// events serves GET /introspection/events: server-sent events until the client
// leaves, takes nothing any more, or the runtime stops.
func (s *Server) events(c echo.Context) error {
	p := newParams(c.QueryParams())
	o := parseEvents(p, first(c.Request().Header, headerLastEvent))
	if err := p.end(); err != nil {
		return err
	}
	if err := s.skipBody(c.Request()); err != nil {
		return err
	}
	ctx := c.Request().Context()
	w := eventWriter{response: c.Response(), control: http.NewResponseController(c.Response().Writer), patience: min(s.opts.TransferTimeout, eventWriteTimeout)}
	err := s.rt.Events(ctx, o, func(b actors.EventBatch) error {
		err := w.write(b)
		if err == nil && ctx.Value(askedForHead{}) != nil {
			err = errHeadersOnly // who has asked for no body would wait for its end
		}
		return err
	})
	if errors.Is(err, errHeadersOnly) {
		return nil
	}
	if err != nil && c.Response().Committed && ctx.Err() != nil {
		return nil // the client has left, or the server stops
	}
	return err
}

// errHeadersOnly ends a stream of which only the headers were asked for.
var errHeadersOnly = errors.New("only the headers were asked for")

// eventWriter writes batches of events as text/event-stream.
type eventWriter struct {
	response *echo.Response
	control  *http.ResponseController
	patience time.Duration
	b        bytes.Buffer
}

// write sends one batch and returns when it is on its way. What it sends without
// events is a comment, and the position, so that a client for whom there was
// nothing can go on from there.
func (w *eventWriter) write(batch actors.EventBatch) error {
	w.b.Reset()
	switch {
	case batch.Reset != 0:
		w.b.WriteString("id: " + batch.Position.String() + "\nevent: reset\ndata: {\"reason\":\"" + batch.Reset.String() + "\"}\n\n")
	case len(batch.Events) == 0:
		w.b.WriteString(": alive\nid: " + batch.Position.String() + "\n\n")
	}
	for _, e := range batch.Events {
		frame, err := e.Frame(frameOf)
		if err != nil {
			return err
		}
		w.b.Write(frame)
	}
	if !w.response.Committed {
		set(w.response, headerContentType, contentTypeSSE)
		set(w.response, headerCacheControl, "no-store")
		set(w.response, headerBuffering, "no")
	}
	return w.send()
}

// send bounds the write, not the silence after it: on HTTP/2 a deadline that
// passes ends the stream.
func (w *eventWriter) send() error {
	// Recorders of tests have no deadline, which does no harm.
	_ = w.control.SetWriteDeadline(time.Now().Add(w.patience))
	if _, err := w.response.Write(w.b.Bytes()); err != nil {
		return errors.Join(errNoAnswer, err)
	}
	if err := w.control.Flush(); err != nil {
		return errors.Join(errNoAnswer, err)
	}
	_ = w.control.SetWriteDeadline(time.Time{})
	if w.b.Cap() > maxEventBuffer {
		w.b = bytes.Buffer{}
	}
	return nil
}

// maxEventBuffer is how much memory a stream keeps between its batches.
const maxEventBuffer = 256 << 10

// eventStatuses are the words of a filter by status: those of invocations, and
// idle, which is one of keys.
func eventStatuses() (all []text) {
	for _, status := range query.EachStatus() {
		all = append(all, text(status.String()))
	}
	return append(all, text(query.KeyIdle.String()))
}

// parseEvents reads the parameters. lastEvent is the header with which a client
// resumes, "" for none. It wins over the parameter: browsers send it with the URL
// they were given first.
func parseEvents(p *params, lastEvent string) (o actors.EventOptions) {
	f := &o.Filter
	if list, given := p.one("topics"); given {
		f.Topics = parseTopics(p, list)
	}
	f.Service = p.name("service")
	if key, given := p.key("key"); given {
		f.Key = &key
	}
	f.Handler = p.name("handler")
	f.Invocation = p.id("invocation_id")
	for _, word := range words(p, "status", eventStatuses()) {
		f.Statuses = append(f.Statuses, word.String())
	}
	if after, given := p.one("after"); given {
		o.After = parsePosition(p, "parameter after", after)
	}
	if lastEvent != "" {
		o.After = parsePosition(p, "header Last-Event-ID", lastEvent)
	}
	checkTopics(p, f)
	return o
}

func parseTopics(p *params, list string) (chosen stream.Topics) {
	for topic := range strings.SplitSeq(list, ",") {
		switch topic {
		case "invocation":
			chosen |= stream.TopicInvocation
		case "object":
			chosen |= stream.TopicObject
		case "awakeable":
			chosen |= stream.TopicAwakeable
		case "promise":
			chosen |= stream.TopicPromise
		default:
			p.refuse("topics", list, "a list, separated by commas, of invocation, object, awakeable and promise")
		}
	}
	return chosen
}

func parsePosition(p *params, what, id string) *stream.Position {
	at, err := stream.ParsePosition(id)
	if err != nil {
		p.fail(what + ": " + err.Error())
	}
	return &at
}

// checkTopics refuses a filter by something that events of a wanted topic do not
// have: they would never come.
func checkTopics(p *params, f *stream.Filter) {
	for _, t := range []struct {
		topic stream.Topics
		name  string
	}{{stream.TopicObject, "object"}, {stream.TopicPromise, "promise"}} {
		switch {
		case f.Topics&t.topic == 0:
		case f.Handler != "":
			p.fail("events of topic " + t.name + " have no handler: leave out the topic or the parameter")
		case !f.Invocation.IsZero():
			p.fail("events of topic " + t.name + " have no invocation_id: leave out the topic or the parameter")
		case len(f.Statuses) > 0 && t.topic == stream.TopicPromise:
			p.fail("events of topic promise have no status: leave out the topic or the parameter")
		}
	}
}
