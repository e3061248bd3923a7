package journal

import (
	"bytes"
	"errors"
	"reflect"
	"testing"
)

// What a decoder accepts is written in canonical form and reads the same then.
func FuzzDecodeCommand(f *testing.F) {
	for _, c := range samples() {
		f.Add(uint16(c.Type()), c.AppendBody(nil))
	}
	f.Fuzz(func(t *testing.T, code uint16, body []byte) {
		c, err := DecodeCommand(Type(code), body)
		if err != nil {
			if !errors.Is(err, ErrMalformed) || c != nil {
				t.Fatalf("%v, %v", c, err)
			}
			return
		}
		canonical := c.AppendBody(nil)
		again, err := DecodeCommand(Type(code), canonical)
		if err != nil || !reflect.DeepEqual(again, c) {
			t.Fatalf("read %+v, %v from %x, want %+v", again, err, canonical, c)
		}
		if entry := NewEntry(c, 0, Sidecar{}); !bytes.Equal(entry.Body, canonical) {
			t.Fatalf("entry has body %x, want %x", entry.Body, canonical)
		}
	})
}

func FuzzDecodeNotification(f *testing.F) {
	for _, n := range notifications() {
		f.Add(uint16(n.Type), n.AppendBody(nil))
	}
	f.Fuzz(func(t *testing.T, code uint16, body []byte) {
		n, err := DecodeNotification(Type(code), body)
		if err != nil {
			return
		}
		canonical := n.AppendBody(nil)
		again, err := DecodeNotification(Type(code), canonical)
		if err != nil || !reflect.DeepEqual(again, n) {
			t.Fatalf("read %+v, %v from %x, want %+v", again, err, canonical, n)
		}
	})
}

func FuzzDecodeFuture(f *testing.F) {
	for _, tree := range trees() {
		f.Add(tree.AppendBody(nil), uint32(1), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, completion uint32, failed bool) {
		tree, err := DecodeFuture(body)
		if err != nil {
			return
		}
		again, err := DecodeFuture(tree.AppendBody(nil))
		if err != nil || !reflect.DeepEqual(again, tree) {
			t.Fatalf("read %v, %v, want %v", again, err, tree)
		}
		id := CompletionID(completion)
		rest, satisfied := tree.Reduce(id, failed)
		if satisfied != (rest == nil) || rest != nil && rest.Contains(id) {
			t.Fatalf("%v reduced by %v: %v, %v", tree, id, rest, satisfied)
		}
		if !reflect.DeepEqual(again, tree) {
			t.Fatalf("Reduce changed the tree to %v", tree)
		}
	})
}
