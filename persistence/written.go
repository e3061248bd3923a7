package persistence

import "sync/atomic"

// Written counts what a store has made durable since it was opened. Every store
// of this package has a method Written that returns it.
type Written struct {
	// Transactions are the engine's, at least one for each group with rows.
	Transactions uint64
	// Rows are the rows in them, one of each transaction being the store's own,
	// and Bytes their keys and values. Unlike the figures of a Batch they are what
	// is left when a group has dropped what it overwrites itself.
	Rows, Bytes uint64
	// Syncs are the system calls that made transactions durable; 0 in memory.
	Syncs uint64
}

// badgerSyncs is how many msync calls the engine makes for a transaction: one
// for the value log, where nothing was written, and one for the log of the table
// in memory.
const badgerSyncs = 2

// counted is an engine that counts what is written to it.
type counted struct {
	engine
	// syncs is how many system calls one transaction takes.
	syncs uint64

	transactions, rows, bytes atomic.Uint64
}

func (c *counted) write(ts uint64, entries []entry) error {
	if err := c.engine.write(ts, entries); err != nil {
		return err
	}
	bytes := 0
	for i := range entries {
		bytes += len(entries[i].key) + len(entries[i].value)
	}
	c.transactions.Add(1)
	c.rows.Add(uint64(len(entries)))
	c.bytes.Add(uint64(bytes))
	return nil
}

// written may be called concurrently with everything.
func (c *counted) written() Written {
	n := c.transactions.Load()
	return Written{Transactions: n, Rows: c.rows.Load(), Bytes: c.bytes.Load(), Syncs: n * c.syncs}
}

// Written returns what was made durable since Open.
func (s *badgerStore) Written() Written { return s.counted.written() }

// Written returns what was made durable since the store was made.
func (m *Memory) Written() Written { return m.counted.written() }
