package httpapi_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/dormouse-run/dormouse/internal/ident"
)

// bank is a few purses and what its clients know of them.
type bank struct {
	*chronicle
	name string
	keys []string

	mu        sync.Mutex
	transfers []*moved
}

// moved is a transfer and what became of it.
type moved struct {
	transfer
	// answered and cancelled say what its client has done to it; answer is what the
	// awakeable was answered first.
	answered, cancelled, answer bool
	result                      settled
}

// trade lets clients move money at the same time.
func (b *bank) trade(clients, transfers int, seed uint64) {
	var wait sync.WaitGroup
	for n := range clients {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(seed, uint64(n)))
			for i := 0; i < transfers && b.failed.Load() == nil; i++ {
				b.move(fmt.Sprintf("%s-%d-%d", b.name, n, i), n == 0, r)
			}
		})
	}
	wait.Wait()
}

// move does one transfer, through the teller or by the purse that pays. Who is slow
// waits for a kill now and then, when a transfer is under way.
func (b *bank) move(id string, slow bool, r *rand.Rand) {
	from, to := r.IntN(len(b.keys)), r.IntN(len(b.keys)-1)
	if to >= from {
		to++
	}
	m := &moved{transfer: transfer{ID: id, From: b.keys[from], To: b.keys[to], Amount: 1 + r.IntN(60), Ask: r.IntN(3) == 0, Steps: r.IntN(3) == 0}}
	path := "/Teller/transfer"
	if from < to && r.IntN(2) == 0 {
		path = "/Purse/" + m.From + "/pay"
	}
	body, err := json.Marshal(m.transfer)
	if err != nil {
		b.complain("%v", err)
		return
	}
	q := request{method: "POST", path: path + "/send", body: string(body), once: id}
	sent, ok := b.until(q, http.StatusAccepted)
	if !ok {
		return
	}
	invocation := sent.header.Get("X-Restate-Id")
	if slow && r.IntN(4) == 0 {
		b.anotherLife()
	}
	if !b.meddle(m, invocation, r) {
		return
	}
	q.path = path
	if r.IntN(2) == 0 {
		q = request{method: "GET", path: "/restate/attach/" + invocation}
	}
	if answer, ok := b.until(q, http.StatusOK, http.StatusConflict); ok {
		b.settle(m, answer)
	}
}

// meddle answers the awakeable of a transfer that asks, or cancels it, or lets it
// be. Somebody always ends a wait.
func (b *bank) meddle(m *moved, invocation string, r *rand.Rand) bool {
	m.cancelled = r.IntN(3) == 0
	if m.cancelled {
		_, ok := b.until(request{method: "PATCH", path: "/invocations/" + invocation + "/cancel", admin: true}, http.StatusOK, http.StatusAccepted, http.StatusConflict)
		return ok
	}
	if !m.Ask {
		return true
	}
	id, err := ident.ParseInvocationID(invocation)
	if err != nil {
		b.complain("%s: %v", m.ID, err)
		return false
	}
	path := "/restate/awakeables/" + ident.AwakeableID{Invocation: id, Index: ident.FirstAwakeable}.String() + "/resolve"
	m.answered, m.answer = true, r.IntN(2) == 0
	_, ok := b.until(request{method: "POST", path: path, body: strconv.FormatBool(m.answer)}, http.StatusAccepted)
	if ok && r.IntN(2) == 0 {
		// The first answer has been acknowledged, so this one changes nothing.
		_, ok = b.until(request{method: "POST", path: path, body: strconv.FormatBool(!m.answer)}, http.StatusAccepted)
	}
	return ok
}

// settle takes the result of a transfer. One that was cancelled before it began
// has a failure instead.
func (b *bank) settle(m *moved, answer reply) {
	switch {
	case answer.status == http.StatusConflict && m.cancelled:
		m.result.Why = "never begun"
	case answer.status == http.StatusConflict:
		b.complain("%s is answered %v, and nobody has cancelled it", m.ID, answer)
	default:
		if err := json.Unmarshal([]byte(answer.body), &m.result); err != nil {
			b.complain("%s is answered %v: %v", m.ID, answer, err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.transfers = append(b.transfers, m)
}

// wrong says what cannot be about a result, or nothing.
func (m *moved) wrong() string {
	switch why := m.result.Why; {
	case m.result.Moved == (why != ""):
		return "says both or nothing"
	case m.result.Moved && m.unwelcome():
		return "was given to who does not take it"
	case m.result.Moved && m.Ask && !m.answered:
		return "went on without an answer"
	case m.result.Moved && m.Ask && !m.answer:
		return "was refused"
	case !m.result.Moved && !m.cancelled && !m.unwelcome() && !strings.Contains(why, "too poor") && (!m.Ask || m.answer):
		return "had no reason to fail"
	}
	return ""
}

// balances are what the results of all transfers amount to.
func (b *bank) balances() map[string]int {
	all := map[string]int{}
	for _, key := range b.keys {
		all[key] = opening
	}
	for _, m := range b.transfers {
		if m.result.Moved {
			all[m.From] -= m.Amount
			all[m.To] += m.Amount
		}
	}
	return all
}

// compare judges the results, and what an audit has found against them.
func (b *bank) compare(found map[string]int) (all []string) {
	for _, m := range b.transfers {
		if text := m.wrong(); text != "" {
			all = append(all, fmt.Sprintf("%+v %s", *m, text))
		}
	}
	total := 0
	want := b.balances()
	for _, key := range b.keys {
		total += found[key]
		if found[key] != want[key] {
			all = append(all, fmt.Sprintf("%s has %d, and %d by the results", key, found[key], want[key]))
		}
	}
	if total != opening*len(b.keys) {
		all = append(all, fmt.Sprintf("%s has %d in total, and had %d", b.name, total, opening*len(b.keys)))
	}
	return all
}

// audit reads all purses in each way, and compares.
func (b *bank) audit() (all []string) {
	for _, handler := range []string{"look", "count"} {
		found := map[string]int{}
		for _, key := range b.keys {
			r, ok := b.until(request{method: "POST", path: "/Purse/" + key + "/" + handler}, http.StatusOK)
			n, err := strconv.Atoi(r.body)
			if !ok {
				return all // it is complained of
			}
			if err != nil {
				return append(all, fmt.Sprintf("the %s of %s is answered %v", handler, key, r))
			}
			found[key] = n
		}
		all = append(all, b.compare(found)...)
	}
	keys, err := json.Marshal(b.keys)
	if err != nil {
		return append(all, err.Error())
	}
	r, ok := b.until(request{method: "POST", path: "/Teller/audit", body: string(keys)}, http.StatusOK)
	if ok && r.body != strconv.Itoa(opening*len(b.keys)) {
		all = append(all, fmt.Sprintf("the teller counts %v", r))
	}
	return all
}
