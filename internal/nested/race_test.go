//go:build race

package nested

const raced = true
