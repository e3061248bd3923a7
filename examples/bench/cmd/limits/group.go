package main

import (
	"sync/atomic"

	badger "github.com/dgraph-io/badger/v4"
)

// request is a record that wants to be durable.
type request struct {
	key, value []byte
	done       chan error
}

// group is a group committer: what arrives during one commit is the next one.
type group struct {
	db               *badger.DB
	max              int
	requests         chan *request
	ended            chan struct{}
	commits, records atomic.Int64
}

// loop commits until requests is closed.
func (g *group) loop() {
	defer close(g.ended)
	var waiting []*request
	for first := range g.requests {
		waiting = g.gather(append(waiting[:0], first))
		err := g.commit(waiting)
		for _, r := range waiting {
			r.done <- err
		}
	}
}

func (g *group) gather(waiting []*request) []*request {
	for len(waiting) < g.max {
		select {
		case r, ok := <-g.requests:
			if !ok {
				return waiting
			}
			waiting = append(waiting, r)
		default:
			return waiting
		}
	}
	return waiting
}

func (g *group) commit(waiting []*request) error {
	tx := g.db.NewTransaction(true)
	defer tx.Discard()
	for _, r := range waiting {
		if err := tx.Set(r.key, r.value); err != nil {
			return err
		}
	}
	g.commits.Add(1)
	g.records.Add(int64(len(waiting)))
	return tx.Commit()
}
