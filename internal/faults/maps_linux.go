package faults

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Maps are memory maps that were taken to have fewer left.
type Maps struct{ pages []byte }

// TakeMaps takes n memory maps or one more. Give gives them back.
func TakeMaps(n int) (*Maps, error) {
	page := unix.Getpagesize()
	// Neighbours with the same protection are one map, so every second page gets
	// another one: each makes two.
	pages, err := unix.Mmap(-1, 0, (n+2)*page, unix.PROT_NONE, unix.MAP_ANON|unix.MAP_PRIVATE|unix.MAP_NORESERVE)
	if err != nil {
		return nil, fmt.Errorf("take %d memory maps: %w", n, err)
	}
	m := &Maps{pages: pages}
	for at := page; at < n*page; at += 2 * page {
		if err := unix.Mprotect(pages[at:at+page], unix.PROT_READ); err != nil {
			return m, fmt.Errorf("take %d memory maps, at %d: %w", n, at/page, err)
		}
	}
	return m, nil
}

// Give gives the maps back. It may be called once.
func (m *Maps) Give() error { return unix.Munmap(m.pages) }
