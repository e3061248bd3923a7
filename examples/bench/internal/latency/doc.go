// Package latency keeps what operations took and answers with quantiles.
package latency
