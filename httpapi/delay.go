package httpapi

import (
	"errors"
	"math"
	"math/bits"
	"strings"
	"time"
)

// errDelay is returned for text that is no delay.
var errDelay = errors.New(`a delay looks like "10s", "1h 30m" or "PT1H30M"; it needs a unit, is not negative, and has no months or years`)

// parseDelay reads the delay of a send: ISO 8601 (PT1H30M) or numbers with
// units (1h 30m, 1500ms, 2 days). Units grow smaller from left to right, each
// is used once, and a number may have a fraction of up to nine digits.
func parseDelay(text string) (time.Duration, error) {
	s := strings.TrimSpace(text)
	if s == "" {
		return 0, errDelay
	}
	if s[0] == 'P' || s[0] == 'p' {
		// ISO 8601 writes a fraction with either sign.
		return parseISODelay(strings.ReplaceAll(s[1:], ",", "."))
	}
	return parseUnits(s, wordUnit)
}

// parseISODelay reads what follows the P: a date part in weeks and days, and
// behind a T a time part in hours, minutes and seconds.
func parseISODelay(s string) (time.Duration, error) {
	date, clock, hasClock := cutFold(s, 'T')
	var sum time.Duration
	if date != "" {
		days, err := parseUnits(date, isoDateUnit)
		if err != nil {
			return 0, err
		}
		sum = days
	}
	if !hasClock {
		if date == "" {
			return 0, errDelay
		}
		return sum, nil
	}
	rest, err := parseUnits(clock, isoClockUnit)
	if err != nil || rest > math.MaxInt64-sum {
		return 0, errDelay
	}
	return sum + rest, nil
}

// parseUnits reads one or more pairs of number and unit.
func parseUnits(s string, unitOf func(string) time.Duration) (time.Duration, error) {
	var sum time.Duration
	last := time.Duration(math.MaxInt64)
	for first := true; first || s != ""; first = false {
		number, rest := takeWhile(s, isNumberByte)
		name, rest := takeWhile(strings.TrimLeft(rest, " "), isUnitByte)
		unit := unitOf(name)
		if unit == 0 || unit >= last {
			return 0, errDelay
		}
		d, ok := scale(number, unit)
		if !ok || d > math.MaxInt64-sum {
			return 0, errDelay
		}
		sum, last, s = sum+d, unit, strings.TrimLeft(rest, " ")
	}
	return sum, nil
}

// scale multiplies a decimal number with a unit and reports whether the number
// is well formed and the result fits.
func scale(number string, unit time.Duration) (time.Duration, bool) {
	whole, fraction, hasFraction := strings.Cut(number, ".")
	n, ok := digits(whole)
	if !ok || hasFraction && (fraction == "" || len(fraction) > 9) {
		return 0, false
	}
	hi, lo := bits.Mul64(n, uint64(unit))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	if !hasFraction {
		return time.Duration(lo), true
	}
	f, ok := digits((fraction + "000000000")[:9])
	if !ok {
		return 0, false
	}
	hi, part := bits.Mul64(f, uint64(unit))
	part, _ = bits.Div64(hi, part, 1e9)
	if part > math.MaxInt64-lo {
		return 0, false
	}
	return time.Duration(lo + part), true
}

// digits reads a decimal number of at most 18 digits.
func digits(s string) (n uint64, ok bool) {
	if s == "" || len(s) > 18 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// wordUnit returns the unit with a short or long name, 0 for none.
func wordUnit(name string) time.Duration {
	switch name {
	case "ns", "nsec", "nsecs", "nano", "nanos", "nanosecond", "nanoseconds":
		return time.Nanosecond
	case "us", "µs", "μs", "usec", "usecs", "micro", "micros", "microsecond", "microseconds":
		return time.Microsecond
	case "ms", "msec", "msecs", "milli", "millis", "millisecond", "milliseconds":
		return time.Millisecond
	case "s", "sec", "secs", "second", "seconds":
		return time.Second
	case "m", "min", "mins", "minute", "minutes":
		return time.Minute
	case "h", "hr", "hrs", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return day
	case "w", "week", "weeks":
		return week
	default:
		return 0
	}
}

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// isoDateUnit returns the unit of a designator before the T.
func isoDateUnit(name string) time.Duration {
	switch name {
	case "W", "w":
		return week
	case "D", "d":
		return day
	default:
		return 0
	}
}

// isoClockUnit returns the unit of a designator behind the T.
func isoClockUnit(name string) time.Duration {
	switch name {
	case "H", "h":
		return time.Hour
	case "M", "m":
		return time.Minute
	case "S", "s":
		return time.Second
	default:
		return 0
	}
}

func cutFold(s string, upper byte) (before, after string, found bool) {
	i := strings.IndexAny(s, string([]byte{upper, upper + 'a' - 'A'}))
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}

func takeWhile(s string, is func(byte) bool) (taken, rest string) {
	i := 0
	for i < len(s) && is(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isNumberByte(c byte) bool { return '0' <= c && c <= '9' || c == '.' }

// isUnitByte accepts letters and the bytes of the micro sign.
func isUnitByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= 0x80
}
