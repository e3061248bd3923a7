package persistence

import "testing"

// MustCopyLive copies the directory of an open store as a kill would leave it.
func MustCopyLive(t *testing.T, from string) (to string) {
	t.Helper()
	to = t.TempDir()
	if err := CopyLive(from, to); err != nil {
		t.Fatal(err)
	}
	return to
}
