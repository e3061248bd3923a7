package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	badger "github.com/dgraph-io/badger/v4"
)

// badger measures one kind of loop with each number of clients, each on a store
// of its own.
func (c *config) badger(measure func(db *badger.DB, clients int) error) error {
	for _, clients := range c.clients {
		dir := filepath.Join(c.dir, fmt.Sprintf("%s-%d", c.what, clients))
		db, err := badger.Open(badger.DefaultOptions(dir).WithSyncWrites(c.sync).WithLogger(nil))
		if err != nil {
			return fmt.Errorf("open %s: %w", dir, err)
		}
		if err := errors.Join(measure(db, clients), db.Close(), os.RemoveAll(dir)); err != nil {
			return err
		}
	}
	return nil
}

// key is a key of 24 bytes that no other operation uses. With value it makes a
// record of 100 bytes.
func key(worker, i int) []byte {
	k := binary.BigEndian.AppendUint64(make([]byte, 0, 24), rand.Uint64())
	k = binary.BigEndian.AppendUint64(k, uint64(worker))
	return binary.BigEndian.AppendUint64(k, uint64(i))
}

func value() []byte { return make([]byte, 76) }

// alone commits every record in a transaction of its own.
func (c *config) alone(db *badger.DB, clients int) error {
	l := loop{name: fmt.Sprintf("badger-sync=%v", c.sync), workers: clients, op: func(w, i int) error {
		return db.Update(func(tx *badger.Txn) error { return tx.Set(key(w, i), value()) })
	}}
	return l.measure(c.duration)
}

// grouped hands records to one committer.
func (c *config) grouped(db *badger.DB, clients int) error {
	g := group{db: db, max: c.maxGroup, requests: make(chan *request, 8192), ended: make(chan struct{})}
	go g.loop()
	done := make([]chan error, clients)
	for i := range done {
		done[i] = make(chan error, 1)
	}
	l := loop{
		name: fmt.Sprintf("badger-group-sync=%v", c.sync), workers: clients,
		op: func(w, i int) error {
			g.requests <- &request{key: key(w, i), value: value(), done: done[w]}
			return <-done[w]
		},
		extra: func(seconds float64, line map[string]any) {
			commits, records := float64(g.commits.Load()), float64(g.records.Load())
			line["commits_s"] = int(commits / seconds)
			line["mean_batch"] = fmt.Sprintf("%.1f", records/max(commits, 1))
		},
	}
	err := l.measure(c.duration)
	close(g.requests)
	<-g.ended
	return err
}
