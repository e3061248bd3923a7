// Package query answers questions about rows.
package query
