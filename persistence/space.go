package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Room is what is left of the resources that the engine needs.
type Room struct {
	// Bytes and Inodes are free in the file system of the directory.
	Bytes, Inodes uint64
	// Files and Maps are the file descriptors and memory maps that the process
	// may still open.
	Files, Maps uint64
}

// unlimited stands for what cannot be measured or has no limit.
const unlimited = math.MaxUint64

// Limits below which there is pressure. Without free inodes or descriptors a
// compaction deletes data without a word, without space a write to a mapped
// file ends the process.
const (
	softInodes, hardInodes = 2_048, 256
	softFiles, hardFiles   = 256, 64
	softMaps, hardMaps     = 4_096, 512
)

// healthEvery is how long a reading is served before the next one is taken.
const healthEvery = time.Second

// health watches the limits. Its method may be called concurrently and often:
// one caller a second measures, the others get the last reading.
type health struct {
	dir     string
	options *Options
	// standing is an error that wraps ErrDeposed when the directory is gone; nil for
	// who only looks.
	standing func() error

	measuring sync.Mutex
	last      atomic.Pointer[Health]
}

func (h *health) read() Health {
	now := h.options.Now()
	last := h.last.Load()
	if last != nil && now.Sub(last.At) < healthEvery {
		return *last
	}
	if last == nil {
		h.measuring.Lock()
	} else if !h.measuring.TryLock() {
		return *last
	}
	defer h.measuring.Unlock()
	reading := h.measure()
	reading.At = now
	h.last.Store(&reading)
	return reading
}

// mayWrite refuses a transaction that could be the last one.
func (h *health) mayWrite() error {
	reading := h.read()
	if reading.Pressure != PressureHard && h.options.disk != nil {
		room, err := h.options.disk(h.dir)
		if err != nil {
			return fmt.Errorf("measure the space of %s: %w", h.dir, err)
		}
		reading = h.options.judge(room)
	}
	if reading.Pressure == PressureHard {
		return fmt.Errorf("%s: %w", reading.Reason, ErrNoSpace)
	}
	return nil
}

func (h *health) measure() Health {
	if h.standing != nil {
		if err := h.standing(); errors.Is(err, ErrDeposed) {
			return lostHealth(err)
		}
	}
	room, err := h.options.Probe(h.dir)
	if err != nil {
		return Health{Pressure: PressureSoft, Reason: fmt.Sprintf("the limits cannot be read: %v", err)}
	}
	reading := h.options.judge(room)
	reading.Room = room
	return reading
}

func lostHealth(err error) Health {
	return Health{Pressure: PressureHard, Reason: err.Error(), Lost: err}
}

// judge finds the scarcest resource.
func (o *Options) judge(room Room) Health {
	worst := Health{}
	for _, r := range []struct {
		name             string
		left, soft, hard uint64
	}{
		{"bytes of disk space", room.Bytes, o.SoftFree, o.HardFree},
		{"inodes", room.Inodes, softInodes, hardInodes},
		{"file descriptors", room.Files, softFiles, hardFiles},
		{"memory maps", room.Maps, softMaps, hardMaps},
	} {
		pressure, below := PressureNone, uint64(0)
		switch {
		case r.left < r.hard:
			pressure, below = PressureHard, r.hard
		case r.left < r.soft:
			pressure, below = PressureSoft, r.soft
		}
		if pressure > worst.Pressure {
			worst = Health{Pressure: pressure, Reason: fmt.Sprintf("%d %s left, less than %d", r.left, r.name, below)}
		}
	}
	return worst
}

// ownFiles is how many files the engine has open beside tables and logs, at most.
const ownFiles = 8

// holds is an error when the engine cannot have so many tables and logs open at once, and
// mapped: without descriptors for some of its files it ends the process.
func (r Room) holds(files int) error {
	for _, left := range []struct {
		name       string
		left, need uint64
	}{
		{"file descriptors", r.Files, uint64(files) + ownFiles + hardFiles},
		{"memory maps", r.Maps, uint64(files) + ownFiles + hardMaps},
	} {
		if left.left < left.need {
			return fmt.Errorf("%d %s left, and %d tables and logs take %d: %w", left.left, left.name, files, left.need, ErrNoSpace)
		}
	}
	return nil
}

const (
	ballastFile  = "BALLAST"
	ballastBytes = 64 << 20
)

// openingRoom makes sure that the engine can open. A full disk keeps a store
// from opening that could give back space once open; the ballast is there to be
// dropped then.
func (h *health) openingRoom() error {
	reading, err := h.makeRoom("open")
	if err == nil && reading.Pressure == PressureHard {
		err = fmt.Errorf("%s: %w", reading.Reason, ErrNoSpace)
	}
	return err
}

// makeRoom drops the ballast when nothing else is left, to do something, and returns
// what is left then.
func (h *health) makeRoom(to string) (Health, error) {
	reading := h.measure()
	if reading.Pressure != PressureHard {
		return reading, nil
	}
	err := os.Remove(filepath.Join(h.dir, ballastFile))
	if errors.Is(err, fs.ErrNotExist) {
		return reading, nil
	}
	if err != nil {
		return reading, err
	}
	h.options.Logger.Warn("dropped the ballast file to "+to, "dir", h.dir, "reason", reading.Reason)
	return h.measure(), nil
}

// restoreBallast writes the ballast file when there is none and room enough.
func (h *health) restoreBallast() error {
	path := filepath.Join(h.dir, ballastFile)
	if info, err := os.Stat(path); err == nil && info.Size() == ballastBytes {
		return nil
	}
	room, err := h.options.Probe(h.dir)
	if err != nil || room.Bytes < h.options.SoftFree+ballastBytes || h.options.judge(room).Pressure != PressureNone {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(allocate(f, ballastBytes), f.Close())
}
