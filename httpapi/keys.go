package httpapi

import (
	"context"
	"errors"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/query"
)

// keyReader is what the routes of this file need of *actors.Runtime.
type keyReader interface {
	Keys(ctx context.Context, f query.KeyFilter, p query.Paging) (query.Page[query.KeyItem], error)
	Key(ctx context.Context, key ident.ObjectKey, o query.KeyOptions) (*query.Key, error)
	Awakeables(ctx context.Context, f query.AwakeableFilter, p query.Paging) (query.Page[query.AwakeableItem], error)
	Promises(ctx context.Context, f query.PromiseFilter, p query.Paging) (query.Page[query.PromiseItem], error)
}

const (
	objectsPath       = "/introspection/objects/"
	defaultInboxLimit = 100
	maxInboxLimit     = 1000
)

// keyRoutes adds the introspection of keys, awakeables and promises.
func (s *Server) keyRoutes(e *echo.Echo) {
	e.GET(objectsPath+"*", s.objects)
	e.GET("/introspection/awakeables", s.awakeables)
	e.GET("/introspection/promises", s.promises)
}

// objects serves GET /introspection/objects/{service} and …/{service}/{key}. The
// path is read as it came: a key may be empty, and may have an escaped slash in it.
func (s *Server) objects(c echo.Context) error {
	path, _ := rawPath(c.Request())
	service, segment, one := strings.Cut(strings.TrimPrefix(path, objectsPath), "/")
	switch {
	case service == "":
		return badRequest("name a service: " + objectsPath + "{service}, and /{key} for one of its keys")
	case len(service) > maxNameBytes:
		return badRequest("the name of the service is longer than 255 bytes")
	case !one:
		return s.listKeys(c, service)
	case strings.Contains(segment, "/"):
		return badRequest("the path has too many segments: a slash of the key is written as %2F")
	}
	key, f := decodeKey(segment)
	if f != nil {
		return f
	}
	return s.readKey(c, ident.ObjectKey{Service: service, Key: key})
}

// keyOrders are the orders of a list of keys, by their words.
func keyOrders() []query.KeyOrder {
	return []query.KeyOrder{query.ByKey, query.ByQueueDepth, query.ByAge}
}

func (s *Server) listKeys(c echo.Context, service string) error {
	p := newParams(c.QueryParams())
	f := query.KeyFilter{Service: service}
	f.Prefix, _ = p.key("prefix")
	f.Statuses = words(p, "status", query.KeyStatuses())
	f.MinQueueDepth = uint64(p.number("min_queue_depth", 0, maxQueueDepth, 0))
	f.MinAgeMs = int64(p.number("min_age_ms", 0, maxAge, 0))
	f.Order = choice(p, "order", keyOrders())
	paging := p.paging()
	if err := p.end(); err != nil {
		return err
	}
	page, err := s.rt.Keys(c.Request().Context(), f, paging)
	if err != nil {
		return s.keyError(err, service)
	}
	return s.writeView(c, newListView(page, newKeyItemView))
}

// keyError answers for a service that is not known in the words of the catalog.
func (s *Server) keyError(err error, service string) error {
	if errors.Is(err, actors.ErrUnknownService) {
		return s.services.noService(service)
	}
	return err
}

func (s *Server) readKey(c echo.Context, key ident.ObjectKey) error {
	p := newParams(c.QueryParams())
	o := query.KeyOptions{InboxLimit: p.number("inbox_limit", 0, maxInboxLimit, defaultInboxLimit)}
	valueBytes := p.valueBytes(defaultValueBytes)
	if after, given := p.one("state_after"); given {
		o.StateAfter = &after
	}
	if err := p.end(); err != nil {
		return err
	}
	k, err := s.rt.Key(c.Request().Context(), key, o)
	if err != nil {
		return s.keyError(err, key.Service)
	}
	workflow := s.services.run(key.Service) != nil || len(k.Promises) > 0
	return s.writeView(c, newKeyView(key, k, workflow, valueBytes))
}

// awakeables serves GET /introspection/awakeables.
func (s *Server) awakeables(c echo.Context) error {
	p := newParams(c.QueryParams())
	f := query.AwakeableFilter{Service: p.name("service")}
	f.Key, f.HasKey = p.key("key")
	f.Handler = p.name("handler")
	f.Invocation = p.id("invocation_id")
	f.States = words(p, "state", query.AwakeableStates())
	f.MinAgeMs = int64(p.number("min_age_ms", 0, maxAge, 0))
	paging := p.paging()
	if err := p.end(); err != nil {
		return err
	}
	page, err := s.rt.Awakeables(c.Request().Context(), f, paging)
	if err != nil {
		return err
	}
	return s.writeView(c, newListView(page, newAwakeableItem))
}

// promises serves GET /introspection/promises.
func (s *Server) promises(c echo.Context) error {
	p := newParams(c.QueryParams())
	f := query.PromiseFilter{}
	service := p.name("service")
	if service != "" {
		f.Services = []string{service}
	}
	if key, given := p.key("key"); given {
		f.Key = &key
	}
	if name, given := p.one("name"); given {
		f.Name = &name
	}
	f.Completed = p.flag("completed")
	valueBytes := p.valueBytes(defaultValueBytes)
	paging := p.paging()
	if err := p.end(); err != nil {
		return err
	}
	page, err := s.rt.Promises(c.Request().Context(), f, paging)
	if err != nil {
		return err
	}
	return s.writeView(c, newListView(page, func(item *query.PromiseItem) promiseView { return newPromiseItem(item, valueBytes) }))
}
