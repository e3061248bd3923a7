// Command ceilsvc is the ceiling of a durable runtime on this stack: Echo in
// front of Badger with synced writes and one group committer. It waits for the
// disk at the points where a runtime has to and does nothing else: it has no
// queues, no journal, no recovery.
//
//	add     one commit of two records of 100 bytes, then the answer
//	send    the same
//	run10   a commit of one record for each of ten steps, then that of add
//	wait    a commit before the callback and one of its result; the resolve
//	        commits before it is acknowledged; then that of add
package main

import (
	"fmt"
	"net/http"
	"os"

	badger "github.com/dgraph-io/badger/v4"
	"github.com/dormouse-run/dormouse/examples/bench/internal/command"
)

func main() {
	fs := command.Flags("ceilsvc")
	addr := fs.String("addr", "127.0.0.1:28620", "`address` to listen on")
	dir := fs.String("dir", "data/run-ceil", "data `directory`")
	callback := fs.String("cb", "http://127.0.0.1:28900/cb", "`URL` that the callback of wait is posted to")
	nosync := fs.Bool("nosync", false, "do not sync")
	command.Exit("ceilsvc", command.Parse(fs, os.Args[1:]))
	command.Exit("ceilsvc", run(*addr, *dir, *callback, !*nosync))
}

func run(addr, dir, callback string, sync bool) error {
	db, err := badger.Open(badger.DefaultOptions(dir).WithSyncWrites(sync).WithLogger(nil))
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	return http.ListenAndServe(addr, newServer(newCommitter(db), callback).routes())
}
