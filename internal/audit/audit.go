package audit

import (
	"errors"
	"fmt"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// MaxFindings bounds the findings of a Report. More of them are counted.
const MaxFindings = 1000

// Report is what Check has seen.
type Report struct {
	// Findings are what is wrong, at most MaxFindings, in the order in which they
	// were found. More says how many there are beside them.
	Findings []Finding
	More     uint64
	// Rows counts what was read; Invocations the records among it, and Unfinished
	// those that have not ended.
	Rows, Invocations, Unfinished uint64
	// Awakeables counts those that suspended invocations have created and that
	// nobody has answered.
	Awakeables uint64
}

// Good reports whether nothing is wrong.
func (r *Report) Good() bool { return len(r.Findings) == 0 }

// audit is one run of Check.
type audit struct {
	r      persistence.Overview
	report Report
	marks  persistence.Marks
	debts  debts
}

// Check judges the snapshot of r, which is one of package persistence. Its error
// says that it could not look; what it has found is in the report.
//
// It may be called concurrently, each time with a Reader of its own.
func Check(r persistence.Reader) (*Report, error) {
	all, ok := r.(persistence.Overview)
	if !ok {
		return nil, fmt.Errorf("audit: a %T gives no overview of its snapshot", r)
	}
	a := &audit{r: all, debts: debts{}}
	if err := a.run(); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	return &a.report, nil
}

func (a *audit) run() (err error) {
	if a.marks, err = a.r.Marks(); err != nil && !a.damaged("", "marks of the store", err) {
		return err
	}
	partitions, err := a.r.Partitions()
	if err != nil {
		return err
	}
	for _, p := range partitions {
		if err := a.partition(p); err != nil {
			return fmt.Errorf("partition %d: %w", p, err)
		}
	}
	return a.settleDebts()
}

// find adds a finding.
func (a *audit) find(rule Rule, key, format string, args ...any) {
	if len(a.report.Findings) >= MaxFindings {
		a.report.More++
		return
	}
	a.report.Findings = append(a.report.Findings, Finding{Rule: rule, Key: key, Text: fmt.Sprintf(format, args...)})
}

// damaged makes a finding of an error that is about one row, and reports whether
// it is one.
func (a *audit) damaged(key, what string, err error) bool {
	if !errors.Is(err, persistence.ErrCorrupt) {
		return false
	}
	if key == "" {
		key = what
	}
	a.find(RuleReadable, key, "%s cannot be read: %v", what, err)
	return true
}

// rowName names a row in findings.
func rowName(k machine.Key) string {
	name := fmt.Sprintf("%s row in partition %d", tableName(k.Table), k.Partition)
	switch k.Table {
	case machine.TableHead:
		return machine.Headed(k).String()
	case machine.TableID, machine.TableMarker, machine.TableAlias:
		return k.ID.String()
	case machine.TableInvocation, machine.TableJournal, machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableActive:
		return fmt.Sprintf("%s, birth %v, %d", name, ident.Seq(k.A), k.C)
	case machine.TableTimer, machine.TableStatus, machine.TableExpiry:
		return fmt.Sprintf("%s, birth %v", name, ident.Seq(k.B))
	case machine.TableState, machine.TableInbox, machine.TablePromise, machine.TableListener:
		return fmt.Sprintf("%s, object %x, %v %s", name, k.Object[:4], ident.Seq(k.A), k.Name)
	default:
		return fmt.Sprintf("%s, %v, %d", name, ident.Seq(k.A), k.C)
	}
}
