package command

import (
	"errors"
	"flag"
	"strings"
	"testing"
)

func TestOnlyFlagsAreUnderstood(t *testing.T) {
	t.Parallel()
	for text, args := range map[string][]string{
		"":                         {"-n", "3"},
		`unexpected argument "w1"`: {"-n", "3", "w1"},
		"-unheard-of":              {"-unheard-of"},
		`invalid value "x"`:        {"-n", "x"},
	} {
		fs := Flags("test")
		fs.Int("n", 1, "a number")
		err := Parse(fs, args)
		if (err == nil) != (text == "") || err != nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%v: %v, want %q", args, err, text)
		}
	}
}

func TestTheUsageIsNoMistake(t *testing.T) {
	t.Parallel()
	if err := Parse(Flags("test"), []string{"-h"}); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v", err)
	}
}
