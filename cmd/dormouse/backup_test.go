package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/persistence"
)

// awakeable returns the id of the first awakeable of an invocation.
func awakeable(t *testing.T, invocation string) string {
	t.Helper()
	id, err := ident.ParseInvocationID(invocation)
	if err != nil {
		t.Fatal(err)
	}
	return ident.AwakeableID{Invocation: id, Index: 17}.String()
}

// traffic transfers money between accounts until it is stopped, and counts what
// was acknowledged.
type traffic struct {
	acked [8]atomic.Int64
	stop  func()
}

func account(n int) string { return fmt.Sprint("a", n) }

// begin starts the traffic. Errors after stop, or of a program that is killed, are
// none.
func (tr *traffic) begin(t *testing.T, b *bank) {
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for i := range tr.acked {
		wait.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				to := (i + 1 + n%(len(tr.acked)-1)) % len(tr.acked)
				status, _, content := b.post("/Account/"+account(i)+"/transfer", fmt.Appendf(nil, `{"To":%q,"Amount":%d}`, account(to), n), "application/json")
				if status != http.StatusOK {
					if status != 0 {
						t.Errorf("a transfer: %d %s", status, content)
					}
					return
				}
				tr.acked[i].Add(1)
			}
		})
	}
	tr.stop = func() { cancel(); wait.Wait() }
	t.Cleanup(func() { tr.stop() })
}

// counts are what was acknowledged until now.
func (tr *traffic) counts() (all [8]int64) {
	for i := range all {
		all[i] = tr.acked[i].Load()
	}
	return all
}

// TestABackupUnderTrafficIsOneMoment takes backups while money moves, restores
// them, and lets what waits be answered.
func TestABackupUnderTrafficIsOneMoment(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long, and most of it happens in other processes: not with -short")
	}
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"))
	waiting := []string{}
	for n := range 10 {
		waiting = append(waiting, b.send(fmt.Sprintf("/Account/w%d/ask", n)))
	}
	thing := bytes.Repeat([]byte("thing!!\n"), 4<<20) // 32 MiB
	thing = thing[:32<<20]
	if status, _, content := b.post("/Drawer/d/put", thing, "application/octet-stream"); status != http.StatusOK {
		t.Fatalf("%d %s", status, content)
	}
	var tr traffic
	for round := range 2 {
		file, restored := filepath.Join(dir, fmt.Sprint("backup", round)), filepath.Join(dir, fmt.Sprint("restored", round))
		tr.begin(t, b)
		eventually(t, "some traffic", func() bool { return tr.counts()[0] > int64(20*(round+1)) })
		before := tr.counts()
		out := mustRun(t, "backup", "-admin", b.admin, file)
		after := tr.counts()
		tr.stop()
		if !strings.Contains(out, " rows, ") {
			t.Errorf("it says %q", out)
		}
		if out := mustRun(t, "restore", file, restored); !strings.Contains(out, "will be done again") {
			t.Errorf("it says %q", out)
		}
		if out := mustRun(t, "check", restored); !strings.Contains(out, "is good (closed)") {
			t.Errorf("the restored directory: %s", out)
		}
		judge(t, openBank(t, restored), before, after, thing, waiting)
	}
	if got := entries(t, dir); got != "backup0 backup1 data restored0 restored1" {
		t.Errorf("there are %s", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "backup0")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v", info.Mode(), err)
	}
}

// judge looks at a restored bank.
func judge(t *testing.T, b *bank, before, after [8]int64, thing []byte, waiting []string) {
	t.Helper()
	for i := range before {
		s := b.look(account(i))
		if n := int64(s.Orders); n < before[i] || n > after[i]+1 {
			t.Errorf("%s has %d orders: %d had been acknowledged before the backup, and %d after it", account(i), n, before[i], after[i])
		}
		if !s.Whole {
			t.Errorf("%s has half of an output", account(i))
		}
	}
	eventually(t, "the money that is on its way to arrive", func() bool {
		sum := 0
		for i := range before {
			sum += b.look(account(i)).Balance
		}
		return sum == 0
	})
	if status, _, content := b.post("/Drawer/d/get", nil, ""); status != http.StatusOK || !bytes.Equal(content, thing) {
		t.Errorf("the drawer has %d bytes, %d", len(content), status)
	}
	for n, id := range waiting {
		b.call("/restate/awakeables/"+awakeable(t, id)+"/resolve", fmt.Sprintf(`"answer %d"`, n))
		if got := b.attach(id); got != fmt.Sprintf(`"answer %d"`, n) {
			t.Errorf("the result is %s", got)
		}
	}
	b.call("/Account/a0/transfer", `{"To":"a1","Amount":1}`)
	b.leave()
}

