package reviewer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
)

// post resolves or rejects an awakeable and returns what became of that:
// applied, duplicate or completed; or gone, when nobody waits for it any more.
// An error says that it has to be repeated.
func (c Config) post(ctx context.Context, id, decision string, reason error) (outcome string, err error) {
	verb, body := "resolve", []byte(nil)
	if reason != nil {
		verb, body = "reject", []byte(reason.Error())
	} else if body, err = json.Marshal(decision); err != nil {
		return "", fmt.Errorf("encode the decision: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Ingress+"/restate/awakeables/"+id+"/"+verb, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("answer: %w", err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", fmt.Errorf("answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusAccepted:
		return resp.Header.Get("x-dormouse-outcome"), nil
	case http.StatusNotFound, http.StatusBadRequest, http.StatusRequestEntityTooLarge:
		// The same again would get the same again.
		return "gone", nil
	default:
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 1000))
		return "", fmt.Errorf("answer: %s: %s", resp.Status, text)
	}
}
