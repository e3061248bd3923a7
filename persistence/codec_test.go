package persistence

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
	"github.com/dormouse-run/dormouse/internal/machine"
)

// rowTypes returns a zero row of every type, and an outbox row for every
// message.
func rowTypes() []machine.Row {
	return []machine.Row{
		&machine.HeadRow{}, &machine.StateRow{}, &machine.InboxRow{}, &machine.IDRow{},
		&machine.InvocationRow{}, &machine.JournalRow{}, &machine.SignalRow{}, &machine.PendingRow{}, &machine.WaiterRow{},
		&machine.TimerRow{}, &machine.ActiveRow{}, &machine.StatusRow{}, &machine.ExpiryRow{}, &machine.MarkerRow{}, &machine.ChoreRow{},
		&machine.PromiseRow{}, &machine.ListenerRow{}, &machine.PatchRow{}, &machine.AliasRow{},
		&machine.OutboxRow{Message: &machine.Invoke{}}, &machine.OutboxRow{Message: &machine.Signal{}},
		&machine.OutboxRow{Message: &machine.Returned{}}, &machine.OutboxRow{Message: &machine.Attach{}},
		&machine.OutboxRow{Message: &machine.Operate{}},
	}
}

func rowName(r machine.Row) string {
	name := reflect.TypeOf(r).Elem().Name()
	if o, ok := r.(*machine.OutboxRow); ok {
		name += reflect.TypeOf(o.Message).Elem().Name()
	}
	return name
}

// fill sets every field below v. next yields the values, so that a test decides
// whether they are small and different or random. fill does not know fields by
// name: one that the codec forgets comes back as zero and fails the test.
func fill(v reflect.Value, next func() uint64, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth > 6 {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), next, depth+1)
	case reflect.Interface:
		if !v.IsNil() {
			fill(v.Elem().Elem(), next, depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), next, depth+1)
		}
	case reflect.Slice:
		n := 2
		if v.Type().Elem().Kind() == reflect.Pointer {
			n = 1
		}
		if depth > 6 {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			fill(v.Index(i), next, depth+1)
		}
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), next, depth+1)
		}
	case reflect.String:
		v.SetString(fmt.Sprint(next()))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Int:
		v.SetInt(int64(next()))
		if v.OverflowInt(int64(next())) {
			v.SetInt(int64(int32(next())))
		}
	default:
		v.SetUint(next() & (1<<v.Type().Bits() - 1))
	}
}

// tidyRow makes a filled row one that can be stored: parts of its key that must
// agree do, and what is not kept is zero.
func tidyRow(r machine.Row) {
	const p = ident.Partition(5)
	id := func(i *ident.InvocationID) { i[0] = byte(p) << 2 }
	switch r := r.(type) {
	case *machine.IDRow:
		id(&r.ID)
	case *machine.MarkerRow:
		id(&r.ID)
	case *machine.AliasRow:
		id(&r.Alias)
	case *machine.InvocationRow:
		id(&r.ID)
		tidyAwait(r.Await)
	case *machine.OutboxRow:
		r.Partition, r.Ref.Partition = p, p
		m := reflect.ValueOf(r.Message).Elem()
		for _, name := range []string{"From", "Token"} {
			if f := m.FieldByName(name); f.IsValid() {
				f.SetZero()
			}
		}
	default:
		reflect.ValueOf(r).Elem().FieldByName("Partition").SetUint(uint64(p))
	}
}

// tidyAwait makes a filled tree one that the protocol has: nodes are not nil, and
// combine their children in a way that it knows.
func tidyAwait(f *journal.Future) {
	f.Combinator %= journal.AllSucceededOrFirstFailed + 1
	f.Nested = slices.DeleteFunc(f.Nested, func(in *journal.Future) bool { return in == nil })
	if len(f.Nested) == 0 {
		f.Nested = nil
	}
	for _, in := range f.Nested {
		tidyAwait(in)
	}
}

func filled(r machine.Row, next func() uint64) machine.Row {
	fill(reflect.ValueOf(r).Elem(), next, 0)
	tidyRow(r)
	return r
}

func encodeOne(t testing.TB, r machine.Row) (key, value []byte) {
	t.Helper()
	b, err := new(encodings).encode(1, []machine.Write{{Put: r}})
	if err != nil {
		t.Fatalf("encode %s: %v", rowName(r), err)
	}
	if len(b.ahead.ops) != 0 {
		t.Fatalf("encode %s: chunks", rowName(r))
	}
	o := b.named.ops[0]
	return b.named.buf[o.key:o.value], b.named.buf[o.value:o.end]
}

