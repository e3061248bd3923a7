package objects

import (
	"reflect"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/internal/ident"
	"github.com/dormouse-run/dormouse/objects/encoding"
)

// TestOneOptionFitsEveryPosition is mostly checked by the compiler.
func TestOneOptionFitsEveryPosition(t *testing.T) {
	t.Parallel()
	c := WithBinary
	codecs := []encoding.Codec{
		getOptionsOf([]GetOption{c}).codec,
		setOptionsOf([]SetOption{c}).codec,
		awakeableOptionsOf([]AwakeableOption{c}).codec,
		resolveAwakeableOptionsOf([]ResolveAwakeableOption{c}).codec,
		ResolveAwakeableCodec(encoding.JSONCodec, []ResolveAwakeableOption{c}),
		signalOptionsOf([]SignalOption{c}).codec,
		resolveSignalOptionsOf([]ResolveSignalOption{c}).codec,
		promiseOptionsOf([]PromiseOption{c}).codec,
		attachOptionsOf([]AttachOption{c}).codec,
		runOptionsOf([]RunOption{c}).codec,
		clientOptionsOf([]ClientOption{c}).inputCodec,
		clientOptionsOf([]ClientOption{c}).outputCodec,
		NewService("S", c).GetOptions().Codec,
		NewServiceHandler(echo, c).outputCodec(),
	}
	var i IngressOptions
	for _, apply := range []func(*IngressOptions){c.ApplyIngressClient, c.ApplyIngressRequest, c.ApplyIngressSend, c.ApplyInvocationHandle} {
		i = IngressOptions{}
		apply(&i)
		codecs = append(codecs, i.Codec)
	}
	for n, codec := range codecs {
		if codec != encoding.BinaryCodec {
			t.Errorf("position %d has codec %T", n, codec)
		}
	}
}

func TestCodecsDefaultToJSON(t *testing.T) {
	t.Parallel()
	o := clientOptionsOf(nil)
	for n, codec := range []encoding.Codec{
		getOptionsOf(nil).codec, setOptionsOf(nil).codec, awakeableOptionsOf(nil).codec, runOptionsOf(nil).codec,
		o.inputCodec, o.outputCodec, getOptionsOf([]GetOption{WithCodec(nil)}).codec,
		ResolveAwakeableCodec(nil, nil),
	} {
		if codec != encoding.JSONCodec {
			t.Errorf("position %d has codec %T", n, codec)
		}
	}
}

func TestDirectionWinsOverCodecInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]ClientOption{
		{WithBinary, WithInputCodec(encoding.ProtoCodec)},
		{WithInputCodec(encoding.ProtoCodec), WithBinary},
	} {
		if o := clientOptionsOf(opts); o.inputCodec != encoding.ProtoCodec || o.outputCodec != encoding.BinaryCodec {
			t.Errorf("input %T, output %T", o.inputCodec, o.outputCodec)
		}
	}
	o := clientOptionsOf([]ClientOption{WithOutputCodec(encoding.ProtoCodec), WithInputCodec(nil), WithScope("s")})
	if o.inputCodec != encoding.JSONCodec || o.outputCodec != encoding.ProtoCodec || o.scope != "s" {
		t.Errorf("input %T, output %T, scope %q", o.inputCodec, o.outputCodec, o.scope)
	}
}

