package child

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// free reports whether a program could listen on an address now.
func free(address string) error {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("something listens on %s already; end it (ss -ltnp tells what it is), or run this command in a network of its own: "+
			"unshare -rn sh -c 'ip link set lo up && exec …'", address)
	}
	if err != nil {
		return nil // that the address is no good the program itself will tell
	}
	return l.Close()
}
