package httpapi

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/persistence"
)

// DefaultDir is the data directory when none is given.
const DefaultDir = "./data"

// Environment variables that FlagConfig and NewRestate read.
const (
	envDir     = "DORMOUSE_DATA"
	envIngress = "DORMOUSE_INGRESS"
	envAdmin   = "DORMOUSE_ADMIN"
)

// Config is what a program says to run the whole thing. The zero value works.
type Config struct {
	// Dir is the data directory; DefaultDir when empty. It is made when it
	// does not exist. One process uses it at a time.
	Dir string
	// Ingress and Admin are the addresses; DefaultIngress and DefaultAdmin
	// when empty.
	Ingress, Admin string
	// Logger is for everything; slog.Default() when nil.
	Logger *slog.Logger
	// Runtime holds further options of the runtime. Its Store and Services are
	// set by Run, its Logger when it is nil.
	Runtime actors.Options
	// Ready is called once, when both ports accept requests; may be nil. It
	// must not block.
	Ready func(Addresses)
	// Mount is called once, when the runtime is open and before the ports accept
	// requests; may be nil. With it a program reaches the runtime, and serves
	// paths of its own on the two ports. An error of it ends Run.
	Mount func(*Mount) error
	// Safety has the tokens, the encryption and the bounds of the ports.
	Safety Safety
	// MaxBackupAge is how long a backup may last; 1 h when 0. What is overwritten
	// meanwhile stays on the disk.
	MaxBackupAge time.Duration
	// HeaderTimeout, TransferTimeout, IdleTimeout and StopGrace are those of
	// Options.
	HeaderTimeout, TransferTimeout, IdleTimeout, StopGrace time.Duration
}

// Run opens the store and the runtime, serves both ports until ctx is done,
// and closes everything. It returns nil when that went well; an error when
// something could not be opened, or when the runtime had to stop, for example
// because the disk refused a write. A program then exits with status 1 and is
// started again.
//
// Run leaves signals to the program: give it a context of
// signal.NotifyContext to stop on SIGINT and SIGTERM.
func Run(ctx context.Context, c Config, services ...objects.ServiceDefinition) error {
	c = c.withDefaults()
	o := c.options().withDefaults()
	// Safety and the ports come first: when a file is missing or a port is taken,
	// no handler has been started. Who connects meanwhile waits in the queue of
	// the port.
	d, err := newDefence(o)
	if err != nil {
		return err
	}
	l, err := listen(ctx, o)
	if err != nil {
		return err
	}
	store, err := persistence.Open(c.Dir, persistence.Options{Logger: c.Logger, MaxBackupAge: c.MaxBackupAge})
	if err != nil {
		return errors.Join(fmt.Errorf("open the data directory %s: %w", c.Dir, err), l.close())
	}
	c.Runtime.Store, c.Runtime.Services = store, services
	rt, err := actors.Open(ctx, c.Runtime)
	if err != nil {
		return errors.Join(err, store.Close(), l.close())
	}
	s, err := newDefended(rt, o, d)
	if err != nil {
		return errors.Join(err, rt.Close(), l.close())
	}
	if err := s.mount(rt, c.Mount); err != nil {
		return errors.Join(fmt.Errorf("mount: %w", err), rt.Close(), l.close())
	}
	// The runtime closes its store.
	return errors.Join(s.serve(ctx, l), rt.Close())
}

// options are the settings of the server.
func (c Config) options() Options {
	return Options{
		Ingress: c.Ingress, Admin: c.Admin, Logger: c.Logger, MaxBody: int64(c.Runtime.MaxPayload),
		HeaderTimeout: c.HeaderTimeout, TransferTimeout: c.TransferTimeout, IdleTimeout: c.IdleTimeout, StopGrace: c.StopGrace,
		Ready: c.Ready, Safety: c.Safety,
	}
}

func (c Config) withDefaults() Config {
	setDefault(&c.Dir, DefaultDir)
	setDefault(&c.Ingress, DefaultIngress)
	setDefault(&c.Admin, DefaultAdmin)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Runtime.Logger == nil {
		c.Runtime.Logger = c.Logger
	}
	return c
}

// FlagConfig adds the flags -data, -ingress and -admin to fs, and those of
// Safety, and returns the Config that they fill in when fs is parsed. Their
// defaults are DORMOUSE_DATA, DORMOUSE_INGRESS, DORMOUSE_ADMIN and so on, or
// what Config says when these are not set.
func FlagConfig(fs *flag.FlagSet) *Config {
	c := envConfig()
	fs.StringVar(&c.Dir, "data", c.Dir, "data `directory` (DORMOUSE_DATA)")
	fs.StringVar(&c.Ingress, "ingress", c.Ingress, "`address` of the ingress (DORMOUSE_INGRESS)")
	fs.StringVar(&c.Admin, "admin", c.Admin, "`address` of the admin port (DORMOUSE_ADMIN)")
	c.Safety.flags(fs)
	return &c
}

func envConfig() Config {
	return Config{
		Dir:     envOr(envDir, DefaultDir),
		Ingress: envOr(envIngress, DefaultIngress),
		Admin:   envOr(envAdmin, DefaultAdmin),
		Safety:  envSafety(),
	}
}

func envOr(name, value string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return value
}