func TestABackupOverwritesNothingAndNeedsWhatItIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"), func(c *httpapi.Config) { c.Safety.AdminTokens.List = []string{"secret"} })
	tokens := filepath.Join(dir, "tokens")
	if err := os.WriteFile(tokens, []byte("# ours\nsecret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "backup")
	mustFail(t, exitFailed, "401", "backup", "-admin", b.admin, file)
	mustRun(t, "backup", "-admin", strings.TrimPrefix(b.admin, "http://"), "-tokens", tokens, file)
	mustFail(t, exitFailed, "is not overwritten", "backup", "-admin", b.admin, "-tokens", tokens, file)
	if err := os.WriteFile(file+"2.partial", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	mustFail(t, exitFailed, "another backup is under way", "backup", "-admin", b.admin, "-tokens", tokens, file+"2")
	mustFail(t, exitFailed, "is this the admin port", "backup", "-admin", b.ingress+"/restate/health", "-tokens", tokens, file+"3")
	mustFail(t, exitFailed, "connection refused: is the program running, and is this its admin port? -admin", "backup", "-admin", "localhost:1", file+"3")
	mustFail(t, exitFailed, "has no token", "backup", "-admin", b.admin, "-tokens", os.DevNull, file+"3")
	mustFail(t, exitFailed, "no such file", "backup", "-admin", b.admin, filepath.Join(dir, "no", "backup"))
	mustFail(t, exitCannot, "usage: dormouse backup", "backup")
	mustFail(t, exitCannot, "-admin stands behind "+file+": flags go first\nusage: dormouse backup", "backup", file, "-admin", b.admin)
	mustFail(t, exitCannot, "not defined", "backup", "-x", file)
	mustFail(t, exitCannot, "usage: dormouse restore", "restore", file)
	mustFail(t, exitCannot, "an argument is empty", "restore", file, "")
	mustFail(t, exitCannot, "an argument is empty", "check", "")
	mustFail(t, exitCannot, `no command "save"`, "save")
	mustFail(t, exitCannot, "usage:")
	if out := mustRun(t, "backup", "-h"); !strings.Contains(out, "usage: dormouse backup") || !strings.Contains(out, envAdmin) {
		t.Errorf("it says %q", out)
	}
	if got := entries(t, dir); got != "backup backup2.partial data tokens" {
		t.Errorf("there are %s", got)
	}
}

// TestABackupCanBePiped writes to standard output and restores from standard
// input.
func TestABackupCanBePiped(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"))
	b.call("/Account/a/deposit", "5")
	var pipe bytes.Buffer
	if code := run(t.Context(), console{out: &pipe, err: io.Discard}, []string{"backup", "-admin", b.admin, "-"}); code != exitGood {
		t.Fatalf("exit code %d", code)
	}
	b.leave()
	restored := filepath.Join(dir, "restored")
	if code := run(t.Context(), console{in: &pipe, out: io.Discard, err: os.Stderr}, []string{"restore", "-", restored}); code != exitGood {
		t.Fatalf("exit code %d", code)
	}
	if s := openBank(t, restored).look("a"); s.Balance != 5 {
		t.Errorf("the balance is %d", s.Balance)
	}
}

// TestTheTokenComesFromTheFlagOrTheEnvironment tries both in their order.
func TestTheTokenComesFromTheFlagOrTheEnvironment(t *testing.T) {
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	for name, content := range map[string]string{one: "\n# old\n first \nsecond\n", two: "other"} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ flag, list, file, want string }{
		{"", "", "", ""}, {"", "", two, "other"}, {"", " a , b", two, "a"}, {one, "a", two, "first"},
	} {
		t.Setenv(envTokens, c.list)
		t.Setenv(envTokensFile, c.file)
		if got, err := (request{tokens: c.flag}).token(); got != c.want || err != nil {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}

// TestABackupOfADamagedStoreIsKeptAndFails: its rows are as they were, and whoever
// takes it is told.
func TestABackupOfADamagedStoreIsKeptAndFails(t *testing.T) {
	t.Parallel()
	damaged, err := os.ReadFile("../../persistence/testdata/version1.backup")
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(damaged) }))
	defer server.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "backup")
	mustFail(t, exitFailed, "is complete, but 1 of its rows were damaged", "backup", "-admin", server.URL, file)
	code, _, said := dormouse(t.Context(), "restore", file, filepath.Join(dir, "restored"))
	// A build with another data format refuses it by name.
	if (code != exitGood || !strings.Contains(said, "1 of its rows were damaged")) && !strings.Contains(said, "data format 5") {
		t.Errorf("exit code %d, %s", code, said)
	}
}

