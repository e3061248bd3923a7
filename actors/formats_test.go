package actors_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/audit"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/machine"
	"github.com/dormouse-run/dormouse/persistence"
)

// keptFormats is where a directory of each released format is.
const keptFormats = "testdata/formats"

// TestTheFormatOfThisBuildIsKept fails when the format was raised and nobody has
// kept a directory of it.
func TestTheFormatOfThisBuildIsKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := persistence.Open(dir, persistence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, "FORMAT"))
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(content))
	home := filepath.Join(keptFormats, words[len(words)-1])
	for _, how := range []string{"closed", "killed"} {
		archive := filepath.Join(home, how+".tar.gz")
		if _, err := os.Stat(archive); err != nil {
			t.Errorf("%v: write it with: go test ./actors -run WriteFormat -format.write=%s", err, home)
			continue
		}
		if got, err := os.ReadFile(filepath.Join(unpackDir(t, archive), "FORMAT")); err != nil || string(got) != string(content) {
			t.Errorf("%s is of the format %q, %v", archive, got, err)
		}
	}
}

// TestKeptDirectoriesAreOpenedAndEverythingFinishes opens what an earlier build
// has left, wakes everything that waits in it, and looks again after hours and days.
func TestKeptDirectoriesAreOpenedAndEverythingFinishes(t *testing.T) {
	t.Parallel()
	archives, err := filepath.Glob(keptFormats + "/*/*.tar.gz")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no directories: %v", err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimPrefix(archive, keptFormats+"/"), func(t *testing.T) {
			t.Parallel()
			k := readKept(t, archive)
			dir := unpackDir(t, archive)
			killed := strings.HasSuffix(archive, "killed.tar.gz")
			examineKept(t, dir).wantAll(t, killed)
			wakeKept(t, dir, k)
			examineKept(t, dir)
			finishKept(t, dir, k, killed)
			examineKept(t, dir)
			outliveKept(t, dir, k)
			examineKept(t, dir)
		})
	}
}

// TestAKeptDirectoryIsWholeAfterYears: of a directory that was away for long nothing
// is removed at the start, as the clock may be wrong. What is over by that clock is
// answered as such, and what was due happens.
func TestAKeptDirectoryIsWholeAfterYears(t *testing.T) {
	t.Parallel()
	archive := keptFormats + "/5/closed.tar.gz"
	k := readKept(t, archive)
	dir := unpackDir(t, archive)
	before := examineKept(t, dir)
	h, leave := openKept(t, dir, 10*365*24*time.Hour)
	for _, e := range exhibits() {
		if e.late {
			h.becomes(e.name, k.Invocations[e.name], "completed")
			h.ends(e, k)
		}
	}
	h.must(http.StatusNotFound, "GET", h.ingress+"/restate/attach/"+k.Invocations["refused"], "")
	leave()
	after := examineKept(t, dir)
	for _, table := range []machine.Table{machine.TableInvocation, machine.TableState, machine.TableMarker, machine.TablePromise} {
		if before.tables[table] != after.tables[table] {
			t.Errorf("of the table %q there were %d rows, and there are %d", string(rune(table)), before.tables[table], after.tables[table])
		}
	}
}

