package dormousetest

import (
	"io"
	"sync"
)

// testOutput writes to the log of a test until the test is over. What comes
// later, from code that was abandoned, is dropped: the testing package would
// panic.
type testOutput struct {
	mu   sync.Mutex
	out  io.Writer
	over bool
}

// Write implements io.Writer.
func (o *testOutput) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.over {
		return len(line), nil
	}
	return o.out.Write(line)
}

func (o *testOutput) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.over = true
}
