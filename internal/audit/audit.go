package audit

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// MaxFindings bounds the findings of a Report. More of them are counted.
const MaxFindings = 1000

// Report is what Check has seen.
type Report struct {
	// Findings are what is wrong, at most MaxFindings, sorted by their keys. More says how many there are beside them.
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
	// unpaid says that a row cannot be read which may have paid a debt.
	unpaid bool
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
	tables, err := a.r.Tables()
	if err != nil {
		return err
	}
	p := &partition{audit: a}
	for len(tables) > 0 {
		n, has := tables[0].Partition, [256]bool{}
		for len(tables) > 0 && tables[0].Partition == n {
			has[tables[0].Table] = true
			a.known(tables[0])
			tables = tables[1:]
		}
		if n >= ident.Partitions {
			continue
		}
		p.reset(n, &has)
		if err := p.read(); err != nil {
			return fmt.Errorf("partition %d: %w", n, err)
		}
		p.finish()
	}
	strays, err := a.r.Strays()
	if err != nil {
		return err
	}
	for _, s := range strays {
		a.find(RuleOwner, s.Row, "%s", s.Text)
	}
	a.settleDebts()
	slices.SortStableFunc(a.report.Findings, func(x, y Finding) int {
		return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.Rule, y.Rule), cmp.Compare(x.Text, y.Text))
	})
	return nil
}

// known finds rows that no build has written.
func (a *audit) known(table machine.Key) {
	if _, ok := tableName(table.Table); !ok || table.Partition >= ident.Partitions {
		a.find(RuleReadable, fmt.Sprintf("partition %d", table.Partition), "it has rows of table %q, which are not known", byte(table.Table))
	}
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

// RowName names a row in findings.
func RowName(k machine.Key) string {
	name := fmt.Sprintf("%s row in partition %d", TableName(k.Table), k.Partition)
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
