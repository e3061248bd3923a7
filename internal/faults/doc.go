// Package faults makes real faults of disks for tests: power that goes, syncs that
// fail, last long or lie, and memory maps that run out.
//
//	Child         a process for them to happen to
//	Disk          a file system whose power can be cut, with little space or few inodes
//	CutPower      drops what a file system has not flushed
//	WatchSyncs    makes every sync of this process slow, or fail
//	IgnoreMsync   makes syncs of maps do nothing, and say that they did
//	TakeMaps      uses up memory maps of this process
//
// A Disk is ext4 on a loop device whose file lies on another ext4 on a loop device.
// The outer one stands for the volatile cache of a drive: what the inner one has
// written but not flushed is in its page cache. To cut the power is to shut the
// outer one down without flushing its log, so everything is lost that no sync has
// carried through both, and pages that happened to be written are kept, in any
// order.
//
// Syncs are caught with a seccomp filter, which needs no privilege and which nothing
// of the process evades. It cannot be taken off again, so this is for children.
//
// It works on Linux. Where it cannot work, errors wrap ErrUnavailable and say what is
// missing: tests skip then. The package knows nothing of a store, and no program
// imports it.
package faults
