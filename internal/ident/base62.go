package ident

import (
	"math/bits"
	"slices"
)

const base62Digits = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

// putBase62 writes block, read as a little-endian unsigned integer of at most
// 16 bytes, in base 62 into dst, padded on the left with zeros.
func putBase62(dst, block []byte) {
	// Dividing 128 bits is slow, so one division gives ten digits: 62¹⁰ is the
	// largest power of the base that fits into 64 bits.
	const digits, power = 10, 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62 * 62
	hi, lo := littleEndian(block)
	for end := len(dst); end > 0; end -= digits {
		var r uint64
		hi, r = hi/power, hi%power
		lo, r = bits.Div64(r, lo, power)
		for i := end - 1; i >= max(end-digits, 0); i-- {
			dst[i] = base62Digits[r%62]
			r /= 62
		}
	}
}

// readBase62 is the inverse of putBase62. It reports whether s consists of
// digits and its value fits block.
func readBase62(block []byte, s string) bool {
	var hi, lo uint64
	for i := range len(s) {
		d, ok := digitValue(s[i])
		if !ok {
			return false
		}
		over, hiLow := bits.Mul64(hi, 62)
		carry, loLow := bits.Mul64(lo, 62)
		var c uint64
		lo, c = bits.Add64(loLow, d, 0)
		hi, c = bits.Add64(hiLow, carry, c)
		if over != 0 || c != 0 {
			return false
		}
	}
	for i := range block {
		if i < 8 {
			block[i] = byte(lo >> (8 * i))
		} else {
			block[i] = byte(hi >> (8 * (i - 8)))
		}
	}
	return len(block) > 8 || hi == 0
}

func littleEndian(block []byte) (hi, lo uint64) {
	for _, b := range slices.Backward(block) {
		hi = hi<<8 | lo>>56
		lo = lo<<8 | uint64(b)
	}
	return hi, lo
}

func digitValue(c byte) (uint64, bool) {
	switch {
	case '0' <= c && c <= '9':
		return uint64(c - '0'), true
	case 'a' <= c && c <= 'z':
		return uint64(c-'a') + 10, true
	case 'A' <= c && c <= 'Z':
		return uint64(c-'A') + 36, true
	default:
		return 0, false
	}
}
