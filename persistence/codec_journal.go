package persistence

import (
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// entries appends journal entries. A body stays the bytes it is; what the
// engine remembers beside it follows, in one byte when there is nothing.
func (e *encoder) entries(list []journal.Entry) {
	e.num(uint64(len(list)))
	for i := range list {
		entry := &list[i]
		e.num(uint64(entry.Type))
		e.payload(entry.Body)
		e.time(entry.At)
		e.sidecar(&entry.Sidecar)
	}
}

func (d *decoder) entries() []journal.Entry {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]journal.Entry, n)
	for i := range list {
		list[i] = journal.Entry{Type: d.entryType(), Body: d.payload(), At: d.time(), Sidecar: d.sidecar()}
	}
	return list
}

const (
	sidecarAllocated = 1 << iota
	sidecarCallee
)

func (e *encoder) sidecar(s *journal.Sidecar) {
	var parts uint8
	if s.Allocated != (journal.Allocated{}) {
		parts |= sidecarAllocated
	}
	if !s.Callee.IsZero() || s.CalleeKind != 0 {
		parts |= sidecarCallee
	}
	e.u8(parts)
	if parts&sidecarAllocated != 0 {
		e.allocated(&s.Allocated)
	}
	if parts&sidecarCallee != 0 {
		e.id(s.Callee)
		e.u8(uint8(s.CalleeKind))
	}
}

func (d *decoder) sidecar() (s journal.Sidecar) {
	parts := d.u8()
	if parts&^(sidecarAllocated|sidecarCallee) != 0 {
		d.fail()
	}
	if parts&sidecarAllocated != 0 {
		s.Allocated = d.allocated()
	}
	if parts&sidecarCallee != 0 {
		s.Callee, s.CalleeKind = d.id(), ident.Kind(d.u8())
	}
	return s
}

func (e *encoder) allocated(a *journal.Allocated) {
	e.n32(a.Signals)
	e.u64(a.SignalHash)
	e.num(a.Draws)
}

func (d *decoder) allocated() journal.Allocated {
	return journal.Allocated{Signals: d.n32(), SignalHash: d.u64(), Draws: d.num()}
}

// result appends a result. Every field is kept, also one that does not belong
// to the kind.
func (e *encoder) result(r *journal.Result) {
	e.u8(uint8(r.Kind))
	e.payload(r.Value)
	e.failure(r.Failure)
	e.text(r.InvocationID)
	e.num(uint64(len(r.StateKeys)))
	for _, k := range r.StateKeys {
		e.text(k)
	}
}

func (d *decoder) result() journal.Result {
	return journal.Result{
		Kind: journal.ResultKind(d.u8()), Value: d.payload(), Failure: d.failure(),
		InvocationID: d.text(), StateKeys: d.texts(),
	}
}

func (e *encoder) failure(f *journal.Failure) {
	if f == nil {
		e.u8(0)
		return
	}
	e.u8(1)
	e.n32(f.Code)
	e.text(f.Message)
	e.headers(f.Metadata)
}

func (d *decoder) failure() *journal.Failure {
	if d.u8() == 0 {
		return nil
	}
	return &journal.Failure{Code: d.n32(), Message: d.text(), Metadata: d.headers()}
}

func (e *encoder) headers(list []journal.Header) {
	e.num(uint64(len(list)))
	for i := range list {
		e.text(list[i].Key)
		e.text(list[i].Value)
	}
}

func (d *decoder) headers() []journal.Header {
	n := d.count()
	if n == 0 {
		return nil
	}
	list := make([]journal.Header, n)
	for i := range list {
		list[i] = journal.Header{Key: d.text(), Value: d.text()}
	}
	return list
}
