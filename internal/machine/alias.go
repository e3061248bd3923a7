package machine

import (
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// An invocation whose handler wants awakeables that nobody can guess has an
// alias: a second id, of the same partition and with 128 random bits, which is
// part of its awakeable ids instead of its own. Whoever can compute the id of
// the invocation, or is told it, knows none of them; and whoever holds an
// awakeable id knows no invocation.
//
//	resolve   by id      invocation without alias only
//	          by alias   invocation with this alias only
//	all else  by id
//
// An alias is drawn for each life: when a deterministic id comes back, its
// awakeable ids do not.

// AliasRow finds the birth and the key of an alias.
type AliasRow struct {
	Alias  ident.InvocationID
	Birth  ident.Seq
	Object ident.ObjectKey
}

// Key returns the key of the row.
func (r *AliasRow) Key() Key {
	return Key{Partition: r.Alias.Partition(), Table: TableAlias, ID: r.Alias}
}

// Awakeable returns the id of the awakeable with a signal index.
func (r *InvocationRow) Awakeable(index uint32) ident.AwakeableID {
	return ident.AwakeableID{Invocation: r.awakeableOwner(), Index: index}
}

// awakeableOwner is what stands for the invocation in its awakeable ids.
func (r *InvocationRow) awakeableOwner() ident.InvocationID {
	if r.Alias.IsZero() {
		return r.ID
	}
	return r.Alias
}

// receiver returns the invocation that a signal is for; nil without needs when
// there is none.
func (t *transition) receiver(ev *Signal) (*invocation, []Need) {
	inv, needs := t.find(ev.ID)
	switch {
	case needs != nil || !ev.awakeable():
		return inv, needs
	case inv != nil && inv.row.Alias.IsZero():
		return inv, nil
	case inv != nil:
		return nil, nil // its awakeables have other ids
	}
	return t.findAlias(ev.ID)
}

func (t *transition) findAlias(alias ident.InvocationID) (*invocation, []Need) {
	birth, known := t.aliases[alias]
	_, gone := t.gone[alias]
	switch {
	case !known && gone:
		return nil, nil
	case !known:
		return nil, []Need{{From: (&AliasRow{Alias: alias}).Key()}}
	case birth == 0:
		return nil, nil
	}
	return t.findBirth(birth, alias.Partition())
}

// giveAlias writes the alias of an invocation that is accepted.
func (t *transition) giveAlias(inv *invocation) {
	if inv.row.Alias.IsZero() {
		return
	}
	t.knowAlias(inv.row.Alias, inv.row.Birth)
	t.putFresh(&AliasRow{Alias: inv.row.Alias, Birth: inv.row.Birth, Object: t.key})
}

// dropAlias removes it together with the record.
func (t *transition) dropAlias(inv *invocation) {
	if !inv.row.Alias.IsZero() {
		t.delete((&AliasRow{Alias: inv.row.Alias}).Key())
	}
}

func (o *Object) knowAlias(alias ident.InvocationID, birth ident.Seq) {
	if alias.IsZero() {
		return
	}
	if o.aliases == nil {
		o.aliases = map[ident.InvocationID]ident.Seq{}
	}
	o.aliases[alias] = birth
}

func (o *Object) loadedAlias(alias ident.InvocationID, rows []Row) error {
	if len(rows) == 0 {
		o.knowAlias(alias, 0)
		return nil
	}
	r, ok := rows[0].(*AliasRow)
	if !ok || r.Object != o.key {
		return fmt.Errorf("alias of %s: %w", o.key, ErrInconsistent)
	}
	o.knowAlias(alias, r.Birth)
	return nil
}

// forgetUnknownAliases drops what an event has found missing.
func (o *Object) forgetUnknownAliases() {
	for alias, birth := range o.aliases {
		if birth == 0 {
			delete(o.aliases, alias)
		}
	}
}
