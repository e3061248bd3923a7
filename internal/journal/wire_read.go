package journal

import (
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// decoder walks over the fields of one message. After next returned true, num
// is the number of the field and one of the readers may be asked for its
// content; a field that nobody asks for is skipped. The first error sticks and
// ends the walk.
//
// Bytes that a reader returns are part of the message, with their capacity cut
// to their length. Text is copied and not checked for valid UTF-8: whoever takes
// a name from outside checks it, and what was stored must stay readable.
type decoder struct {
	rest []byte
	num  protowire.Number
	typ  protowire.Type
	n    uint64
	b    []byte
	err  error
}

func (d *decoder) next() bool {
	if d.err != nil || len(d.rest) == 0 {
		return false
	}
	num, typ, n := protowire.ConsumeTag(d.rest)
	if n < 0 {
		return d.stop(n)
	}
	d.num, d.typ, d.rest = num, typ, d.rest[n:]
	switch typ {
	case protowire.VarintType:
		d.n, n = protowire.ConsumeVarint(d.rest)
	case protowire.BytesType:
		d.b, n = protowire.ConsumeBytes(d.rest)
	default:
		n = protowire.ConsumeFieldValue(num, typ, d.rest)
	}
	if n < 0 {
		return d.stop(n)
	}
	d.rest = d.rest[n:]
	return true
}

func (d *decoder) stop(code int) bool {
	d.fail(protowire.ParseError(code).Error())
	return false
}

func (d *decoder) fail(why string) {
	if d.err == nil {
		d.err = fmt.Errorf("field %d: %s: %w", d.num, why, ErrMalformed)
	}
}

func (d *decoder) bytes() []byte {
	if d.typ != protowire.BytesType {
		d.fail("not a length-delimited field")
		return nil
	}
	if len(d.b) == 0 {
		return nil
	}
	return d.b[:len(d.b):len(d.b)]
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) optionalText() *string {
	s := d.text()
	return &s
}

func (d *decoder) uint64() uint64 {
	if d.typ != protowire.VarintType {
		d.fail("not a varint field")
		return 0
	}
	return d.n
}

func (d *decoder) uint32() uint32 {
	n := d.uint64()
	if n > math.MaxUint32 {
		d.fail("number out of range")
	}
	return uint32(n)
}

// refuse fails on a field that asks for something the runtime does not do.
func (d *decoder) refuse(what string) {
	if len(d.bytes()) != 0 {
		d.fail(what + " is not supported")
	}
}

// nested walks over the message inside the field. done must be called with it:
// it takes over the error, which names the innermost field.
func (d *decoder) nested() decoder { return decoder{rest: d.bytes(), num: d.num} }

func (d *decoder) done(inner *decoder) {
	if d.err == nil {
		d.err = inner.err
	}
}

// value reads a Value; an empty one is nil.
func (d *decoder) value() []byte {
	var content []byte
	in := d.nested()
	for in.next() {
		if in.num == 1 {
			content = in.bytes()
		}
	}
	d.done(&in)
	return content
}

// header reads key and value as two parts of one string.
func (d *decoder) header() Header {
	in := d.nested()
	var key, value []byte
	for in.next() {
		switch in.num {
		case 1:
			key = in.bytes()
		case 2:
			value = in.bytes()
		}
	}
	d.done(&in)
	var both strings.Builder
	both.Grow(len(key) + len(value))
	both.Write(key)
	both.Write(value)
	return Header{Key: both.String()[:len(key)], Value: both.String()[len(key):]}
}

func (d *decoder) failure() *Failure {
	f := &Failure{}
	in := d.nested()
	for in.next() {
		switch in.num {
		case 1:
			f.Code = in.uint32()
		case 2:
			f.Message = in.text()
		case 3:
			f.Metadata = append(f.Metadata, in.header())
		}
	}
	d.done(&in)
	return f
}

func (d *decoder) stateKeys() []string {
	var keys []string
	in := d.nested()
	for in.next() {
		if in.num == 1 {
			keys = append(keys, in.text())
		}
	}
	d.done(&in)
	return keys
}

// read takes the field when it is a member of the union; the last one wins.
func (u union) read(d *decoder, r *Result) {
	switch d.num {
	case u.void:
		d.bytes()
		*r = VoidResult()
	case u.value:
		*r = ValueOf(d.value())
	case u.failure:
		*r = Result{Kind: ResultFailure, Failure: d.failure()}
	case u.invocationID:
		*r = Result{Kind: ResultInvocationID, InvocationID: d.text()}
	case u.stateKeys:
		*r = Result{Kind: ResultStateKeys, StateKeys: d.stateKeys()}
	}
}

// require fails when a part without which the message has no meaning is
// missing.
func (d *decoder) require(found bool, what string) {
	if d.err == nil && !found {
		d.err = fmt.Errorf("no %s: %w", what, ErrMalformed)
	}
}