// TestTheAdminPortComesFromTheFlagOrTheEnvironment takes an address to listen on
// too: that is what the variable is for the program.
func TestTheAdminPortComesFromTheFlagOrTheEnvironment(t *testing.T) {
	b := openBank(t, filepath.Join(t.TempDir(), "data"))
	b.call("/Account/a/deposit", "5")
	t.Setenv(envAdmin, b.admin)
	mustRun(t, "backup", filepath.Join(t.TempDir(), "backup"))
	t.Setenv(envAdmin, b.admin[strings.LastIndex(b.admin, ":"):])
	mustRun(t, "backup", filepath.Join(t.TempDir(), "backup"))
	t.Setenv(envAdmin, b.admin[strings.LastIndex(b.admin, ":")+1:])
	mustRun(t, "backup", filepath.Join(t.TempDir(), "backup"))
	mustFail(t, exitFailed, "localhost:1", "backup", "-admin", "localhost:1", filepath.Join(t.TempDir(), "backup"))
}

// TestWhatCannotBeToldIsAFailure gives the commands a full disk for their words.
func TestWhatCannotBeToldIsAFailure(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"))
	b.call("/Account/a/deposit", "5")
	file, restored := filepath.Join(dir, "backup"), filepath.Join(dir, "restored")
	for _, c := range []struct {
		code int
		says string
		args []string
	}{
		{exitFailed, "dormouse backup: " + file + " is complete, but the report cannot be written: no space\n", []string{"backup", "-admin", b.admin, file}},
		{exitFailed, "dormouse restore: " + restored + " is restored, but the report cannot be written: no space\n", []string{"restore", file, restored}},
		{exitCannot, "dormouse check: the report cannot be written: no space\n", []string{"check", restored}},
		{exitCannot, "dormouse check: the report cannot be written: no space\n", []string{"check", file}},
		{exitFailed, "dormouse help: no space\n", []string{"help"}},
		{exitFailed, "dormouse version: the report cannot be written: no space\n", []string{"version"}},
		// Last, for the program may notice later than the command that nobody takes it.
		{exitFailed, "dormouse backup: no space\n", []string{"backup", "-admin", b.admin, "-"}},
	} {
		var said strings.Builder
		if code := run(t.Context(), console{out: fullDisk{}, err: &said}, c.args); code != c.code || said.String() != c.says {
			t.Errorf("dormouse %q exits with %d and says %q, want %d and %q", c.args, code, said.String(), c.code, c.says)
		}
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

// Write implements io.Writer.
func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space") }

// TestABackupCountsAsItsFileAndAsACheckDoes compares what the commands say of one
// store.
func TestABackupCountsAsItsFileAndAsACheckDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"))
	stock(t, b, 1)
	b.call("/Account/a/deposit", "5")
	file, restored := filepath.Join(dir, "backup"), filepath.Join(dir, "restored")
	said := mustRun(t, "backup", "-admin", b.admin, file)
	size, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	_, counted, _ := strings.Cut(said, "backup: ")
	rows, _, _ := strings.Cut(counted, ", ")
	if !strings.Contains(said, fmt.Sprintf("chunks of large values, %d bytes,", size.Size())) || strings.Contains(said, ", 0 chunks") {
		t.Errorf("it says %q of %d bytes", said, size.Size())
	}
	for name, out := range map[string]string{"restore": mustRun(t, "restore", file, restored), "check of the file": mustRun(t, "check", file)} {
		if !strings.Contains(out, counted) {
			t.Errorf("%s says %q, and the backup was %q", name, out, counted)
		}
	}
	if out := mustRun(t, "check", restored); !strings.Contains(out, " "+rows+", ") {
		t.Errorf("check says %q, and the backup was %q", out, counted)
	}
}

// TestACutStreamLeavesNoFile is a server that breaks off in every way there is.
func TestACutStreamLeavesNoFile(t *testing.T) {
	t.Parallel()
	var whole bytes.Buffer
	if _, err := persistence.NewMemory().Backup(t.Context(), &whole); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter)
		says   string
	}{
		"abort at once": {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "EOF"},
		"abort in the middle": {func(w http.ResponseWriter) {
			_, _ = w.Write(whole.Bytes()[:40])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "it ends at byte 40"},
		"abort at the end": {func(w http.ResponseWriter) {
			_, _ = w.Write(whole.Bytes())
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, "incomplete"},
		"a polite end in the middle": {func(w http.ResponseWriter) { _, _ = w.Write(whole.Bytes()[:40]) }, "it ends at byte 40"},
		"another page":               {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "<html>It works!</html>") }, "no backup of Dormouse"},
		"a redirection":              {func(w http.ResponseWriter) { w.Header().Set("Location", "/other"); w.WriteHeader(302) }, "302"},
	} {
		dir := t.TempDir()
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.answer(w) }))
		code, _, said := dormouse(t.Context(), "backup", "-admin", server.URL, filepath.Join(dir, "backup"))
		if code != exitFailed || !strings.Contains(said, c.says) {
			t.Errorf("%s: exit code %d, %s", name, code, said)
		}
		if left := entries(t, dir); left != "" {
			t.Errorf("%s: %s is left", name, left)
		}
		server.Close()
	}
}

