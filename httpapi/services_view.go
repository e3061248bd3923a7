package httpapi

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// serviceView is a service as the admin API shows it: everything that applies,
// defaults included.
type serviceView struct {
	Name              string             `json:"name"`
	Type              string             `json:"ty"`
	DeploymentID      string             `json:"deployment_id"`
	Revision          int                `json:"revision"`
	Public            bool               `json:"public"`
	Documentation     string             `json:"documentation,omitempty"`
	Metadata          map[string]string  `json:"metadata,omitempty"`
	Idempotency       string             `json:"idempotency_retention"`
	Workflow          string             `json:"workflow_completion_retention,omitempty"`
	Journal           string             `json:"journal_retention"`
	InactivityTimeout string             `json:"inactivity_timeout"`
	AbortTimeout      string             `json:"abort_timeout"`
	LazyState         bool               `json:"enable_lazy_state"`
	FailOnDeadlock    bool               `json:"fail_on_deadlock,omitempty"`
	Retry             serviceRetryPolicy `json:"retry_policy"`
	Handlers          []handlerView      `json:"handlers"`
}

// serviceRetryPolicy has no gaps. MaxAttempts is nil for no limit.
type serviceRetryPolicy struct {
	Initial       string  `json:"initial_interval"`
	Factor        decimal `json:"exponentiation_factor"`
	Max           string  `json:"max_interval"`
	MaxAttempts   *int    `json:"max_attempts"`
	OnMaxAttempts string  `json:"on_max_attempts"`
}

// handlerView is a handler. What it does not set is absent and as its service
// says.
type handlerView struct {
	Name              string             `json:"name"`
	Type              string             `json:"ty,omitempty"`
	Public            bool               `json:"public"`
	Documentation     string             `json:"documentation,omitempty"`
	Metadata          map[string]string  `json:"metadata,omitempty"`
	Idempotency       *string            `json:"idempotency_retention,omitempty"`
	Workflow          *string            `json:"workflow_completion_retention,omitempty"`
	Journal           *string            `json:"journal_retention,omitempty"`
	InactivityTimeout *string            `json:"inactivity_timeout,omitempty"`
	AbortTimeout      *string            `json:"abort_timeout,omitempty"`
	LazyState         *bool              `json:"enable_lazy_state,omitempty"`
	Input             string             `json:"input_description"`
	Output            string             `json:"output_description"`
	InputSchema       any                `json:"input_json_schema,omitempty"`
	OutputSchema      any                `json:"output_json_schema,omitempty"`
	Retry             handlerRetryPolicy `json:"retry_policy"`
}

// handlerRetryPolicy has what a handler sets. MaxAttempts is null where the
// service decides, and 0 where the handler sets no limit.
type handlerRetryPolicy struct {
	Initial       *string  `json:"initial_interval,omitempty"`
	Factor        *decimal `json:"exponentiation_factor,omitempty"`
	Max           *string  `json:"max_interval,omitempty"`
	MaxAttempts   *int     `json:"max_attempts"`
	OnMaxAttempts *string  `json:"on_max_attempts,omitempty"`
}

// decimal is a number that is written with a fraction, also where that is zero.
type decimal float64