func decodeOne(key, value []byte) (machine.Row, error) {
	k, err := parseKey(key)
	if err != nil {
		return nil, err
	}
	return decodeRow(&k, key, bytes.Clone(value), func([]byte) ([]byte, error) { return nil, nil })
}

func TestEveryFieldOfEveryRowIsKept(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	small := func() uint64 { return random.Uint64N(100) + 1 }
	for _, next := range []func() uint64{small, random.Uint64} {
		for range 20 {
			for _, r := range rowTypes() {
				r := filled(r, next)
				key, value := encodeOne(t, r)
				got, err := decodeOne(key, value)
				if err != nil {
					t.Fatalf("%s: %v", rowName(r), err)
				}
				if !reflect.DeepEqual(got, r) {
					t.Fatalf("%s\n got %+v\nwant %+v", rowName(r), got, r)
				}
				if k, _ := parseKey(key); k != r.Key() {
					t.Fatalf("%s: key %+v, want %+v", rowName(r), k, r.Key())
				}
			}
		}
	}
}

func TestZeroRowsAreKept(t *testing.T) {
	t.Parallel()
	for _, r := range rowTypes() {
		got, err := decodeOne(encodeOne(t, r))
		if err != nil || !reflect.DeepEqual(got, r) {
			t.Fatalf("%s: got %+v, %v", rowName(r), got, err)
		}
	}
}

// TestGoldenBytes pins the stored bytes of every row. A change of this file's
// output is a change of the format.
func TestGoldenBytes(t *testing.T) {
	t.Parallel()
	rows := map[string]machine.Row{}
	for _, r := range rowTypes() {
		n := uint64(0)
		rows[rowName(r)] = filled(r, func() uint64 { n++; return n })
	}
	datadriven.RunTest(t, "testdata/golden.txt", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "meta" {
			m := meta{ts: 1, boot: 2, marks: Marks{Timers: 3, Clock: 4}}
			return hexLines(metaKey(), m.encode())
		}
		r, ok := rows[d.Cmd]
		if !ok {
			t.Fatalf("there is no row type %s", d.Cmd)
		}
		delete(rows, d.Cmd)
		return hexLines(encodeOne(t, r))
	})
	for name := range rows {
		t.Errorf("testdata/golden.txt has no %s", name)
	}
}

func hexLines(key, value []byte) string {
	return fmt.Sprintf("key   %x\nhead  %x\n%s", key, value[:valueHeader], hex.Dump(value[valueHeader:]))
}

func TestKeysSortLikeTheirParts(t *testing.T) {
	t.Parallel()
	ordered := []machine.Row{
		&machine.TimerRow{Partition: 1, Due: 1, Birth: 2, Slot: 3}, &machine.TimerRow{Partition: 1, Due: 1, Birth: 2, Slot: 256},
		&machine.TimerRow{Partition: 1, Due: 1, Birth: 256}, &machine.TimerRow{Partition: 1, Due: 256}, &machine.TimerRow{Partition: 2},
	}
	var last []byte
	for i, r := range ordered {
		key, _ := encodeOne(t, r)
		if bytes.Compare(last, key) >= 0 {
			t.Fatalf("key %d, %x, does not follow %x", i, key, last)
		}
		last = key
	}
}

func TestUnknownTrailingFieldsAreIgnoredAndMissingOnesAreZero(t *testing.T) {
	t.Parallel()
	r := &machine.IDRow{ID: ident.InvocationID{5 << 2}, Birth: 7, Object: ident.ObjectKey{Service: "s", Key: "k"}}
	key, value := encodeOne(t, r)
	longer := append(bytes.Clone(value), "a field of tomorrow"...)
	seal(key, longer, 0)
	if got, err := decodeOne(key, longer); err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("longer: %+v, %v", got, err)
	}
	shorter := bytes.Clone(value[:valueHeader+1])
	seal(key, shorter, 0)
	if got, err := decodeOne(key, shorter); err != nil || !reflect.DeepEqual(got, &machine.IDRow{ID: r.ID, Birth: 7}) {
		t.Fatalf("shorter: %+v, %v", got, err)
	}
	torn := bytes.Clone(value[:len(value)-1])
	seal(key, torn, 0)
	if _, err := decodeOne(key, torn); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("cut in the middle of a field: %v", err)
	}
}