func readKept(t *testing.T, archive string) (k kept) {
	t.Helper()
	text, err := os.ReadFile(strings.TrimSuffix(archive, ".tar.gz") + ".json")
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// keptRows counts the rows of a directory by table.
type keptRows struct {
	tables map[machine.Table]int
	owed   bool
}

// examineKept judges the files and the rows of a directory that nobody has open.
func examineKept(t *testing.T, dir string) keptRows {
	t.Helper()
	rows := keptRows{tables: map[machine.Table]int{}}
	found, err := persistence.Examine(dir, persistence.Examiner{Rows: func(r persistence.Reader) error {
		report, err := audit.Check(r)
		if err != nil {
			return err
		}
		for _, f := range report.Findings {
			t.Errorf("audit: %s", f)
		}
		for p := range ident.Partition(ident.Partitions) {
			for _, table := range keptTables() {
				it := r.Rows(machine.Key{Partition: p, Table: table}, machine.Key{}, persistence.Ascending)
				for it.Next() {
					row, err := it.Row()
					if err != nil {
						return err
					}
					if row != nil { // else it was removed
						rows.tables[table]++
					}
				}
				if err := it.Err(); err != nil {
					return err
				}
			}
		}
		return nil
	}})
	if err != nil || len(found.Damage) > 0 || found.Unread != nil {
		t.Fatalf("examine: %+v, %v", found, err)
	}
	rows.owed = rows.tables[machine.TableOutbox] > 0
	return rows
}

// wantAll holds a directory to having every kind of row. Debts and sweeps are found
// behind a kill only.
func (r keptRows) wantAll(t *testing.T, killed bool) {
	t.Helper()
	for _, table := range keptTables() {
		brief := table == machine.TableOutbox || table == machine.TableChore
		if r.tables[table] == 0 && (killed || !brief) {
			t.Errorf("there is no row of the table %q", string(rune(table)))
		}
	}
}

func keptTables() []machine.Table {
	return []machine.Table{
		machine.TableHead, machine.TableState, machine.TableInbox, machine.TableID, machine.TableInvocation, machine.TableJournal,
		machine.TableSignal, machine.TablePending, machine.TableWaiter, machine.TableTimer, machine.TableOutbox, machine.TableActive,
		machine.TableStatus, machine.TableExpiry, machine.TableMarker, machine.TablePromise, machine.TableListener, machine.TableChore,
		machine.TablePatch, machine.TableAlias,
	}
}

// wakeKept opens a directory an hour after it was written, finds everything as it
// was, and answers what waits for an answer.
func wakeKept(t *testing.T, dir string, k kept) {
	t.Helper()
	h, leave := openKept(t, dir, time.Hour)
	defer leave()
	for _, e := range exhibits() {
		if want := e.status; want != "running" {
			h.becomes(e.name, k.Invocations[e.name], want)
		}
	}
	h.resolve(k.Awakeables["Brief/m"][0], "again") // a marker remembers it
	h.must(http.StatusNotFound, "POST", h.ingress+"/restate/awakeables/sign_1UWTHdWSNIRv8Gw4RmRzJSSCRgkORT61gAAAAEQ/resolve", `"x"`)
	h.must(http.StatusOK, "PATCH", h.admin+"/invocations/"+k.Invocations["paused"]+"/resume", "")
	for place, name := range map[string]string{"Shelf/held": "held", "Shelf/two": "two", "Shelf/steps": "steps", "Vault/": "vault", "Shelf/callee": "callee", "Shelf/paused": "paused"} {
		h.resolve(k.Awakeables[place][0], name)
	}
	h.must(http.StatusOK, "POST", h.ingress+"/Route/a/sign", `"mole"`)
	for _, e := range exhibits() {
		if !e.late {
			h.ends(e, k)
		}
	}
	for key, want := range shelves() {
		if got, _ := h.must(http.StatusOK, "POST", h.ingress+"/Shelf/"+key+"/read", ""); got != want {
			t.Errorf("the state of %s is %s, want %s", key, got, want)
		}
	}
}

// ends waits for the result of an exhibit.
func (h *keptHouse) ends(e exhibit, k kept) {
	h.t.Helper()
	status, answer, _ := h.ask("GET", h.ingress+"/restate/attach/"+k.Invocations[e.name], "")
	if failed := e.name == "refused"; (status == http.StatusOK) == failed || !strings.Contains(answer, e.result) {
		h.t.Errorf("%s ends with %d %s, want %s", e.name, status, answer, e.result)
	}
	if !e.idempotent {
		return
	}
	_, again, header := h.ask("POST", h.ingress+e.path, e.body, "Idempotency-Key", e.name)
	if again != e.result || header.Get("X-Restate-Id") != k.Invocations[e.name] {
		h.t.Errorf("the key %s gives %s of %s", e.name, again, header.Get("X-Restate-Id"))
	}
}

// finishKept opens it when what slept, was delayed or backed off is due. Of a killed
// one, what was owed has been delivered, and what was swept is gone.
func finishKept(t *testing.T, dir string, k kept, killed bool) {
	t.Helper()
	h, leave := openKept(t, dir, shelfNap+time.Hour)
	defer leave()
	for _, e := range exhibits() {
		h.becomes(e.name, k.Invocations[e.name], "completed")
		h.ends(e, k)
	}
	if !killed {
		return
	}
	for key, want := range map[string]string{"creditor": `{"name0":"7 × 0"}`, "sweep": "{}"} {
		got := ""
		h.eventually(func() string { return key + " has " + got }, func() bool {
			got, _ = h.must(http.StatusOK, "POST", h.ingress+"/Shelf/"+key+"/read", "")
			return got == want
		})
	}
}

// outliveKept opens it after three days: what is kept for a day is gone, and what is
// kept for five is there.
func outliveKept(t *testing.T, dir string, k kept) {
	t.Helper()
	h, leave := openKept(t, dir, 3*24*time.Hour)
	defer leave()
	long := map[string]bool{"kept": true, "route": true, "looking": false, "over": true}
	for _, e := range exhibits() {
		want := ""
		if long[e.name] {
			want = "completed"
		}
		h.becomes(e.name, k.Invocations[e.name], want)
		if long[e.name] {
			h.ends(e, k)
		}
	}
}
