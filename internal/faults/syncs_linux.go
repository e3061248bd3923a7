package faults

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// IgnoreMsync makes msync do nothing and succeed for the rest of the life of this
// process: what is written through maps is synced no more.
func IgnoreMsync() error {
	_, err := filter(unix.SECCOMP_RET_ERRNO, 0, unix.SYS_MSYNC)
	return err
}

// Syncs decides what becomes of each sync of this process. Its methods may be called
// concurrently.
type Syncs struct {
	listener uintptr
	delay    atomic.Int64
	errno    atomic.Int32
	seen     atomic.Int64
}

// WatchSyncs catches every fsync, fdatasync and msync of this process for the rest of
// its life. They are as before until Slow or Fail is called.
func WatchSyncs() (*Syncs, error) {
	fd, err := filter(unix.SECCOMP_RET_USER_NOTIF, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, unix.SYS_FSYNC, unix.SYS_FDATASYNC, unix.SYS_MSYNC)
	if err != nil {
		return nil, err
	}
	s := &Syncs{listener: fd}
	go s.serve()
	return s, nil
}

// Slow makes each sync last longer by d.
func (s *Syncs) Slow(d time.Duration) { s.delay.Store(int64(d)) }

// Fail makes each sync fail with errno, after the delay; 0 lets them succeed again.
func (s *Syncs) Fail(errno unix.Errno) { s.errno.Store(int32(errno)) }

// Seen returns how many syncs there were.
func (s *Syncs) Seen() int { return int(s.seen.Load()) }

// notification and verdict are struct seccomp_notif and seccomp_notif_resp.
type notification struct {
	id         uint64
	pid, flags uint32
	number     int32
	arch       uint32
	address    uint64
	args       [6]uint64
}

type verdict struct {
	id    uint64
	value int64
	errno int32
	flags uint32
}

// serve takes notifications until the process ends.
func (s *Syncs) serve() {
	for {
		var n notification
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, s.listener, unix.SECCOMP_IOCTL_NOTIF_RECV, uintptr(unsafe.Pointer(&n)))
		switch errno {
		case 0:
			s.seen.Add(1)
			go s.decide(n.id)
		case unix.EINTR, unix.ENOENT: // the caller is gone
		default:
			panic(fmt.Sprintf("receive a notification of seccomp: %v", errno))
		}
	}
}

func (s *Syncs) decide(id uint64) {
	if d := time.Duration(s.delay.Load()); d > 0 {
		<-time.After(d)
	}
	v := verdict{id: id, flags: unix.SECCOMP_USER_NOTIF_FLAG_CONTINUE}
	if errno := s.errno.Load(); errno != 0 {
		v.errno, v.flags = -errno, 0
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, s.listener, unix.SECCOMP_IOCTL_NOTIF_SEND, uintptr(unsafe.Pointer(&v)))
	if errno != 0 && errno != unix.ENOENT {
		panic(fmt.Sprintf("answer a notification of seccomp: %v", errno))
	}
}

// filter gives every thread of the process a filter with an action for some system
// calls. It returns what the kernel does: a descriptor when flags ask for a listener.
func filter(action uint32, flags uintptr, calls ...uint32) (uintptr, error) {
	arch, known := map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}[runtime.GOARCH]
	if !known {
		return 0, fmt.Errorf("catch system calls on %s: %w", runtime.GOARCH, ErrUnavailable)
	}
	const (
		load, jump, give = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
		numberAt, archAt = 0, 4
	)
	program := []unix.SockFilter{{Code: load, K: archAt}, {Code: jump, K: arch, Jt: 1}, {Code: give, K: unix.SECCOMP_RET_ALLOW}, {Code: load, K: numberAt}}
	for i, call := range calls {
		program = append(program, unix.SockFilter{Code: jump, K: call, Jt: uint8(len(calls) - i)})
	}
	program = append(program, unix.SockFilter{Code: give, K: unix.SECCOMP_RET_ALLOW}, unix.SockFilter{Code: give, K: action})
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("catch system calls: %w: %w", err, ErrUnavailable)
	}
	list := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		flags|unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH, uintptr(unsafe.Pointer(&list)))
	if errno != 0 {
		return 0, fmt.Errorf("catch system calls: %w: %w", errno, ErrUnavailable)
	}
	return fd, nil
}
