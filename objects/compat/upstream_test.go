package restate_test

import "testing"

// The program that migrate_test.go runs on Dormouse is one for the original SDK.
func TestTheProgramIsOneForTheOriginal(t *testing.T) {
	t.Parallel()
	dir := original(t)
	copyProgram(t, dir)
	if _, err := goCommand(t, dir, "vet", "."); err != nil {
		t.Errorf("the program of internal/migrated is not one for %s %s: %v", upstream, upstreamVersion, err)
	}
}
