package ident

import (
	"encoding/hex"
	"errors"
	"fmt"
	"testing"
)

// TestWorkedExamplesOfTheContract pins text and derivation of ids byte for
// byte: callers store them and other runtimes compute them.
func TestWorkedExamplesOfTheContract(t *testing.T) {
	t.Parallel()
	raw := func(partitionKey, uuid string) InvocationID {
		b, err := hex.DecodeString(partitionKey + uuid)
		if err != nil {
			t.Fatal(err)
		}
		return InvocationID(b)
	}
	for _, tc := range []struct {
		name, text, partitionKey, uuid, awakeable string
		derived                                   InvocationID
	}{
		{"workflow run", "inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8", "5164c775648d211b", "fc1b0e11991cc94920918243914fad60", "sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ", WorkflowID("Wf", "w1")},
		{"keyed idempotent", "inv_10SHxgluLUdD6TrhOxOFz2TXBr99GsRtSi", "758d82ac80d0460a", "3265bb301b7f7d1cedd4ed54988685e2", "sign_1dY2CrIDQRgoyZbswG399HO3U7VSYhoXiAAAAEQ", IdempotentID(Target{"Obj", "k2", "Add", KindExclusive}, "k-1")},
		{"keyless idempotent", "inv_1ca6DV4BApIF5xlS7I3j4fgljgXPcpyfqk", "a51333ac5692ab8d", "dc91e007c2cf068e06897cfa13a6f5b5", "sign_1pRMzrFaSq43ckeAHws8GjgaJfPoTpvW1AAAAEQ", IdempotentID(Target{"Greeter", "", "Greet", KindService}, "k-1")},
		{"decode only", "inv_16QByQkMH2pm5W5slVNLsuCY696osNhnWD", "5485bf3e3bbcc44f", "97613a8e887f7f1d8793750b5f6711c3", "sign_1VIW_Pju8xE-XYTqOiH9_HYeTdQtfZxHDAAAAEQ", InvocationID{}},
		{"counting bytes", "inv_10BnVMHtxjjO0HyUJWli0aN6NpK3xqX1zy", "0001020304050607", "08090a0b0c0d0e0f1011121314151617", "sign_1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXAAAAEQ", InvocationID{}},
		{"both parts one", "inv_105k1wlNFHb201SZwviYzes2mjOamuMJWw", "0000000000000001", "00000000000000000000000000000001", "sign_1AAAAAAAAAAEAAAAAAAAAAAAAAAAAAAABAAAAEQ", InvocationID{}},
		{"all ones", "inv_1lYGhA16ahyf7N42dgm5tFLK9N8MT7fHC7", "ffffffffffffffff", "ffffffffffffffffffffffffffffffff", "sign_1________________________________AAAAEQ", InvocationID{}},
	} {
		id := raw(tc.partitionKey, tc.uuid)
		if !tc.derived.IsZero() && tc.derived != id {
			t.Errorf("%s: derived %x, want %x", tc.name, tc.derived, id)
		}
		if got := id.String(); got != tc.text {
			t.Errorf("%s: text %s, want %s", tc.name, got, tc.text)
		}
		if got, err := ParseInvocationID(tc.text); err != nil || got != id {
			t.Errorf("%s: parsed %x, %v, want %x", tc.name, got, err, id)
		}
		a := AwakeableID{Invocation: id, Index: FirstAwakeable}
		if got := a.String(); got != tc.awakeable {
			t.Errorf("%s: awakeable %s, want %s", tc.name, got, tc.awakeable)
		}
		if got, err := ParseAwakeableID(tc.awakeable); err != nil || got != a {
			t.Errorf("%s: awakeable parsed %+v, %v", tc.name, got, err)
		}
	}
}

func TestHashesOfTheContract(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		key  string
		want uint64
	}{{"b1", 15938388185435289529}, {"", 15473502163978278702}, {"k-1", 772320723198490152}} {
		if got := uint64(KeyPartitionKey(tc.key)); got != tc.want {
			t.Errorf("H(%q) = %d, want %d", tc.key, got, tc.want)
		}
	}
	if got := IdempotencyBucket("k-1"); got != 40 {
		t.Errorf("bucket of k-1 = %d, want 40", got)
	}
}

func TestMalformedIdsAreRefused(t *testing.T) {
	t.Parallel()
	good := "inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8"
	for _, s := range []string{"", "inv_1", good[:37], good + "0", "inv_2" + good[5:], "INV_1" + good[5:],
		"inv_1ZZZZZZZZZZZ" + good[16:], good[:16] + "ZZZZZZZZZZZZZZZZZZZZZZ", good[:37] + "-", good[:37] + "é"} {
		if id, err := ParseInvocationID(s); !errors.Is(err, ErrMalformed) {
			t.Errorf("ParseInvocationID(%q) = %v, %v; want ErrMalformed", s, id, err)
		}
	}
	sign := "sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ"
	for _, tc := range []struct {
		text string
		want error
	}{
		{"", ErrMalformed}, {good, ErrMalformed}, {sign[:43], ErrMalformed}, {sign + "A", ErrMalformed}, {sign + "=", ErrMalformed},
		{sign[:43] + "R", ErrMalformed}, // bits beyond the last byte are set
		{sign[:20] + "\n" + sign[20:], ErrMalformed}, {"sign_2" + sign[6:], ErrMalformed}, {"prom_1" + sign[6:43], ErrMalformed},
		{"sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAAQ", ErrReservedSignal},
		{"prom_1" + sign[6:], ErrForeignAwakeable},
	} {
		if id, err := ParseAwakeableID(tc.text); !errors.Is(err, tc.want) {
			t.Errorf("ParseAwakeableID(%q) = %v, %v; want %v", tc.text, id, err, tc.want)
		}
	}
}

func TestSeqKeepsBootAndCounterApart(t *testing.T) {
	t.Parallel()
	s := NewSeq(MaxBoot, 1<<40-1)
	if s.Boot() != MaxBoot || s.Counter() != 1<<40-1 || NewSeq(2, 0) <= NewSeq(1, 1<<40-1) {
		t.Fatalf("seq %v does not order by boot, then counter", s)
	}
	defer func() {
		if recover() == nil {
			t.Fatal("a counter that does not fit was accepted")
		}
	}()
	NewSeq(1, 1<<40)
}

func FuzzParseInvocationID(f *testing.F) {
	f.Add("inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseInvocationID(s); err == nil && id.String() != s {
			t.Fatalf("%q was accepted and written as %q", s, id)
		}
	})
}

func FuzzParseAwakeableID(f *testing.F) {
	f.Add("sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ")
	f.Fuzz(func(t *testing.T, s string) {
		if id, err := ParseAwakeableID(s); err == nil && id.String() != s {
			t.Fatalf("%q was accepted and written as %q", s, id)
		}
	})
}

func ExampleParseAwakeableID() {
	id, err := ParseAwakeableID("sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ")
	fmt.Println(id.Invocation, id.Index, err)
	// Output: inv_12kpUQONmeFb2WqsVOkAjH4phS34cOyIC8 17 <nil>
}
