package dormousetest

import (
	"fmt"
	"strings"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// maxReported is how many invocations a report names.
const maxReported = 20

// giveUp fails a test that takes too long, and lets everything return that waits
// for the runtime.
func (e *TestEnvironment) giveUp() {
	l := e.alive()
	if l == nil {
		e.t.Errorf("dormousetest: the test has not ended within %v, and the runtime is down", e.settings.patience)
		return
	}
	e.t.Errorf("dormousetest: the test has not ended within %v. %s", e.settings.patience, unfinished(l.store))
	l.cut()
}

// unfinished lists the invocations of a store that have not ended.
func unfinished(store persistence.Store) string {
	var lines []string
	err := store.Read(func(r persistence.Reader) error {
		lines = nil
		for p := range ident.Partition(ident.Partitions) {
			more, err := unfinishedOf(r, p)
			if err != nil {
				return err
			}
			lines = append(lines, more...)
		}
		return nil
	})
	switch {
	case err != nil:
		return fmt.Sprintf("What hangs cannot be read: %v", err)
	case len(lines) == 0:
		return "Every invocation has ended: the test itself waits for something."
	case len(lines) > maxReported:
		lines = append(lines[:maxReported], fmt.Sprintf("and %d more", len(lines)-maxReported))
	}
	return "These invocations have not ended:\n\t" + strings.Join(lines, "\n\t")
}

func unfinishedOf(r persistence.Reader, p ident.Partition) (lines []string, err error) {
	const page = 256
	from := machine.Key{Partition: p, Table: machine.TableInvocation}
	to := machine.Key{Partition: p, Table: machine.TableInvocation, A: 1<<64 - 1}
	for {
		rows, err := r.Scan(from, to, page)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if inv, ok := row.(*machine.InvocationRow); ok && inv.Status != machine.StatusCompleted {
				lines = append(lines, describe(inv))
			}
		}
		if len(rows) < page {
			return lines, nil
		}
		from = rows[len(rows)-1].Key()
		from.A++
	}
}

// describe says where an invocation is.
func describe(inv *machine.InvocationRow) string {
	text := fmt.Sprintf("%s %s: %s after %d entries", inv.ID, inv.Target, inv.Status, inv.JournalLength)
	if inv.Await != nil {
		text += ", waits for " + inv.Await.String()
	}
	if n := len(inv.Failures); n > 0 {
		text += fmt.Sprintf(", failed %d times, the last time with %q", n, inv.Failures[n-1].Message)
	}
	return text
}