func TestEveryFlippedBitOfARowIsNoticed(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for _, r := range rowTypes() {
		key, value := encodeOne(t, filled(r, random.Uint64))
		for i := range (len(key) + len(value)) * 8 {
			k, v := bytes.Clone(key), bytes.Clone(value)
			if i < len(key)*8 {
				k[i/8] ^= 1 << (i % 8)
			} else {
				v[i/8-len(key)] ^= 1 << (i % 8)
			}
			if _, err := decodeOne(k, v); err == nil {
				t.Fatalf("%s: bit %d can be flipped unnoticed", rowName(r), i)
			}
		}
	}
}

func TestRowOfAnotherFormatIsRefusedByName(t *testing.T) {
	t.Parallel()
	key, value := encodeOne(t, &machine.SignalRow{Partition: 1})
	value[0] = 9
	// seal sets the version, so the sum is made by hand.
	sum := checksum(key, value)
	value[2], value[3], value[4], value[5] = byte(sum>>24), byte(sum>>16), byte(sum>>8), byte(sum)
	if _, err := decodeOne(key, value); !errors.Is(err, ErrFormat) {
		t.Fatalf("got %v", err)
	}
}

// TestHeadUnderAKeyThatNamesNoObjectIsCorrupt: the key of a head holds the names of
// its object, and the row nothing of them.
func TestHeadUnderAKeyThatNamesNoObjectIsCorrupt(t *testing.T) {
	t.Parallel()
	_, value := encodeOne(t, &machine.HeadRow{Partition: 1, Object: ident.ObjectKey{Service: "a", Key: "b"}})
	key, err := appendKey(nil, &machine.Key{Partition: 1, Table: machine.TableHead, Name: "ab"})
	if err != nil {
		t.Fatal(err)
	}
	seal(key, value, 0)
	if _, err := decodeOne(key, value); !errors.Is(err, ErrCorrupt) {
		t.Fatalf("got %v", err)
	}
}

func TestDeepAwaitTreeIsRefused(t *testing.T) {
	t.Parallel()
	r := &machine.InvocationRow{ID: ident.InvocationID{5 << 2}, Await: &journal.Future{}}
	for range maxAwaitDepth {
		r.Await = &journal.Future{Nested: []*journal.Future{r.Await}}
	}
	if _, err := new(encodings).encode(1, []machine.Write{{Put: r}}); !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v", err)
	}
	r.Await = r.Await.Nested[0]
	if got, err := decodeOne(encodeOne(t, r)); err != nil || !reflect.DeepEqual(got, r) {
		t.Fatalf("a tree of the greatest depth: %v", err)
	}
}

// FuzzRow decodes any body under any key of the machine's tables.
func FuzzRow(f *testing.F) {
	random := rand.New(rand.NewPCG(7, 8))
	for _, r := range rowTypes() {
		key, value := encodeOne(f, filled(r, random.Uint64))
		f.Add(key, byte(0), value[valueHeader:])
		f.Add(key, byte(flagChunks), value[valueHeader:])
	}
	f.Fuzz(func(t *testing.T, key []byte, flags byte, body []byte) {
		value := append(make([]byte, valueHeader), body...)
		seal(key, value, flags)
		row, err := decodeOne(key, value)
		if err != nil {
			return
		}
		if row.Key().Partition >= ident.Partitions {
			return
		}
		b, err := new(encodings).encode(1, []machine.Write{{Put: row}})
		if errors.Is(err, ErrTooLarge) {
			return
		}
		if err != nil {
			t.Fatalf("encode what was decoded: %v", err)
		}
		o := b.named.ops[0]
		again, err := decodeOne(b.named.buf[o.key:o.value], b.named.buf[o.value:o.end])
		if b.named.ops[0].claims&isOwner != 0 {
			return
		}
		if err != nil || !reflect.DeepEqual(again, row) {
			t.Fatalf("round trip: %v\n got %+v\nwant %+v", err, again, row)
		}
	})
}

// FuzzInternalValues decodes any meta and intent row.
func FuzzInternalValues(f *testing.F) {
	f.Add([]byte{0, 1, 'I'}, []byte{1})
	f.Fuzz(func(t *testing.T, key, body []byte) {
		value := append(make([]byte, valueHeader), body...)
		seal(metaKey(), value, 0)
		if m, err := decodeMeta(value); err == nil {
			if again, err := decodeMeta(m.encode()); err != nil || again != m {
				t.Fatalf("round trip of %+v: %+v, %v", m, again, err)
			}
		}
		seal(key, value, 0)
		if g, err := garbageOf(key, value); err == nil && bytes.Compare(g.from, g.to) >= 0 {
			t.Fatalf("intent %x covers nothing: %x to %x", key, g.from, g.to)
		}
	})
}
