package storetest

import (
	"errors"
	"reflect"
	"testing"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// Harness is one store under test and the place where it keeps its rows.
type Harness interface {
	// Open opens the store: an empty one at the first call, later what the last
	// store had committed before it was closed.
	Open(t *testing.T) persistence.Store
	// Crash opens what a process would find that was started after the one with
	// s had been killed. s is not used any more.
	Crash(t *testing.T, s persistence.Store) persistence.Store
}

// Run runs the suite. New is called once for each test and must return a
// harness with an empty place.
func Run(t *testing.T, New func(t *testing.T) Harness) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, h Harness)
	}{
		{"EveryRowComesBackWithAllItsFields", everyRowComesBack},
		{"EncodeKeepsNoReferenceToItsWrites", encodeKeepsNoReference},
		{"BatchTellsItsEarliestTimer", batchTellsItsEarliestTimer},
		{"OversizedOutputIsRefused", oversizedOutputIsRefused},
		{"ScanIsOrderedAndBounded", scanIsOrderedAndBounded},
		{"RowsAreWalkedInBothDirections", rowsAreWalkedInBothDirections},
		{"WalksAgreeWithANaiveStore", walksAgreeWithANaiveStore},
		{"HotRowsAreOneStep", hotRowsAreOneStep},
		{"WalkStaysAtItsMoment", walkStaysAtItsMoment},
		{"WalkRefusesWhatItCannotDo", walkRefusesWhatItCannotDo},
		{"PartitionsAndTablesAreSeparate", partitionsAndTablesAreSeparate},
		{"LastWriteOfAGroupWins", lastWriteOfAGroupWins},
		{"DeleteInAGroupHidesTheRowOnDisk", deleteInAGroupHidesTheRowOnDisk},
		{"FreshRowDeletedInItsGroupIsGone", freshRowDeletedInItsGroupIsGone},
		{"LargePayloadsComeBack", largePayloadsComeBack},
		{"LargeRowsCanBeReplacedAndRemoved", largeRowsCanBeReplacedAndRemoved},
		{"ManyMiddleSizedPayloadsFitOneOutput", manyMiddleSizedPayloadsFit},
		{"GroupMayExceedOneTransaction", groupMayExceedOneTransaction},
		{"MarksMoveBothWaysAndZeroLeavesThem", marksMove},
		{"OverviewTellsWhatASnapshotHas", overviewTells},
		{"EmptyCommitIsHarmless", emptyCommitIsHarmless},
		{"SnapshotStaysAtItsMoment", snapshotStaysAtItsMoment},
		{"ReadersRunBesideCommits", readersRunBesideCommits},
		{"BootCounterNeverRepeats", bootCounterNeverRepeats},
		{"CleanTellsACloseFromACrash", cleanTellsACloseFromACrash},
		{"CrashKeepsWhatWasCommittedAndNothingElse", crashKeepsWhatWasCommitted},
		{"RowsSurviveManyReopenings", rowsSurviveManyReopenings},
		{"ClosedStoreRefusesEverything", closedStoreRefusesEverything},
		{"TidyChangesNoRow", tidyChangesNoRow},
		{"BackupBringsEveryRowBack", backupBringsEveryRowBack},
		{"BackupOfAnEmptyStoreIsOne", backupOfAnEmptyStoreIsOne},
		{"BackupIsOneMoment", backupIsOneMoment},
		{"BackupThatFailsIsNone", backupThatFailsIsNone},
		{"OneBackupAtATime", oneBackupAtATime},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, New(t))
		})
	}
}

// put and fresh make writes of rows, remove of a key.
func put(rows ...machine.Row) (writes []machine.Write) {
	for _, r := range rows {
		writes = append(writes, machine.Write{Put: r})
	}
	return writes
}

func fresh(rows ...machine.Row) (writes []machine.Write) {
	for _, r := range rows {
		writes = append(writes, machine.Write{Put: r, Fresh: true})
	}
	return writes
}

func remove(keys ...machine.Key) (writes []machine.Write) {
	for _, k := range keys {
		writes = append(writes, machine.Write{Delete: k})
	}
	return writes
}

// encode encodes outputs with growing numbers.
func encode(t *testing.T, s persistence.Store, outputs ...[]machine.Write) []*persistence.Batch {
	t.Helper()
	var group []*persistence.Batch
	for i, writes := range outputs {
		b, err := s.Encode(ident.NewSeq(s.Info().Boot, uint64(i+1)), writes)
		if err != nil {
			t.Fatalf("encode output %d: %v", i, err)
		}
		group = append(group, b)
	}
	return group
}

// commit commits outputs as one group.
func commit(t *testing.T, s persistence.Store, outputs ...[]machine.Write) {
	t.Helper()
	if err := s.Commit(encode(t, s, outputs...), persistence.Marks{}); err != nil {
		t.Fatalf("commit: %v", err)
	}
}

// get reads one row.
func get(t *testing.T, s persistence.Store, k machine.Key) (row machine.Row) {
	t.Helper()
	err := s.Read(func(r persistence.Reader) (err error) {
		row, err = r.Get(k)
		return err
	})
	if err != nil {
		t.Fatalf("get %+v: %v", k, err)
	}
	return row
}

func scan(t *testing.T, s persistence.Store, from, to machine.Key, limit int) (rows []machine.Row) {
	t.Helper()
	err := s.Read(func(r persistence.Reader) (err error) {
		rows, err = r.Scan(from, to, limit)
		return err
	})
	if err != nil {
		t.Fatalf("scan %+v: %v", from, err)
	}
	return rows
}

// want fails unless the store holds exactly this row under its key.
func want(t *testing.T, s persistence.Store, r machine.Row) {
	t.Helper()
	if got := get(t, s, r.Key()); !reflect.DeepEqual(got, r) {
		t.Fatalf("row under %+v\n got %.300v\nwant %.300v", r.Key(), got, r)
	}
}

func wantNone(t *testing.T, s persistence.Store, k machine.Key) {
	t.Helper()
	if got := get(t, s, k); got != nil {
		t.Fatalf("row under %+v is %.300v and should be gone", k, got)
	}
}

func wantError(t *testing.T, what string, err, target error) {
	t.Helper()
	if !errors.Is(err, target) {
		t.Fatalf("%s: got error %v, want %v", what, err, target)
	}
}

func closeStore(t *testing.T, s persistence.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}
