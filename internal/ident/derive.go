package ident

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/zeebo/xxh3"
)

// ServiceBuckets is the number of partition keys over which the invocations of
// one keyless service are spread.
const ServiceBuckets = 512

// KeyPartitionKey returns the partition key of an object key or workflow id:
// XXH3-64 over the key and the byte FF.
func KeyPartitionKey(key string) PartitionKey {
	return PartitionKey(hashStrings(key))
}

// ServicePartitionKey returns the partition key of a keyless service in the
// given bucket, which is below ServiceBuckets.
func ServicePartitionKey(service string, bucket uint16) PartitionKey {
	b := appendStrings(nil, service, "unscoped/service")
	b = binary.LittleEndian.AppendUint64(b, uint64(bucket))
	return PartitionKey(xxh3.Hash(b))
}

// IdempotencyBucket returns the bucket of a keyless call with an idempotency
// key.
func IdempotencyBucket(idempotencyKey string) uint16 {
	return uint16(hashStrings(idempotencyKey) % ServiceBuckets)
}

// WorkflowID returns the id of the one run of a workflow.
func WorkflowID(service, key string) InvocationID {
	return NewInvocationID(KeyPartitionKey(key), digest("wf,"+service+","+key))
}

// IdempotentID returns the id of the invocation of t under an idempotency key.
func IdempotentID(t Target, idempotencyKey string) InvocationID {
	if !t.Keyed() {
		k := ServicePartitionKey(t.Service, IdempotencyBucket(idempotencyKey))
		return NewInvocationID(k, digest("ik,"+t.Service+","+t.Handler+","+idempotencyKey))
	}
	return NewInvocationID(KeyPartitionKey(t.Key), digest("ik,"+t.Service+","+t.Key+","+t.Handler+","+idempotencyKey))
}

// RandomID returns the id of an invocation of t that has neither a workflow
// key nor an idempotency key. The random bytes come from the caller and must
// not all be zero; the bucket of a keyless service is taken from bucket.
func RandomID(t Target, bucket uint16, random [16]byte) InvocationID {
	if t.Keyed() {
		return NewInvocationID(KeyPartitionKey(t.Key), random)
	}
	return NewInvocationID(ServicePartitionKey(t.Service, bucket%ServiceBuckets), random)
}

// ObjectKeyOf returns the key whose actor runs invocation id of t.
func ObjectKeyOf(t Target, id InvocationID) ObjectKey {
	if t.Keyed() {
		return ObjectKey{Service: t.Service, Key: t.Key}
	}
	return ObjectKey{Service: t.Service, Key: id.String()}
}

func digest(s string) [16]byte {
	sum := sha256.Sum256([]byte(s))
	return [16]byte(sum[:16])
}

// hashStrings hashes what is not long without memory of its own.
func hashStrings(parts ...string) uint64 {
	var b [128]byte
	return xxh3.Hash(appendStrings(b[:0], parts...))
}

func appendStrings(b []byte, parts ...string) []byte {
	for _, s := range parts {
		b = append(b, s...)
		b = append(b, 0xFF)
	}
	return b
}
