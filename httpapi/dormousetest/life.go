package dormousetest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/httpapi"
	"github.com/dormouse-run/dormouse/internal/audit"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// life is one runtime of an environment, from its start to its end.
type life struct {
	rt    *actors.Runtime
	store persistence.Store
	sched *actors.Goroutines
	log   *slog.Logger
	ports [2]*listener
	// stop ends serving, served tells that it has.
	stop   context.CancelFunc
	served chan error
}

// begin opens the store and serves both ports.
func begin(ctx context.Context, d disk, ingress, admin *port, o actors.Options, services []restate.ServiceDefinition) (*life, error) {
	store, err := d.open()
	if err != nil {
		return nil, err
	}
	if err := fits(store); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	l := &life{store: store, sched: new(actors.Goroutines), log: o.Logger, served: make(chan error, 1)}
	o.Store, o.Services, o.Scheduler = store, services, l.sched
	if l.rt, err = actors.Open(ctx, o); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	server, err := httpapi.New(l.rt, httpapi.Options{
		Ingress: ingress.address.String(), Admin: admin.address.String(), Logger: o.Logger, MaxBody: int64(o.MaxPayload),
	})
	if err != nil {
		return nil, errors.Join(err, l.rt.Close())
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	l.stop, l.ports = stop, [2]*listener{ingress.listen(), admin.listen()}
	go func() { l.served <- server.ServeOn(serving, l.ports[0], l.ports[1]) }()
	return l, nil
}

// fits looks at what the life before has left behind: all rows have to fit each
// other, wherever it ended.
func fits(store persistence.Store) error {
	return store.Read(func(r persistence.Reader) error {
		report, err := audit.Check(r)
		if err == nil && !report.Good() {
			err = fmt.Errorf("what is stored does not fit together, which is a fault of Dormouse, and %d findings show it; the first one: %s", len(report.Findings), report.Findings[0])
		}
		return err
	})
}

// end stops gracefully. Its error names code that did not end.
func (l *life) end() error {
	l.stop()
	err := <-l.served
	return errors.Join(err, l.rt.Close())
}

// die ends at once; the disk takes what is durable in the middle of it. gone is
// closed when the last code has ended or was given up, and the store is closed.
func (l *life) die(d disk) (gone chan struct{}, err error) {
	l.cut()
	free, err := d.crash()
	gone = make(chan struct{})
	go func() {
		defer close(gone)
		l.stop()
		<-l.served // it says that the runtime has stopped, which is so
		if err := l.rt.Close(); err != nil {
			l.log.Info("closed a runtime that was killed", "error", err)
		}
		if err := free(); err != nil {
			l.log.Warn("remove the data of a runtime that was killed", "error", err)
		}
	}()
	return gone, err
}

// cut breaks all connections and stops the runtime where it is. It may be
// called at any time.
func (l *life) cut() {
	for _, p := range l.ports {
		p.sever()
	}
	l.rt.Crash()
}

// leftovers names the goroutines of the runtime that have not ended within a
// moment, "" when there are none.
func (l *life) leftovers() string {
	for wait := time.Millisecond; ; wait *= 2 {
		live := l.sched.Live()
		if len(live) == 0 {
			return ""
		}
		if wait > time.Second {
			return fmt.Sprint(live)
		}
		<-time.After(wait)
	}
}
