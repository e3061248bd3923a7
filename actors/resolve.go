package actors

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/objects"
)

// binding is one handler of this build, with everything that applies to it. It
// is never changed.
type binding struct {
	service, name string
	kind          ident.Kind
	handler       objects.Handler
	settings      objects.Settings
	policy        machine.RetryPolicy
	// workflow is how long the state and the promises of a workflow are kept
	// after its run. It is nil for handlers of other services.
	workflow *time.Duration
}

// bindings are the handlers of this build, by service and name.
type bindings map[string]*boundService

type boundService struct {
	definition objects.ServiceDefinition
	handlers   map[string]*binding
}

// plain reports whether a plain service of this name is bound.
func (b bindings) plain(service string) bool {
	s := b[service]
	return s != nil && s.definition.Type() == objects.ServiceTypeService
}

// bind looks at every definition. Its error names all that cannot work.
func bind(services []objects.ServiceDefinition, defaults objects.Settings) (bindings, error) {
	bound := make(bindings, len(services))
	var errs []error
	for _, def := range services {
		if err := objects.Validate(def); err != nil {
			errs = append(errs, err)
			continue
		}
		if bound[def.Name()] != nil {
			errs = append(errs, fmt.Errorf("service %q is bound twice: rename one of the two", def.Name()))
			continue
		}
		s := &boundService{definition: def, handlers: map[string]*binding{}}
		settings := objects.SettingsOf(def, defaults)
		workflow := workflowRetention(def, settings)
		for name, h := range def.Handlers() {
			s.handlers[name] = &binding{
				service: def.Name(), name: name, kind: h.Kind(), handler: h,
				settings: settings[name], policy: policyOf(settings[name].Retry), workflow: workflow,
			}
		}
		bound[def.Name()] = s
	}
	return bound, errors.Join(errs...)
}

// workflowRetention returns the retention of a workflow, which is that of its
// run, and nil for other services.
func workflowRetention(def objects.ServiceDefinition, settings map[string]objects.Settings) *time.Duration {
	for name, h := range def.Handlers() {
		if h.Kind() == ident.KindWorkflow {
			keep := settings[name].WorkflowRetention
			return &keep
		}
	}
	return nil
}

func policyOf(p objects.RetryPolicy) machine.RetryPolicy {
	return machine.RetryPolicy{
		InitialInterval: wholeMilliseconds(p.InitialInterval),
		MaxInterval:     wholeMilliseconds(p.MaxInterval),
		Factor:          p.Factor,
		MaxAttempts:     uint32(max(p.MaxAttempts, 0)),
		KillOnExhausted: p.OnMaxAttempts == objects.OnMaxAttemptsKill,
	}
}

// wholeMilliseconds rounds up: a bound of less than one is a bound, and no delay is
// none.
func wholeMilliseconds(d time.Duration) int64 {
	ms := d.Milliseconds()
	if d > time.Duration(ms)*time.Millisecond {
		ms++
	}
	return ms
}

// find returns nil when the handler is not bound.
func (b bindings) find(service, handler string) *binding {
	if s := b[service]; s != nil {
		return s.handlers[handler]
	}
	return nil
}

// definitions returns what is bound, sorted by name.
func (b bindings) definitions() []objects.ServiceDefinition {
	defs := make([]objects.ServiceDefinition, 0, len(b))
	for _, name := range slices.Sorted(maps.Keys(b)) {
		defs = append(defs, b[name].definition)
	}
	return defs
}

// retention says how long an invocation of b is kept.
func (b *binding) retention(idempotencyKey string) machine.Retention {
	completion, journal := b.settings.Retention(b.kind, idempotencyKey)
	r := machine.Retention{Completion: completion.Milliseconds(), Journal: journal.Milliseconds()}
	if b.workflow != nil {
		r.OfWorkflow, r.Workflow = true, b.workflow.Milliseconds()
	}
	return r
}

// newID returns the id of a new invocation of t: the one that its workflow or
// idempotency key stands for, else a random one.
func (rt *Runtime) newID(t ident.Target, idempotencyKey string) ident.InvocationID {
	switch {
	case t.Kind == ident.KindWorkflow:
		return ident.WorkflowID(t.Service, t.Key)
	case idempotencyKey != "":
		return ident.IdempotentID(t, idempotencyKey)
	default:
		bucket, uuid := rt.random.id()
		return ident.RandomID(t, bucket, uuid)
	}
}

// callee resolves the target of a call; nil for other commands.
func (rt *Runtime) callee(c journal.Command) *machine.Callee {
	switch c := c.(type) {
	case *journal.Call:
		return rt.resolve(c.Service, c.Key, c.Handler, c.IdempotencyKey)
	case *journal.OneWayCall:
		return rt.resolve(c.Service, c.Key, c.Handler, c.IdempotencyKey)
	default:
		return nil
	}
}

func (rt *Runtime) resolve(service, key, handler string, idempotencyKey *string) *machine.Callee {
	idempotent := ""
	if idempotencyKey != nil {
		idempotent = *idempotencyKey
	}
	b := rt.bindings.find(service, handler)
	if b == nil {
		return &machine.Callee{ID: rt.unknownID(service, key, handler), Target: ident.Target{Service: service, Key: key, Handler: handler}}
	}
	t := ident.Target{Service: service, Key: key, Handler: handler, Kind: b.kind}
	if !t.Keyed() {
		t.Key = ""
	}
	id := rt.newID(t, idempotent)
	return &machine.Callee{
		ID: id, Alias: rt.alias(b, id), Target: t, Known: true,
		RandomSeed: rt.random.seed(), Retention: b.retention(idempotent),
	}
}

// unknownID returns an id for a call of something that is not bound. Nothing is
// started under it.
func (rt *Runtime) unknownID(service, key, handler string) ident.InvocationID {
	t := ident.Target{Service: service, Key: key, Handler: handler, Kind: ident.KindService}
	if key != "" {
		t.Kind = ident.KindShared
	}
	return rt.newID(t, "")
}

// Policy of an invocation whose handler this build does not have: it is tried
// again as long as the process runs, and never given up.
const (
	unboundInitial = 10_000
	unboundMax     = 600_000
)

func notBoundPolicy() machine.RetryPolicy {
	return machine.RetryPolicy{InitialInterval: unboundInitial, MaxInterval: unboundMax, Factor: 2}
}

// unboundFailure is the event of an attempt that cannot be made.
func (a *attempt) unboundFailure() *machine.Fail {
	return a.failure(objects.AttemptFailure{
		Code: 500, CommandIndex: -1, Unlimited: true,
		Message: fmt.Sprintf("%s handler %s is not bound in this build: bind it, and the invocation goes on", a.target.Kind, a.target),
	})
}

// unbound logs an invocation that waits for another build.
func (rt *Runtime) unbound(a *attempt) {
	rt.logger.Warn("an invocation waits for a handler that is not bound in this build",
		"invocation", a.id.String(), "target", a.target.String(), "kind", a.target.Kind.String())
}
