package httpapi

import (
	"fmt"
	"slices"
	"strings"
)

// maxListed is how many names an answer lists.
const maxListed = 10

// noService refuses a name that no service has. One that is too long for any
// is not repeated.
func (c catalog) noService(name string) *failure {
	if len(name) > maxNameBytes {
		return badRequest("the name of the service is longer than 255 bytes")
	}
	for _, bound := range c {
		if strings.EqualFold(bound.name, name) {
			return notFound("no service named '" + name + "': names are case-sensitive, and there is '" + bound.name + "'")
		}
	}
	return notFound("no service named '" + name + "': /restate/health lists those that are bound")
}

// noHandler refuses a name that no handler of the service has, and says which
// ones a request may name.
func (s *service) noHandler(name string) *failure {
	if len(name) > maxNameBytes {
		return badRequest("the name of the handler is longer than 255 bytes")
	}
	message := "service '" + s.name + "' has no handler '" + name + "': "
	open := s.open()
	for _, bound := range open {
		if strings.EqualFold(bound, name) {
			return notFound(message + "names are case-sensitive, and there is '" + bound + "'")
		}
	}
	return notFound(message + "it has " + list(open))
}

// open returns the names of the handlers that the ingress may call, sorted.
func (s *service) open() []string {
	var names []string
	for name, h := range s.handlers {
		if !h.private {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// list writes the first names, and how many more there are.
func list(names []string) string {
	switch {
	case len(names) == 0:
		return "none that the ingress may call"
	case len(names) > maxListed:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxListed], ", "), len(names)-maxListed)
	}
	return strings.Join(names, ", ")
}
