package journal

import "testing"

func BenchmarkSetState(b *testing.B) {
	benchmark(b, &SetState{Key: "count", Value: []byte("42")})
}

func BenchmarkCall(b *testing.B) {
	benchmark(b, &Call{
		Service: "Account", Key: "alice", Handler: "withdraw", Parameter: []byte(`{"amount":12}`),
		InvocationIDCompletion: 1, Completion: 2,
	})
}

func benchmark(b *testing.B, c Command) {
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewEntry(c, 1, Sidecar{})
		}
	})
	body := c.AppendBody(nil)
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeCommand(c.Type(), body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkNotification(b *testing.B) {
	n := Notification{TypeRunCompletion, CompletionID(1), ValueOf([]byte(`"ok"`))}
	body := n.AppendBody(nil)
	b.Run("encode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			n.Entry(1)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodeNotification(n.Type, body); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkReduceUnchanged(b *testing.B) {
	tree := over(FirstCompleted, node(AllCompleted, 1, 2), node(AllSucceededOrFirstFailed, 3, 4))
	b.ReportAllocs()
	for b.Loop() {
		if _, satisfied := tree.Reduce(CompletionID(9), false); satisfied {
			b.Fatal("satisfied")
		}
	}
}
