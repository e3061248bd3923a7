package objects

import (
	text "encoding"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// Validate reports everything that keeps def from being bound: names that no
// request can carry, a definition without handlers, a workflow without a run
// handler, options out of range, an output that JSON cannot encode. A runtime calls it before it binds; the error
// names the type, the handler and what to do.
func Validate(def ServiceDefinition) error {
	if def == nil {
		return errors.New("the service definition is nil")
	}
	subject := fmt.Sprintf("%s %q", def.Type(), def.Name())
	errs := []error{validateService(subject, def)}
	handlers := def.Handlers()
	for _, name := range slices.Sorted(maps.Keys(handlers)) {
		h := handlers[name]
		subject := fmt.Sprintf("handler %q of %s", name, subject)
		if h.serviceType() != def.Type() {
			errs = append(errs, fmt.Errorf("%s is made for a %s: use the New…Handler function of that type", subject, h.serviceType()))
		}
		errs = append(errs, validateName(subject, name), validateOptions(subject, &h.GetOptions().DefinitionOptions), validateOutput(subject, h))
	}
	return errors.Join(errs...)
}

func validateService(subject string, def ServiceDefinition) error {
	errs := []error{
		validateName(subject, def.Name()),
		validateOptions(subject, &def.GetOptions().DefinitionOptions),
	}
	if name := def.Name(); strings.EqualFold(name[:min(len(name), len("restate"))], "restate") || name == "openapi" {
		errs = append(errs, fmt.Errorf("%s has a reserved name: names that start with restate, and openapi, belong to the ingress; rename the type or add the method ServiceName() string", subject))
	}
	handlers, runs := def.Handlers(), 0
	for _, h := range handlers {
		if h.Kind() == ident.KindWorkflow {
			runs++
		}
	}
	switch {
	case len(handlers) == 0:
		errs = append(errs, fmt.Errorf("%s has no handlers: add one", subject))
	case def.Type() == ServiceTypeWorkflow && runs != 1:
		errs = append(errs, fmt.Errorf("%s has %d run handlers: a workflow has one, made by NewWorkflowHandler or a method that takes a WorkflowContext", subject, runs))
	}
	return errors.Join(errs...)
}

func validateName(subject, name string) error {
	switch {
	case len(name) > maxNameBytes:
		return fmt.Errorf("%s: the name has %d bytes, more than %d: shorten it", subject, len(name), maxNameBytes)
	case !validName(name):
		return fmt.Errorf("%s: the name is not of the form ^([a-zA-Z]|_[a-zA-Z0-9])[a-zA-Z0-9._-]*$: rename it", subject)
	}
	return nil
}

// validName reports whether name can stand in a request path.
func validName(name string) bool {
	rest, underscore := strings.CutPrefix(name, "_")
	if rest == "" || !isLetter(rest[0]) && !(underscore && isDigit(rest[0])) {
		return false
	}
	for i := range len(rest) {
		if c := rest[i]; !isLetter(c) && !isDigit(c) && !strings.ContainsRune("._-", rune(c)) {
			return false
		}
	}
	return true
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

func validateOptions(subject string, o *DefinitionOptions) error {
	var errs []error
	notNegative := func(option string, d *time.Duration) {
		if d != nil && *d < 0 {
			errs = append(errs, fmt.Errorf("%s: %s is %v: give a duration that is not negative", subject, option, *d))
		}
	}
	notNegative("WithInactivityTimeout", o.InactivityTimeout)
	notNegative("WithAbortTimeout", o.AbortTimeout)
	notNegative("WithIdempotencyRetention", o.IdempotencyRetention)
	notNegative("WithJournalRetention", o.JournalRetention)
	notNegative("WithWorkflowRetention", o.WorkflowRetention)
	if p := o.RetryPolicy; p != nil {
		notNegative("WithInitialRetryInterval", p.InitialInterval)
		notNegative("WithMaxRetryInterval", p.MaxInterval)
		if f := p.ExponentiationFactor; f != nil && !(*f >= 1) {
			errs = append(errs, fmt.Errorf("%s: WithRetryIntervalFactor is %v: give a factor of at least 1", subject, *f))
		}
	}
	return errors.Join(errs...)
}

// validateOutput reports an output of which JSON can encode no value at all.
// Other codecs decide for themselves, value by value.
func validateOutput(subject string, h Handler) error {
	if h.outputCodec() != encoding.JSONCodec {
		return nil
	}
	if what := unencodable(h.outputType()); what != "" {
		return fmt.Errorf("%s: the output %s, which JSON cannot encode: return data, or set a codec with WithOutputCodec", subject, what)
	}
	return nil
}

// unencodable says what keeps encoding/json from every value of t, "" when some
// may pass.
func unencodable(t reflect.Type) string {
	if t == nil || encodesItself(t) {
		return ""
	}
	switch t.Kind() {
	case reflect.Chan, reflect.Func, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		return "is a " + t.String()
	case reflect.Struct:
		for f := range t.Fields() {
			name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
			if !f.IsExported() || f.Anonymous || name == "-" || strings.Contains(options, "omitzero") {
				continue
			}
			if what := unencodable(f.Type); what != "" {
				return "has the field " + t.String() + "." + f.Name + ", which " + what
			}
		}
	}
	return ""
}

func encodesItself(t reflect.Type) bool {
	for _, i := range [...]reflect.Type{
		reflect.TypeFor[encoding.RestateMarshaler](), reflect.TypeFor[json.Marshaler](), reflect.TypeFor[text.TextMarshaler](),
	} {
		if t.Implements(i) || reflect.PointerTo(t).Implements(i) {
			return true
		}
	}
	return false
}