// TestAnInterruptedBackupLeavesNoFile cancels the command in the middle.
func TestAnInterruptedBackupLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "dormouse backup 1\n")
		_ = http.NewResponseController(w).Flush()
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	code, _, said := dormouse(ctx, "backup", "-admin", server.URL, filepath.Join(dir, "backup"))
	if code != exitFailed || said != "dormouse backup: context canceled; no backup was taken\n" || entries(t, dir) != "" {
		t.Errorf("exit code %d, %s; %s is left", code, said, entries(t, dir))
	}
}

// TestAServerThatFallsSilentIsLeft: what it has sent is no backup, and nothing more
// comes.
func TestAServerThatFallsSilentIsLeft(t *testing.T) {
	t.Parallel()
	const silence = 2 * time.Second
	var whole bytes.Buffer
	if _, err := persistence.NewMemory().Backup(t.Context(), &whole); err != nil {
		t.Fatal(err)
	}
	part := whole.Bytes()[:10]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write(part)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	var got bytes.Buffer
	_, err := request{admin: server.URL, silence: silence}.fetch(t.Context(), &got)
	if err == nil || !strings.Contains(err.Error(), "nothing has arrived for 2s") || !bytes.Equal(got.Bytes(), part) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
}

// TestDripsAreNoSilence reads what comes just in time for as long as it comes.
func TestDripsAreNoSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const silence, drips = time.Minute, 100
		began, rang := time.Now(), make(chan time.Duration, 1)
		quiet := time.AfterFunc(silence, func() { rang <- time.Since(began) })
		r, w := io.Pipe()
		go func() {
			for range drips {
				<-time.After(silence - time.Second)
				_, _ = w.Write([]byte{0})
			}
		}()
		in := lively{r, quiet, silence}
		for n := range drips {
			if got, err := in.Read(make([]byte, 1)); got != 1 || err != nil {
				t.Fatalf("read %d: %d, %v", n, got, err)
			}
		}
		if got, want := <-rang, drips*(silence-time.Second)+silence; got != want {
			t.Errorf("the alarm rang after %v, want %v", got, want)
		}
	})
}

// stock puts n things of 8 MiB into drawers.
func stock(t *testing.T, b *bank, n int) {
	t.Helper()
	for i := range n {
		if status, _, content := b.post(fmt.Sprintf("/Drawer/s%d/put", i), bytes.Repeat([]byte{byte(i), 1, 2, 3}, 2<<20), "application/octet-stream"); status != http.StatusOK {
			t.Fatalf("%d %s", status, content)
		}
	}
}

