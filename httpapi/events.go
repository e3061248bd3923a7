package httpapi

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
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
	o, f := parseEventParams(c.QueryParams(), c.Request().Header)
	if f != nil {
		return f
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

// eventParams are the parameters of the stream.
type eventParams struct {
	actors.EventOptions
	fail *failure
}

// parseEventParams reads the parameters. The header with which a client resumes
// wins over the parameter: browsers send it with the URL they were given first.
func parseEventParams(q url.Values, h http.Header) (actors.EventOptions, *failure) {
	var p eventParams
	for name, values := range q {
		p.read(name, values)
	}
	if id := first(h, headerLastEvent); id != "" {
		p.after("header Last-Event-ID", id)
	}
	if p.fail == nil {
		p.checkTopics()
	}
	return p.EventOptions, p.fail
}

func (p *eventParams) refuse(message string) { p.fail = badRequest(message) }

func (p *eventParams) read(name string, values []string) {
	if len(values) > 1 && name != "status" {
		p.refuse("parameter " + name + " is given twice")
		return
	}
	if values[0] == "" && name != "key" { // the empty key is one
		p.refuse("parameter " + name + " is empty: leave it out")
		return
	}
	switch name {
	case "topics":
		p.topics(values[0])
	case "service":
		p.Filter.Service = values[0]
	case "handler":
		p.Filter.Handler = values[0]
	case "key":
		p.Filter.Key = &values[0]
	case "invocation_id":
		id, err := ident.ParseInvocationID(values[0])
		if err != nil {
			p.refuse(err.Error())
		}
		p.Filter.Invocation = id
	case "status":
		p.statuses(values)
	case "after":
		p.after("parameter after", values[0])
	default:
		p.refuse("unknown parameter '" + name + "': there are topics, service, key, handler, invocation_id, status and after")
	}
}

func (p *eventParams) topics(list string) {
	for topic := range strings.SplitSeq(list, ",") {
		switch topic {
		case "invocation":
			p.Filter.Topics |= stream.TopicInvocation
		case "object":
			p.Filter.Topics |= stream.TopicObject
		case "awakeable":
			p.Filter.Topics |= stream.TopicAwakeable
		case "promise":
			p.Filter.Topics |= stream.TopicPromise
		default:
			p.refuse("unknown topic '" + topic + "': there are invocation, object, awakeable and promise")
		}
	}
}

func (p *eventParams) statuses(words []string) {
	known := []string{"scheduled", "pending", "ready", "running", "backing-off", "suspended", "paused", "completed", "idle"}
	for _, word := range words {
		if !slices.Contains(known, word) {
			p.refuse("parameter status cannot be '" + word + "': it is one of " + strings.Join(known, ", "))
		}
	}
	p.Filter.Statuses = words
}

func (p *eventParams) after(what, id string) {
	at, err := stream.ParsePosition(id)
	if err != nil {
		p.refuse(what + ": " + err.Error())
	}
	p.After = &at
}

// checkTopics refuses a filter by something that events of a wanted topic do not
// have: they would never come.
func (p *eventParams) checkTopics() {
	f := &p.Filter
	for _, t := range []struct {
		topic stream.Topics
		name  string
	}{{stream.TopicObject, "object"}, {stream.TopicPromise, "promise"}} {
		switch {
		case f.Topics&t.topic == 0:
		case f.Handler != "":
			p.refuse("events of topic " + t.name + " have no handler: leave out the topic or the parameter")
		case !f.Invocation.IsZero():
			p.refuse("events of topic " + t.name + " have no invocation_id: leave out the topic or the parameter")
		case len(f.Statuses) > 0 && t.topic == stream.TopicPromise:
			p.refuse("events of topic promise have no status: leave out the topic or the parameter")
		}
	}
}
