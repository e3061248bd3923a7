//go:build !amd64 && !arm64

package objects

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
)

// current returns a number that no other goroutine has: the one in the first
// line of its stack, "goroutine 7 [running]:".
func current() uintptr {
	var buf [40]byte
	line := buf[:runtime.Stack(buf[:], false)]
	line = bytes.TrimPrefix(line, []byte("goroutine "))
	if i := bytes.IndexByte(line, ' '); i >= 0 {
		line = line[:i]
	}
	id, err := strconv.ParseUint(string(line), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("objects: the stack of a goroutine begins with %q", buf))
	}
	return uintptr(id)
}
