package ident

import "fmt"

// Seq numbers an event of the process. It is a boot counter (24 bits) followed
// by a process-wide counter (40 bits), drawn by an actor before the event is
// applied. The numbers of one key therefore grow in the order in which its
// events are applied, also over restarts, and never repeat. The zero Seq
// belongs to no event.
//
// The Seq of the event that accepted an invocation is the invocation's birth;
// the Seq of the event that started an attempt is the attempt's epoch.
type Seq uint64

const seqCounterBits = 40

// MaxBoot is the highest boot counter that fits a Seq.
const MaxBoot = 1<<24 - 1

// NewSeq joins a boot counter and a process-wide counter. It panics when either
// does not fit: numbers that wrap around would overwrite stored rows.
func NewSeq(boot uint32, counter uint64) Seq {
	if boot > MaxBoot || counter >= 1<<seqCounterBits {
		panic(fmt.Sprintf("ident: boot %d or counter %d does not fit a sequence number", boot, counter))
	}
	return Seq(uint64(boot)<<seqCounterBits | counter)
}

// Boot returns the boot counter of s.
func (s Seq) Boot() uint32 { return uint32(s >> seqCounterBits) }

// Counter returns the process-wide counter of s.
func (s Seq) Counter() uint64 { return uint64(s) & (1<<seqCounterBits - 1) }

// String returns boot and counter, separated by a dot.
func (s Seq) String() string { return fmt.Sprintf("%d.%d", s.Boot(), s.Counter()) }
