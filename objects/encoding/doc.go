// Package encoding turns the values of handlers into bytes and back.
//
// A Codec does the work; Marshal and Unmarshal put it to use and let a value
// take over that knows its own bytes (RestateMarshaler, RestateUnmarshaler).
// InputPayloadFor and OutputPayloadFor describe what a handler accepts and
// answers, so that an ingress can check a content type before anything is
// stored.
//
// Payloads are immutable once they are in a journal: the codecs of this package
// return bytes that share nothing with the value, and values that share nothing
// with the bytes. A codec of your own must do the same.
//
// The package must not know handlers, journals or HTTP.
package encoding