// MarshalJSON implements json.Marshaler.
func (d decimal) MarshalJSON() ([]byte, error) {
	text := strconv.FormatFloat(float64(d), 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return []byte(text), nil
}

// viewServices describes what is bound, sorted by name.
func (s *Server) viewServices() []serviceView {
	defs := s.rt.Services()
	slices.SortFunc(defs, func(a, b objects.ServiceDefinition) int { return strings.Compare(a.Name(), b.Name()) })
	id := deploymentID(defs)
	views := make([]serviceView, 0, len(defs))
	for _, def := range defs {
		settings, _ := s.rt.ServiceSettings(def.Name())
		v := newServiceView(def, settings)
		v.DeploymentID = id
		handlers := def.Handlers()
		for _, name := range slices.Sorted(maps.Keys(handlers)) {
			own, _ := s.rt.Settings(def.Name(), name)
			v.Handlers = append(v.Handlers, newHandlerView(name, handlers[name], own))
		}
		views = append(views, v)
	}
	return views
}

func newServiceView(def objects.ServiceDefinition, s objects.Settings) serviceView {
	o := def.GetOptions()
	v := serviceView{
		Name: def.Name(), Type: serviceWord(def.Type()), Revision: 1, Public: !s.IngressPrivate,
		Documentation: o.Documentation, Metadata: o.Metadata, LazyState: s.EnableLazyState, FailOnDeadlock: o.FailOnDeadlock,
		Idempotency: formatDuration(s.IdempotencyRetention), Journal: formatDuration(s.JournalRetention),
		InactivityTimeout: formatDuration(s.InactivityTimeout), AbortTimeout: formatDuration(s.AbortTimeout),
		Handlers: []handlerView{},
		Retry: serviceRetryPolicy{
			Initial: formatDuration(s.Retry.InitialInterval), Factor: decimal(s.Retry.Factor),
			Max: formatDuration(s.Retry.MaxInterval), OnMaxAttempts: exhaustionWord(s.Retry.OnMaxAttempts),
		},
	}
	if def.Type() == objects.ServiceTypeWorkflow {
		v.Workflow = formatDuration(s.WorkflowRetention)
	}
	if s.Retry.MaxAttempts > 0 {
		v.Retry.MaxAttempts = &s.Retry.MaxAttempts
	}
	return v
}

// newHandlerView shows what the handler itself sets. own are the settings that
// apply to it, which say whether it is public.
func newHandlerView(name string, h objects.Handler, own objects.Settings) handlerView {
	o := h.GetOptions()
	in, out := h.InputPayload(), h.OutputPayload()
	v := handlerView{
		Name: name, Type: handlerWord(h.Kind()), Public: !own.IngressPrivate,
		Documentation: o.Documentation, Metadata: o.Metadata, LazyState: o.EnableLazyState,
		Idempotency: optionalDuration(o.IdempotencyRetention), Workflow: optionalDuration(o.WorkflowRetention),
		Journal: optionalDuration(o.JournalRetention), InactivityTimeout: optionalDuration(o.InactivityTimeout),
		AbortTimeout: optionalDuration(o.AbortTimeout),
		Input:        describeInput(in), Output: describeOutput(out),
	}
	if in != nil {
		v.InputSchema = in.JsonSchema
	}
	if out != nil {
		v.OutputSchema = out.JsonSchema
	}
	if p := o.RetryPolicy; p != nil {
		v.Retry = handlerRetryPolicy{Initial: optionalDuration(p.InitialInterval), Max: optionalDuration(p.MaxInterval), MaxAttempts: p.MaxAttempts}
		if p.ExponentiationFactor != nil {
			v.Retry.Factor = new(decimal(*p.ExponentiationFactor))
		}
		if p.OnMaxAttempts != nil {
			v.Retry.OnMaxAttempts = new(exhaustionWord(*p.OnMaxAttempts))
		}
	}
	return v
}

// describeInput names what a handler accepts.
func describeInput(p *encoding.InputPayload) string {
	switch {
	case p == nil || p.ContentType == nil:
		return "none"
	case *p.ContentType == encoding.AnyContentType:
		return "any"
	case !p.Required:
		return "none or " + *p.ContentType
	default:
		return *p.ContentType
	}
}

// describeOutput names what a handler answers.
func describeOutput(p *encoding.OutputPayload) string {
	if p == nil || p.ContentType == nil {
		return "none"
	}
	return *p.ContentType
}

func serviceWord(t objects.ServiceType) string {
	switch t {
	case objects.ServiceTypeVirtualObject:
		return "VirtualObject"
	case objects.ServiceTypeWorkflow:
		return "Workflow"
	default:
		return "Service"
	}
}

func handlerWord(k ident.Kind) string {
	switch k {
	case ident.KindExclusive:
		return "Exclusive"
	case ident.KindShared:
		return "Shared"
	case ident.KindWorkflow:
		return "Workflow"
	default:
		return ""
	}
}

func exhaustionWord(o objects.OnMaxAttempts) string {
	if o == objects.OnMaxAttemptsKill {
		return "Kill"
	}
	return "Pause"
}

func optionalDuration(d *time.Duration) *string {
	if d == nil {
		return nil
	}
	return new(formatDuration(*d))
}

// formatDuration writes a duration in its units, largest first: 24h, 1m 30s,
// 500ms. parseDelay reads it back.
func formatDuration(d time.Duration) string {
	if d <= 0 {
		return "0s"
	}
	var parts []string
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "us"}, {time.Nanosecond, "ns"}} {
		if n := d / u.unit; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+u.name)
			d %= u.unit
		}
	}
	return strings.Join(parts, " ")
}
