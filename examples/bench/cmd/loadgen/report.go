package main

import "math"

// report is the line that is printed.
type report map[string]any

// set records a figure, rounded to so many decimals.
func (r report) set(name string, x float64, decimals int) { r[name] = round(x, decimals) }

func round(x float64, decimals int) float64 {
	scale := math.Pow10(decimals)
	return math.Round(x*scale)/scale + 0 // no negative zero
}

// per divides by a count, of which there is at least one.
func per(x float64, n int64) float64 { return x / float64(max(n, 1)) }
