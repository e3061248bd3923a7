package ident

import "testing"

func BenchmarkInvocationIDString(b *testing.B) {
	id := NewInvocationID(12345678901234567, [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16})
	b.ReportAllocs()
	for b.Loop() {
		_ = id.String()
	}
}

func BenchmarkKeyPartitionKey(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		_ = KeyPartitionKey("a-key-of-some-object")
	}
}
