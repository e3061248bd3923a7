package log_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/restatedev/sdk-go/internal/log"
	"github.com/restatedev/sdk-go/logging"
)

// spy is a handler that remembers the context of each record.
type spy struct {
	slog.Handler
	seen *[]*logging.LogContext
}

func (s spy) Handle(ctx context.Context, r slog.Record) error {
	*s.seen = append(*s.seen, logging.LogContextFrom(ctx))
	return s.Handler.Handle(ctx, r)
}

func (s spy) WithAttrs(a []slog.Attr) slog.Handler { return spy{s.Handler.WithAttrs(a), s.seen} }
func (s spy) WithGroup(n string) slog.Handler      { return spy{s.Handler.WithGroup(n), s.seen} }

func newSpy(text *bytes.Buffer) spy {
	return spy{slog.NewTextHandler(text, &slog.HandlerOptions{Level: log.LevelTrace}), new([]*logging.LogContext)}
}

func TestAttributesAreTexts(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	slog.New(newSpy(&text)).Log(t.Context(), log.LevelTrace, "m",
		log.Error(errors.New("broken")), log.Stringer("for", time.Second), log.Type("is", &text))
	for _, want := range []string{"err=broken", "for=1s", "is=*bytes.Buffer"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in %s", want, text.String())
		}
	}
}

func TestRecordsOfTheRuntimeSaySo(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	s := newSpy(&text)
	slog.New(log.NewRestateContextHandler(s)).With("a", 1).WithGroup("g").Info("m", "b", 2)
	if len(*s.seen) != 1 || (*s.seen)[0].Source != logging.LogSourceRestate || (*s.seen)[0].IsReplaying {
		t.Errorf("seen %+v", *s.seen)
	}
	if !strings.Contains(text.String(), "a=1 g.b=2") {
		t.Errorf("logged %s", text.String())
	}
}

func TestWhatIsLoggedDuringReplayIsDroppedWhenAsked(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	s := newSpy(&text)
	var p atomic.Pointer[logging.LogContext]
	p.Store(&logging.LogContext{Source: logging.LogSourceUser, IsReplaying: true})
	quiet, loud := slog.New(log.NewUserContextHandler(&p, true, s)), slog.New(log.NewUserContextHandler(&p, false, s))
	quiet.Info("again")
	loud.Info("again, aloud")
	p.Store(&logging.LogContext{Source: logging.LogSourceUser})
	quiet.Info("new")
	var got []bool
	for _, lc := range *s.seen {
		got = append(got, lc.IsReplaying)
	}
	if len(got) != 2 || !got[0] || got[1] {
		t.Errorf("replaying of the records: %v", got)
	}
}
