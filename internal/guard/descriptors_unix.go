//go:build unix

package guard

import (
	"fmt"
	"syscall"
)

// raiseDescriptors raises the soft limit of file descriptors to the hard one and
// returns the limit that is in force, 0 when it is not known.
func raiseDescriptors() (uint64, error) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, fmt.Errorf("read the limit of file descriptors: %w", err)
	}
	if l.Cur >= l.Max {
		return uint64(l.Cur), nil
	}
	raised := l
	raised.Cur = raised.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised); err != nil {
		return uint64(l.Cur), fmt.Errorf("raise the limit of file descriptors from %d to %d: %w", l.Cur, l.Max, err)
	}
	return uint64(raised.Cur), nil
}
