// Package ident holds the identifiers of Dormouse: invocation ids, awakeable
// ids, targets, and the numbers that order events.
//
// An id carries its address. The first eight bytes of an invocation id are the
// partition key of its target, an awakeable id starts with the id of the
// invocation that created it, so a resolution finds its partition without a
// lookup. The other sixteen bytes are random, or derived from an idempotency
// key or a workflow key; deduplication is then the existence of the record.
//
// Text forms are those of Restate's ingress. Reading is strict: an accepted
// text, written again, gives the same text.
//
// The package knows nothing of journals, stores or clocks, and draws no random
// numbers: whoever needs a random id brings the sixteen bytes.
package ident
