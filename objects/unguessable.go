package objects

import "github.com/dormouse-run/dormouse/internal/ident"

// WithUnguessableAwakeables gives the awakeables of a handler, or of all
// handlers of a service, ids with 128 random bits of their own. Without it an
// awakeable id is made of the id of its invocation and a number: whoever is told
// the one, or can compute it because he knows the workflow id or the idempotency
// key, has the other. With it only who is given an awakeable id can resolve it,
// and he learns nothing about the invocation.
//
// It holds for invocations that are accepted from then on, and for as long as
// they are kept, whatever a later build says. Named signals are addressed by the
// id of their invocation and are not covered.
func WithUnguessableAwakeables(unguessable bool) DefinitionOption {
	return DefinitionOption{func(o *DefinitionOptions) { o.UnguessableAwakeables = &unguessable }}
}

// awakeable returns the text of an awakeable id.
func (a *Attempt) awakeable(index uint32) string {
	id := ident.AwakeableID{Invocation: a.ID, Index: index}
	if !a.Alias.IsZero() {
		id.Invocation = a.Alias
	}
	return id.String()
}
