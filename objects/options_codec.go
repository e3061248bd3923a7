package objects

import "github.com/dormouse-run/dormouse/objects/encoding"

// CodecOption is what WithCodec returns: a codec for every position that
// encodes or decodes. The zero value leaves the codec as it is.
type CodecOption struct{ codec encoding.Codec }

// WithCodec sets the codec of a value, of both directions of a client, call or
// handler, or the default of all handlers of a service. The default is JSON
// everywhere. A nil codec changes nothing.
func WithCodec(codec encoding.Codec) CodecOption { return CodecOption{codec} }

// Codecs as options.
var (
	// WithJSON uses encoding.JSONCodec.
	WithJSON = WithCodec(encoding.JSONCodec)
	// WithBinary uses encoding.BinaryCodec.
	WithBinary = WithCodec(encoding.BinaryCodec)
	// WithProto uses encoding.ProtoCodec.
	WithProto = WithCodec(encoding.ProtoCodec)
	// WithProtoJSON uses encoding.ProtoJSONCodec.
	WithProtoJSON = WithCodec(encoding.ProtoJSONCodec)
)

func (o CodecOption) set(codec *encoding.Codec) { *codec = firstCodec(o.codec, *codec) }

func (o CodecOption) applyGet(g *getOptions)             { o.set(&g.codec) }
func (o CodecOption) applySet(s *setOptions)             { o.set(&s.codec) }
func (o CodecOption) applyRun(r *runOptions)             { o.set(&r.codec) }
func (o CodecOption) applyAwakeable(a *awakeableOptions) { o.set(&a.codec) }
func (o CodecOption) applyResolveAwakeable(r *resolveAwakeableOptions) {
	o.set(&r.codec)
}
func (o CodecOption) applySignal(s *signalOptions)               { o.set(&s.codec) }
func (o CodecOption) applyResolveSignal(r *resolveSignalOptions) { o.set(&r.codec) }
func (o CodecOption) applyPromise(p *promiseOptions)             { o.set(&p.codec) }
func (o CodecOption) applyAttach(a *attachOptions)               { o.set(&a.codec) }
func (o CodecOption) applyClient(c *clientOptions)               { o.set(&c.codec) }
func (o CodecOption) applyRequest(r *requestOptions)             { o.set(&r.codec) }
func (o CodecOption) applySend(s *sendOptions)                   { o.set(&s.codec) }
func (o CodecOption) applyHandler(h *HandlerOptions)             { o.set(&h.Codec) }
func (o CodecOption) applyServiceDefinition(s *ServiceDefinitionOptions) {
	o.set(&s.Codec)
}

// ApplyIngressClient implements the client option of package ingress.
func (o CodecOption) ApplyIngressClient(i *IngressOptions) { o.set(&i.Codec) }

// ApplyIngressRequest implements the request option of package ingress.
func (o CodecOption) ApplyIngressRequest(i *IngressOptions) { o.set(&i.Codec) }

// ApplyIngressSend implements the send option of package ingress.
func (o CodecOption) ApplyIngressSend(i *IngressOptions) { o.set(&i.Codec) }

// ApplyInvocationHandle implements the handle option of package ingress.
func (o CodecOption) ApplyInvocationHandle(i *IngressOptions) { o.set(&i.Codec) }

// DirectionOption is what WithInputCodec and WithOutputCodec return.
type DirectionOption struct {
	codec  encoding.Codec
	output bool
}

// WithInputCodec sets the codec of the input of a client, call or handler; it wins
// over WithCodec. A nil codec changes nothing.
func WithInputCodec(codec encoding.Codec) DirectionOption { return DirectionOption{codec: codec} }

// WithOutputCodec sets the codec of the output of a client, call or handler; it wins
// over WithCodec. A nil codec changes nothing.
func WithOutputCodec(codec encoding.Codec) DirectionOption {
	return DirectionOption{codec: codec, output: true}
}

func (o DirectionOption) set(input, output *encoding.Codec) {
	switch {
	case o.codec == nil:
	case o.output:
		*output = o.codec
	default:
		*input = o.codec
	}
}

func (o DirectionOption) applyClient(c *clientOptions)   { o.set(&c.inputCodec, &c.outputCodec) }
func (o DirectionOption) applyRequest(r *requestOptions) { o.set(&r.inputCodec, &r.outputCodec) }
func (o DirectionOption) applyHandler(h *HandlerOptions) { o.set(&h.InputCodec, &h.OutputCodec) }

// ApplyIngressRequest implements the request option of package ingress.
func (o DirectionOption) ApplyIngressRequest(i *IngressOptions) {
	o.set(&i.InputCodec, &i.OutputCodec)
}
