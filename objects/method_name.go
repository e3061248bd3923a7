package objects

import (
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The linker keeps the names of functions, and the code of a method expression
// is the method itself, or the wrapper of a promoted one, which is named after
// the outer type:
//
//	example.com/shop.(*Counter).Add      (*Counter).Add
//	example.com/shop.Counter.Add         Counter.Add, also of an interface
//	example.com/shop.(*Box[...]).Add     (*Box[int]).Add
//	example.com/shop.Counter.Add-fm      the method value counter.Add
//	example.com/shop.serve.func1         a literal in serve
//	example.com/shop.serve[...].func1    Box[T].Add in the generic function serve
//
// So a name says whether its function is a method of a type. That the type is
// the one whose receiver the function takes is what the compiler has checked.

// nameHandler finds the name of a method expression of t.receiver.
func (t *MethodTarget) nameHandler(method any) TerminalError {
	pc := reflect.ValueOf(method).Pointer()
	if pc == 0 {
		return terminalf(codeBadRequest, "the method of a typed call is nil: %s", t.hint())
	}
	t.function = runtime.FuncForPC(pc).Name()
	receiver, name := splitMethod(t.function)
	if !t.isReceiver(receiver) || strings.HasSuffix(name, "-fm") {
		return terminalf(codeBadRequest, "%s is no method expression of %v: %s", t.function, t.receiver, t.hint())
	}
	if first, _ := utf8.DecodeRuneInString(name); !unicode.IsUpper(first) {
		return terminalf(codeBadRequest, "%s is not exported, so Reflect makes no handler of it: %s", t.function, t.hint())
	}
	t.Handler = name
	return nil
}

func (t *MethodTarget) hint() string {
	of := t.receiver.String()
	if t.receiver.Kind() == reflect.Pointer {
		of = "(" + of + ")"
	}
	return fmt.Sprintf("pass a method of the receiver that On was given, for example %s.Add, or name the handler with Object, Workflow or Service", of)
}

// splitMethod divides example.com/shop.(*Counter).Add into (*Counter) and Add.
// The name of a plain function gives an empty receiver.
func splitMethod(function string) (receiver, name string) {
	function = function[strings.LastIndexByte(function, '/')+1:]
	_, function, _ = strings.Cut(function, ".")
	last := strings.LastIndexByte(function, '.')
	return function[:max(last, 0)], function[last+1:]
}

// isReceiver compares what stands before the name of a method with the type.
func (t *MethodTarget) isReceiver(written string) bool {
	name := t.receiver.Name()
	if t.receiver.Kind() == reflect.Pointer {
		inner, ok := strings.CutPrefix(written, "(*")
		if !ok {
			return false
		}
		written, name = strings.TrimSuffix(inner, ")"), t.receiver.Elem().Name()
	}
	return name != "" && baseName(written) == baseName(name)
}

// baseName removes type arguments, and the number that the compiler gives to a
// type that is declared in a function.
func baseName(typeName string) string {
	if i := strings.IndexAny(typeName, "[·"); i >= 0 {
		return typeName[:i]
	}
	return typeName
}

// methodPath is what a method expression and a method value of one method have
// in common, "" for other functions and for methods of generic types.
func methodPath(function string) string {
	function = strings.TrimSuffix(function, "-fm")
	if receiver, _ := splitMethod(function); receiver == "" || strings.ContainsRune(function, '[') {
		return ""
	}
	return strings.NewReplacer("(*", "", ")", "").Replace(function)
}

// methodOf returns the methodPath of a method value, "" for other functions.
func methodOf(fn any) string {
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	if !strings.HasSuffix(name, "-fm") {
		return ""
	}
	return methodPath(name)
}

// receiverName is the name that Reflect gives to the service of a receiver. zero
// is the zero value of its type.
func receiverName(receiver reflect.Type, zero any) (name string, err TerminalError) {
	named := receiver
	if receiver.Kind() == reflect.Pointer {
		named = receiver.Elem()
	}
	if !receiver.Implements(reflect.TypeFor[serviceNamer]()) {
		return checkedName(named, named.Name())
	}
	if receiver.Kind() == reflect.Interface {
		return "", terminalf(codeBadRequest, "%v is an interface with ServiceName, which only a value can answer: leave the method out of it, or refer to a type", receiver)
	}
	defer func() {
		if p := recover(); p != nil {
			err = terminalf(codeBadRequest, "ServiceName of a zero %v panics (%v): let it return a constant", receiver, p)
		}
	}()
	if receiver.Kind() == reflect.Pointer {
		zero = reflect.New(named).Interface()
	}
	return checkedName(receiver, zero.(serviceNamer).ServiceName())
}

type serviceNamer interface{ ServiceName() string }

func checkedName(t reflect.Type, name string) (string, TerminalError) {
	if !validName(name) {
		return "", terminalf(codeBadRequest, "the service of %v would have the name %q, which none can have: add the method ServiceName() string", t, name)
	}
	return name, nil
}
