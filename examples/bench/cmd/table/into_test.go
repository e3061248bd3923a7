package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFiguresOfAPageAreReplaced(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "page.md")
	old := "# Page\n\n" + beginFigures + "\n\nold\n\n" + endFigures + "\n\nThe end.\n"
	if err := os.WriteFile(file, []byte(old), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // again changes nothing
		if err := writeInto(file, "new\n"); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		if want := "# Page\n\n" + beginFigures + "\n\nnew\n\n" + endFigures + "\n\nThe end.\n"; err != nil || string(got) != want {
			t.Errorf("%s, %v", got, err)
		}
	}
	for _, page := range []string{"", beginFigures, endFigures, endFigures + beginFigures} {
		if _, err := replaceFigures(page, "new"); err == nil {
			t.Errorf("%q has a place for figures", page)
		}
	}
}

func TestThePageOfMeasurementsHasAPlaceForThem(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../../docs/measurements.md")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := replaceFigures(string(page), "new"); err != nil {
		t.Error(err)
	}
}

func TestOnlyAWholeMeasurementGoesIntoAPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page, plain := filepath.Join(dir, "page.md"), filepath.Join(dir, "plain.md")
	for file, text := range map[string]string{page: beginFigures + endFigures, plain: "# Page\n"} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{page, "-short"}, {page, "-w", "w1"}, {plain}, {filepath.Join(dir, "none.md")}} {
		if _, err := parse(append([]string{"-into"}, args...)); err == nil {
			t.Errorf("-into %v was accepted", args)
		}
	}
	if _, err := parse([]string{"-into", page}); err != nil {
		t.Error(err)
	}
}
