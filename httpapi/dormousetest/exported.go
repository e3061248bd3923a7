package dormousetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/internal/journal"
)

// howToExport ends every error about a document that lacks something.
const howToExport = "export it with GET /introspection/invocations/{id}?export=true of the admin port"

// exported is what Replay reads of the JSON of an invocation.
type exported struct {
	ID             string             `json:"id"`
	Service        string             `json:"service"`
	Key            *string            `json:"key"`
	Handler        string             `json:"handler"`
	HandlerType    string             `json:"handler_type"`
	IdempotencyKey string             `json:"idempotency_key"`
	RandomSeed     string             `json:"random_seed"`
	Alias          string             `json:"alias"`
	Allocated      *exportedAllocated `json:"allocated"`
	Journal        *struct {
		Entries  []exportedEntry `json:"entries"`
		NextFrom *uint32         `json:"next_from"`
	} `json:"journal"`
}

type exportedEntry struct {
	Index      uint32             `json:"index"`
	TypeCode   string             `json:"type_code"`
	AppendedAt time.Time          `json:"appended_at"`
	Size       int                `json:"size"`
	Body       []byte             `json:"body"`
	Allocated  *exportedAllocated `json:"allocated"`
}

type exportedAllocated struct {
	Signals     uint32 `json:"signals"`
	SignalTypes string `json:"signal_types"`
	Draws       uint64 `json:"draws"`
}

// story is an exported invocation, decoded.
type story struct {
	id             ident.InvocationID
	target         ident.Target
	idempotencyKey string
	seed           uint64
	// alias stands for the invocation in its awakeable ids, zero for its id.
	alias     ident.InvocationID
	entries   []journal.Entry
	allocated journal.Allocated
	// commands are the indexes of the entries that are commands; the first one
	// is the Input.
	commands []int
}

func parseExported(document []byte) (*story, error) {
	var x exported
	if err := json.Unmarshal(document, &x); err != nil {
		return nil, fmt.Errorf("read the exported journal: %w: %s", err, howToExport)
	}
	id, err := ident.ParseInvocationID(x.ID)
	if err != nil {
		return nil, fmt.Errorf("read the exported journal: id %q: %w: %s", x.ID, err, howToExport)
	}
	if id.IsZero() {
		return nil, fmt.Errorf("read the exported journal: no invocation has the id %s: %s", id, howToExport)
	}
	s := &story{id: id, idempotencyKey: x.IdempotencyKey}
	s.target = ident.Target{Service: x.Service, Handler: x.Handler, Kind: kindOf(x.HandlerType)}
	if x.Key != nil {
		s.target.Key = *x.Key
	}
	if err := s.read(&x); err != nil {
		return nil, fmt.Errorf("read the exported journal of %s: %w", id, err)
	}
	return s, nil
}

func kindOf(word string) ident.Kind {
	for _, k := range []ident.Kind{ident.KindService, ident.KindExclusive, ident.KindShared, ident.KindWorkflow} {
		if k.String() == word {
			return k
		}
	}
	return 0
}

func (s *story) read(x *exported) (err error) {
	switch {
	case s.target.Kind == 0:
		return fmt.Errorf("handler_type is %q: %s", x.HandlerType, howToExport)
	case x.RandomSeed == "":
		return errors.New("it has no random_seed: " + howToExport)
	case x.Journal == nil || len(x.Journal.Entries) == 0:
		return errors.New("it has no journal: the retention of the journal is over, or it was exported with journal=false")
	case x.Journal.NextFrom != nil:
		return fmt.Errorf("it ends before entry %d: append the entries of the next page, with from=%d, and set next_from to null", *x.Journal.NextFrom, *x.Journal.NextFrom)
	}
	if s.seed, err = strconv.ParseUint(x.RandomSeed, 10, 64); err != nil {
		return fmt.Errorf("random_seed: %w", err)
	}
	if x.Alias != "" {
		if s.alias, err = ident.ParseInvocationID(x.Alias); err != nil {
			return fmt.Errorf("alias: %w", err)
		}
	}
	if s.allocated, err = x.Allocated.read(); err != nil {
		return err
	}
	for i := range x.Journal.Entries {
		if err := s.add(i, &x.Journal.Entries[i]); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
	}
	return nil
}

func (s *story) add(i int, x *exportedEntry) error {
	switch {
	case int(x.Index) != i:
		return fmt.Errorf("its index is %d: the entries must be complete, from 0 on", x.Index)
	case len(x.Body) != x.Size:
		return fmt.Errorf("its body has %d of %d bytes: %s", len(x.Body), x.Size, howToExport)
	}
	code, err := strconv.ParseUint(x.TypeCode, 0, 16)
	if err != nil {
		return fmt.Errorf("type_code: %w", err)
	}
	e := journal.Entry{Type: journal.Type(code), Body: x.Body, At: x.AppendedAt.UnixMilli()}
	if e.Sidecar.Allocated, err = x.Allocated.read(); err != nil {
		return err
	}
	if e.Type.IsCommand() {
		s.commands = append(s.commands, i)
	}
	s.entries = append(s.entries, e)
	return nil
}

func (x *exportedAllocated) read() (journal.Allocated, error) {
	if x == nil {
		return journal.Allocated{}, nil
	}
	hash, err := strconv.ParseUint(x.SignalTypes, 16, 64)
	if err != nil {
		return journal.Allocated{}, fmt.Errorf("signal_types: %w", err)
	}
	return journal.Allocated{Signals: x.Signals, SignalHash: hash, Draws: x.Draws}, nil
}
