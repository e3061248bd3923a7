package main

import (
	"sync/atomic"

	badger "github.com/dgraph-io/badger/v4"
)

// maxGroup bounds the records' owners in one commit.
const maxGroup = 1024

// record is one key and value.
type record struct{ key, value []byte }

// request asks the committer for records to be made durable.
type request struct {
	records [2]record
	n       int
	done    chan error
}

// committer makes requests durable, as many at once as have arrived during the
// last commit.
type committer struct {
	db            *badger.DB
	requests      chan *request
	commits, rows atomic.Int64
}

func newCommitter(db *badger.DB) *committer {
	c := &committer{db: db, requests: make(chan *request, 8192)}
	go c.loop()
	return c
}

// commit returns when the records of r are durable.
func (c *committer) commit(r *request) error {
	c.requests <- r
	return <-r.done
}

func (c *committer) loop() {
	var group []*request
	for first := range c.requests {
		group = c.gather(append(group[:0], first))
		err := c.write(group)
		for _, r := range group {
			r.done <- err
		}
	}
}

// gather adds what is waiting.
func (c *committer) gather(group []*request) []*request {
	for len(group) < maxGroup {
		select {
		case r := <-c.requests:
			group = append(group, r)
		default:
			return group
		}
	}
	return group
}

func (c *committer) write(group []*request) error {
	tx := c.db.NewTransaction(true)
	defer tx.Discard()
	for _, r := range group {
		for _, rec := range r.records[:r.n] {
			if err := tx.Set(rec.key, rec.value); err != nil {
				return err
			}
		}
		c.rows.Add(int64(r.n))
	}
	c.commits.Add(1)
	return tx.Commit()
}
