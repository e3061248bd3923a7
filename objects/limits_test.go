package objects

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestWhatIsStoredOfAnErrorIsBoundedAndSaysSo: rows that hold failures must stay
// small.
func TestWhatIsStoredOfAnErrorIsBoundedAndSaysSo(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ä", maxMessageBytes)
	f := FailureOf(ToTerminalError(TerminalErrorf("%s", "x"+long), WithErrorCode(422), WithMetadata("k", long+long+long)))
	if n := len(f.Message); n > 2*maxMessageBytes || !utf8.ValidString(f.Message) {
		t.Errorf("the message has %d bytes, valid: %t", n, utf8.ValidString(f.Message))
	}
	if !strings.Contains(f.Message, "(32769 bytes in all)") || !strings.Contains(f.Message, "its metadata is left out") {
		t.Errorf("the message ends in %q", f.Message[maxMessageBytes-1:])
	}
	if f.Code != 422 || f.Metadata != nil {
		t.Errorf("code %d, %d pairs of metadata", f.Code, len(f.Metadata))
	}
	short := FailureOf(ToTerminalError(TerminalErrorf("short"), WithMetadata("k", "v")))
	if short.Message != "short" || len(short.Metadata) != 1 {
		t.Errorf("a short one became %+v", short)
	}
}