// TestAKilledServerLeavesNoFile kills the program while it sends, and restores
// a backup that was taken before.
func TestAKilledServerLeavesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, kill := spawn(t, dir)
	stock(t, b, 4)
	file := filepath.Join(dir, "backup")
	mustRun(t, "backup", "-admin", b.admin, file)
	resp, err := http.Get(b.admin + "/backup")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	front := make([]byte, 1<<20)
	if _, err := io.ReadFull(resp.Body, front); err != nil {
		t.Fatal(err)
	}
	kill()
	if _, err := persistence.CheckBackup(io.MultiReader(bytes.NewReader(front), resp.Body)); err == nil {
		t.Error("the backup of a killed program is whole")
	}
	restored := filepath.Join(dir, "restored")
	mustRun(t, "restore", file, restored)
	again := openBank(t, restored)
	if status, _, content := again.post("/Drawer/s3/get", nil, ""); status != http.StatusOK || len(content) != 8<<20 || content[0] != 3 {
		t.Errorf("%d, %d bytes", status, len(content))
	}
}

// TestASlowClientIsCutAndHoldsUpNobody begins a backup and takes nothing; the next
// one is refused as long as the first lasts, and not for ever.
func TestASlowClientIsCutAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"), func(c *httpapi.Config) { c.TransferTimeout = 5 * time.Second })
	stock(t, b, 6)
	slow, err := http.Get(b.admin + "/backup")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	if _, err := slow.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "backup")
	mustFail(t, exitFailed, "429 Too Many Requests: another backup is being taken", "backup", "-admin", b.admin, file)
	b.call("/Account/a/deposit", "5") // who calls does not notice
	eventually(t, "the end of the slow one", func() bool {
		code, _, _ := dormouse(t.Context(), "backup", "-admin", b.admin, file)
		return code == exitGood
	})
	if _, err := io.Copy(io.Discard, slow.Body); err == nil {
		t.Error("the slow client got everything")
	}
}

// TestAStopDoesNotWaitForASlowBackup: its connection is closed.
func TestAStopDoesNotWaitForASlowBackup(t *testing.T) {
	t.Parallel()
	b := openBank(t, filepath.Join(t.TempDir(), "data"))
	stock(t, b, 6)
	slow, err := http.Get(b.admin + "/backup")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	if _, err := slow.Body.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	b.leave()
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
	if _, err := persistence.CheckBackup(slow.Body); err == nil {
		t.Error("it is a backup")
	}
}

// TestABackupThatLastsTooLongSaysSo reads slowly enough for a limit of half a
// second, in a program that goes on committing.
func TestABackupThatLastsTooLongSaysSo(t *testing.T) {
	t.Parallel()
	b := openBank(t, filepath.Join(t.TempDir(), "data"), func(c *httpapi.Config) { c.MaxBackupAge = 500 * time.Millisecond })
	stock(t, b, 6)
	slow, err := http.Get(b.admin + "/backup")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Body.Close()
	var got bytes.Buffer
	if _, err := io.CopyN(&got, slow.Body, 1<<20); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Second)
	b.call("/Account/a/deposit", "5")
	_, err = persistence.CheckBackup(io.MultiReader(&got, slow.Body))
	if err == nil || !strings.Contains(err.Error(), "it was not over in time") {
		t.Errorf("the file says %v", err)
	}
}

// TestAClientThatGoesAwayEndsItsBackup: the next one need not wait.
func TestAClientThatGoesAwayEndsItsBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := openBank(t, filepath.Join(dir, "data"))
	stock(t, b, 6)
	for range 5 {
		ctx, cancel := context.WithCancel(t.Context())
		r, err := http.NewRequestWithContext(ctx, "GET", b.admin+"/backup", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode == http.StatusOK {
			_, _ = resp.Body.Read(make([]byte, 1))
		}
		cancel()
		_ = resp.Body.Close()
	}
	began := time.Now()
	eventually(t, "the end of those who have gone", func() bool {
		code, _, _ := dormouse(t.Context(), "backup", "-admin", b.admin, filepath.Join(dir, "backup"))
		return code == exitGood
	})
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("it took %v", took)
	}
}
