package actors

import (
	"errors"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/persistence"
)

// quarantined are the keys that are out of service until the process starts
// again. They are remembered here because actors leave: one that came back and
// served what is sent to it now would do so before what it has refused.
type quarantined struct {
	mu   sync.Mutex
	keys map[ident.ObjectKey]error
}

func (q *quarantined) add(key ident.ObjectKey, cause error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.keys == nil {
		q.keys = map[ident.ObjectKey]error{}
	}
	q.keys[key] = cause
}

// find returns nil for a key that is in service.
func (q *quarantined) find(key ident.ObjectKey) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.keys[key]
}

func (q *quarantined) len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.keys)
}

// quarantine gives the key up until the process starts again. Outputs that were
// queued before commit normally, rows addressed to the key stay on disk.
func (k *keyActor) quarantine(cause error) {
	if k.broken != nil || k.rt.failed.Load() {
		return
	}
	if errors.Is(cause, persistence.ErrClosed) {
		k.rt.lostStore(cause)
		return
	}
	k.broken = &QuarantinedError{Object: k.entry.key, Cause: cause}
	k.obj = nil
	k.rt.quarantined.add(k.entry.key, k.broken)
	k.rt.logger.Error("a key is quarantined until the next start; no other key is affected", "object", k.entry.key.String(), "error", cause, stackOf(cause))
	k.rt.waiters.failKey(k.entry.key, k.broken)
	for _, a := range k.live {
		a.stop(stopAborted)
	}
}

// refuse answers an event of a key that is quarantined.
func (k *keyActor) refuse(env *envelope) {
	if token := tokenOf(env.event); token != 0 && k.broken != nil {
		k.rt.waiters.fail(token, k.broken)
	}
	env.permit.release()
	k.rt.settle(&env.origin)
}

// lostStore stops the runtime when the store was closed under it: what was handed
// to a key would wait for ever. At the end the runtime closes the store itself.
func (rt *Runtime) lostStore(cause error) {
	if !rt.draining.Load() {
		rt.crash(cause)
	}
}