func TestRunPolicyNeedsARetryOption(t *testing.T) {
	t.Parallel()
	plain := runOptionsOf([]RunOption{WithName("n"), WithJSON})
	if plain.hasPolicy || plain.name != "n" {
		t.Errorf("plain: %+v", plain)
	}
	for n, opt := range []RunOption{
		WithMaxRetryAttempts(3), WithInitialRetryInterval(time.Second), WithMaxRetryInterval(time.Second),
		WithRetryIntervalFactor(3), WithMaxRetryDuration(time.Second),
	} {
		if !runOptionsOf([]RunOption{opt}).hasPolicy {
			t.Errorf("option %d gives no policy", n)
		}
	}
	got := runOptionsOf([]RunOption{WithMaxRetryAttempts(3), WithMaxRetryDuration(time.Hour)})
	want := runOptions{codec: encoding.JSONCodec, hasPolicy: true, maxAttempts: 3, initial: 50 * time.Millisecond, max: 2 * time.Second, maxDuration: time.Hour, factor: 2}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestCallOptionsAddUp(t *testing.T) {
	t.Parallel()
	first := map[string]string{"A": "1", "b": "2"}
	opts := []SendOption{WithHeaders(first), WithHeaders(map[string]string{"b": "3"}), WithIdempotencyKey("k"), WithLimitKey("l"), WithDelay(time.Second)}
	first["A"] = "changed"
	o := sendOptionsOf(opts)
	if want := map[string]string{"A": "1", "b": "3"}; !reflect.DeepEqual(o.headers, want) {
		t.Errorf("headers %v, want %v", o.headers, want)
	}
	if *o.idempotencyKey != "k" || o.limitKey != "l" || o.delay != time.Second {
		t.Errorf("got %+v", o)
	}
	if again := sendOptionsOf(opts[:1]); !reflect.DeepEqual(again.headers, map[string]string{"A": "1", "b": "2"}) {
		t.Errorf("an option was changed by its use: %v", again.headers)
	}
	if r := requestOptionsOf(nil); r.headers != nil || r.idempotencyKey != nil {
		t.Errorf("no options give %+v", r)
	}
	if d := sendOptionsOf([]SendOption{WithDelay(-time.Second)}).delay; d != 0 {
		t.Errorf("a negative delay is %v", d)
	}
	if s := sleepOptionsOf([]SleepOption{WithName("nap")}); s.name != "nap" {
		t.Errorf("sleep options %+v", s)
	}
}

func TestHandlerInheritsFromServiceAndRuntime(t *testing.T) {
	t.Parallel()
	def := NewObject("O",
		WithInactivityTimeout(0), WithAbortTimeout(time.Second), WithIdempotencyRetention(time.Hour),
		WithEnableLazyState(true), WithMetadata("team", "blue"), WithDocumentation("all of it"),
		WithInvocationRetryPolicy(WithMaxRetryAttempts(5), WithRetryIntervalFactor(3), KillOnMaxAttempts()),
	).
		Handler("inherit", NewObjectHandler(func(ObjectContext, Void) (Void, error) { return Void{}, nil })).
		Handler("own", NewObjectSharedHandler(func(ObjectSharedContext, Void) (Void, error) { return Void{}, nil },
			WithInactivityTimeout(time.Minute), WithEnableLazyState(false), WithIngressPrivate(true), WithJournalRetention(time.Minute),
			WithInvocationRetryPolicy(WithMaxRetryAttempts(0), WithInitialRetryInterval(time.Second), PauseOnMaxAttempts()), WithMaxInterval()))
	const day = 24 * time.Hour
	want := map[string]Settings{
		"inherit": {AbortTimeout: time.Second, IdempotencyRetention: time.Hour, JournalRetention: day, WorkflowRetention: day, EnableLazyState: true,
			Retry: RetryPolicy{500 * time.Millisecond, 3, time.Minute, 5, OnMaxAttemptsKill}},
		"own": {InactivityTimeout: time.Minute, AbortTimeout: time.Second, IdempotencyRetention: time.Hour, JournalRetention: time.Minute, WorkflowRetention: day, IngressPrivate: true,
			Retry: RetryPolicy{time.Second, 3, 10 * time.Second, 0, OnMaxAttemptsPause}},
	}
	if got := SettingsOf(def, DefaultSettings()); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if o := def.GetOptions(); o.Metadata["team"] != "blue" || o.Documentation != "all of it" {
		t.Errorf("options %+v", o)
	}
}

// WithMaxInterval is a second policy option, which adds to the first.
func WithMaxInterval() DefinitionOption {
	return WithInvocationRetryPolicy(WithMaxRetryInterval(10 * time.Second))
}

func TestHandlersOfAPrivateServiceArePrivate(t *testing.T) {
	t.Parallel()
	def := NewService("S", WithIngressPrivate(true)).Handler("h", NewServiceHandler(echo, WithIngressPrivate(false)))
	if !SettingsOf(def, DefaultSettings())["h"].IngressPrivate {
		t.Error("the handler is public")
	}
}

func TestJournalIsKeptNoLongerThanTheResult(t *testing.T) {
	t.Parallel()
	s := Settings{IdempotencyRetention: 2 * time.Hour, JournalRetention: 3 * time.Hour, WorkflowRetention: 5 * time.Hour}
	for _, tc := range []struct {
		kind                ident.Kind
		idempotencyKey      string
		completion, journal time.Duration
	}{
		{ident.KindExclusive, "", 3 * time.Hour, 3 * time.Hour},
		{ident.KindExclusive, "k", 2 * time.Hour, 2 * time.Hour},
		{ident.KindWorkflow, "", 5 * time.Hour, 3 * time.Hour},
		{ident.KindShared, "k", 2 * time.Hour, 2 * time.Hour},
	} {
		if c, j := s.Retention(tc.kind, tc.idempotencyKey); c != tc.completion || j != tc.journal {
			t.Errorf("%v, key %q: %v and %v", tc.kind, tc.idempotencyKey, c, j)
		}
	}
}

func TestDelaysGrowUpToTheLimit(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{InitialInterval: 100 * time.Millisecond, Factor: 2, MaxInterval: time.Second}
	for failed, want := range []time.Duration{1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 6: 1000} {
		if got := p.Delay(uint32(failed)); failed > 0 && got != want*time.Millisecond {
			t.Errorf("after %d failures %v, want %v", failed, got, want*time.Millisecond)
		}
	}
	if got := p.Delay(1 << 31); got != time.Second {
		t.Errorf("after very many failures %v", got)
	}
	p.Factor = 1
	if got := p.Delay(1 << 31); got != 100*time.Millisecond {
		t.Errorf("with factor 1 %v", got)
	}
	p.InitialInterval = time.Minute
	if got := p.Delay(1); got != time.Second {
		t.Errorf("an initial interval over the limit gives %v", got)
	}
}

func echo(_ Context, in string) (string, error) { return in, nil }
