// Package reviewer is a Kafka consumer group that answers questions over HTTP.
// It could be written in any language: it knows the form of a question and the
// path of an awakeable, and nothing else of the program that asks.
//
// An offset is committed when all questions before it have their answer, so a
// question may be answered twice and never not at all.
package reviewer
