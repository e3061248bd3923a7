package dormousetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// Export returns the journal of an invocation for Replay: the JSON of the
// introspection route, with all pages in one. It fails the test when the
// invocation is unknown.
func (e *TestEnvironment) Export(invocationID string) []byte {
	e.t.Helper()
	exported, err := e.export(e.t.Context(), invocationID)
	if err != nil {
		e.t.Fatalf("dormousetest: export %s: %v", invocationID, err)
	}
	return exported
}

// exportTries is how often an export of several pages is begun again, because
// the invocation has gone on meanwhile.
const exportTries = 10

// export reads the pages. What they say of the invocation must not change while
// they are read.
func (e *TestEnvironment) export(ctx context.Context, id string) ([]byte, error) {
	for range exportTries {
		first, page, err := e.page(ctx, id, 0)
		if err != nil {
			return nil, err
		}
		entries, same := page.Entries, true
		for same && page.NextFrom != nil {
			var next map[string]json.RawMessage
			if next, page, err = e.page(ctx, id, *page.NextFrom); err != nil {
				return nil, err
			}
			entries = append(entries, page.Entries...)
			same = string(next["modified_at"])+string(next["journal_length"]) == string(first["modified_at"])+string(first["journal_length"])
		}
		if !same {
			continue
		}
		if first["journal"], err = json.Marshal(exportedPage{Entries: entries}); err != nil {
			return nil, err
		}
		return json.MarshalIndent(first, "", "  ")
	}
	return nil, fmt.Errorf("the invocation goes on all the time, %d tries were not enough: export it when it waits", exportTries)
}

// exportedPage is the journal of one answer.
type exportedPage struct {
	Entries  []json.RawMessage `json:"entries"`
	NextFrom *uint32           `json:"next_from"`
}

// page reads one answer of the route.
func (e *TestEnvironment) page(ctx context.Context, id string, from uint32) (view map[string]json.RawMessage, page exportedPage, err error) {
	address := e.AdminURL() + "/introspection/invocations/" + url.PathEscape(id) + "?export=true&from=" + strconv.FormatUint(uint64(from), 10)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, page, err
	}
	answer, err := e.http.Do(request)
	if err != nil {
		return nil, page, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return nil, page, err
	case answer.StatusCode != http.StatusOK:
		return nil, page, fmt.Errorf("%s: %s", answer.Status, body)
	}
	if err := json.Unmarshal(body, &view); err != nil {
		return nil, page, err
	}
	return view, page, json.Unmarshal(view["journal"], &page)
}
