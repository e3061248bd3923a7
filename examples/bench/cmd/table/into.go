package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// Marks between which a page holds the figures of this command.
const (
	beginFigures = "<!-- figures: printed by examples/bench/cmd/table -into -->"
	endFigures   = "<!-- end of figures -->"
)

// replaceFigures puts text between the marks of a page.
func replaceFigures(page, text string) (string, error) {
	front, rest, begins := strings.Cut(page, beginFigures)
	_, back, ends := strings.Cut(rest, endFigures)
	if !begins || !ends {
		return "", fmt.Errorf("the page lacks the lines %q and %q around the figures", beginFigures, endFigures)
	}
	return front + beginFigures + "\n\n" + strings.TrimSpace(text) + "\n\n" + endFigures + back, nil
}

// checkInto reports what would keep the figures from a page, before anything is
// measured for it.
func (c *config) checkInto() error {
	if c.into == "" {
		return nil
	}
	if c.render == "" && (c.short || c.only != "") {
		return errors.New("-into puts a whole measurement into the page: leave out -short and -w")
	}
	page, err := os.ReadFile(c.into)
	if err != nil {
		return fmt.Errorf("-into needs a page that is there: %w", err)
	}
	if _, err := replaceFigures(string(page), ""); err != nil {
		return fmt.Errorf("%s: %w", c.into, err)
	}
	return nil
}

// writeInto replaces the figures of a file.
func writeInto(file, text string) error {
	page, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	replaced, err := replaceFigures(string(page), text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(replaced), 0o644)
}
