package httpapi

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"strings"
)

// Safety is what protects the two ports. The zero value asks for no token, does
// not encrypt, lets pages of this machine call the ingress, and lets no page of
// a browser call the admin port.
type Safety struct {
	// IngressTokens protects the ingress except the health route. Without
	// tokens it is open.
	IngressTokens Tokens
	// AwakeableTokens protects resolve and reject, of awakeables and of
	// signals. When it is zero those take the tokens of the ingress.
	AwakeableTokens Tokens
	// AdminTokens protects the admin port except the health route. Without
	// tokens it is open.
	AdminTokens Tokens

	// IngressTLS and AdminTLS encrypt a port. A zero one leaves it plain.
	IngressTLS, AdminTLS TLSFiles

	// AllowOrigins are the origins, such as https://shop.example, whose pages
	// may call the ingress; "loopback" stands for all of this machine, and "*"
	// for every one. nil is loopback; an empty list allows none.
	AllowOrigins []string
	// AdminHosts are further names, without port, under which an admin port on
	// loopback without tokens may be addressed. Localhost and IP addresses of
	// loopback need no entry.
	AdminHosts []string

	// MaxRequests bounds the requests that the ingress works on at the same
	// time; further ones get a 429. A call or attach that only waits does not
	// count. 0 is no bound.
	MaxRequests int
	// MaxConnections bounds the open connections of the ingress. Past it the
	// one that has done nothing for longest is closed. 0 takes what the limit
	// of descriptors leaves room for.
	MaxConnections int
	// MaxStreams bounds the concurrent requests of one HTTP/2 connection; 1,000
	// when 0.
	MaxStreams int
	// MaxBodies bounds, in bytes, the bodies that are arriving at the same
	// time, in all; 1 GiB when 0. A body of up to 64 KiB does not count.
	MaxBodies int64

	// ExposeStackTraces puts the stack of a route that panicked into the answer
	// of the ingress. It helps in development and tells strangers about the
	// program.
	ExposeStackTraces bool
	// RequestLog says at which levels requests are logged.
	RequestLog RequestLog

	// wrong are settings of the environment that could not be read.
	wrong error
}

// RequestLog are the levels of the log lines of requests. A nil one is as
// stated. A slog.LevelVar can be changed while the server runs.
type RequestLog struct {
	// Success is for requests that went well, and for clients that went away;
	// slog.LevelDebug.
	Success slog.Leveler
	// Refused is for requests that the server or an invocation refused;
	// slog.LevelInfo.
	Refused slog.Leveler
	// Overload is for requests that came too much, or at a bad time (429, 503,
	// 507); slog.LevelWarn.
	Overload slog.Leveler
	// Broken is for what needs a person: internal errors and panics;
	// slog.LevelError.
	Broken slog.Leveler
}

// Words of AllowOrigins.
const (
	originAny      = "*"
	originLoopback = "loopback"
)

func (l RequestLog) withDefaults() RequestLog {
	setDefault[slog.Leveler](&l.Success, slog.LevelDebug)
	setDefault[slog.Leveler](&l.Refused, slog.LevelInfo)
	setDefault[slog.Leveler](&l.Overload, slog.LevelWarn)
	setDefault[slog.Leveler](&l.Broken, slog.LevelError)
	return l
}

func (s Safety) withDefaults() Safety {
	setDefault(&s.MaxStreams, 1000)
	setDefault(&s.MaxBodies, 1<<30)
	if s.AllowOrigins == nil {
		s.AllowOrigins = []string{originLoopback}
	}
	s.RequestLog = s.RequestLog.withDefaults()
	return s
}

// check returns what cannot work about the numbers.
func (s Safety) check() error {
	var errs []error
	for _, n := range []struct {
		name  string
		value int64
	}{
		{"MaxRequests", int64(s.MaxRequests)}, {"MaxConnections", int64(s.MaxConnections)},
		{"MaxStreams", int64(s.MaxStreams)}, {"MaxBodies", s.MaxBodies},
	} {
		if n.value < 0 {
			errs = append(errs, fmt.Errorf("safety: %s is %d: give a positive one, or 0 for the default", n.name, n.value))
		}
	}
	return errors.Join(append(errs, s.wrong)...)
}

// Environment variables that FlagConfig and NewRestate read for Safety. Tokens
// are separated by commas.
const (
	envIngressTokens       = "DORMOUSE_INGRESS_TOKENS"
	envIngressTokensFile   = "DORMOUSE_INGRESS_TOKENS_FILE"
	envAwakeableTokens     = "DORMOUSE_AWAKEABLE_TOKENS"
	envAwakeableTokensFile = "DORMOUSE_AWAKEABLE_TOKENS_FILE"
	envAwakeablesOpen      = "DORMOUSE_AWAKEABLES_OPEN"
	envAdminTokens         = "DORMOUSE_ADMIN_TOKENS"
	envAdminTokensFile     = "DORMOUSE_ADMIN_TOKENS_FILE"
	envIngressCert         = "DORMOUSE_INGRESS_CERT"
	envIngressKey          = "DORMOUSE_INGRESS_KEY"
	envAdminCert           = "DORMOUSE_ADMIN_CERT"
	envAdminKey            = "DORMOUSE_ADMIN_KEY"
	envAllowOrigins        = "DORMOUSE_ALLOW_ORIGINS"
)

// envSafety reads the environment.
func envSafety() (s Safety) {
	s.IngressTokens = s.envTokens(envIngressTokens, envIngressTokensFile)
	s.AwakeableTokens = s.envTokens(envAwakeableTokens, envAwakeableTokensFile)
	s.AdminTokens = s.envTokens(envAdminTokens, envAdminTokensFile)
	s.IngressTLS = TLSFiles{Cert: os.Getenv(envIngressCert), Key: os.Getenv(envIngressKey)}
	s.AdminTLS = TLSFiles{Cert: os.Getenv(envAdminCert), Key: os.Getenv(envAdminKey)}
	s.AllowOrigins = splitWords(os.Getenv(envAllowOrigins))
	switch v := os.Getenv(envAwakeablesOpen); strings.ToLower(v) {
	case "", "0", "false", "no":
	case "1", "true", "yes":
		s.AwakeableTokens.Open = true
	default:
		s.wrong = errors.Join(s.wrong, fmt.Errorf("%s is %q: set it to true or false", envAwakeablesOpen, v))
	}
	return s
}

// envTokens reads the tokens of one part. A list without a token would leave the
// part open, and whoever has set it wanted the opposite.
func (s *Safety) envTokens(list, file string) Tokens {
	text := os.Getenv(list)
	t := Tokens{List: splitWords(text), File: os.Getenv(file)}
	if text != "" && t.List == nil {
		s.wrong = errors.Join(s.wrong, fmt.Errorf("%s is set and has no token: separate tokens by commas, or unset it", list))
	}
	return t
}

// splitWords cuts a list at commas; nil when there are none.
func splitWords(list string) []string {
	var all []string
	for word := range strings.SplitSeq(list, ",") {
		if word = strings.TrimSpace(word); word != "" {
			all = append(all, word)
		}
	}
	return all
}

// flags adds the flags of s. There is none for a token itself: command lines can
// be read by everybody on the machine.
func (s *Safety) flags(fs *flag.FlagSet) {
	fs.StringVar(&s.IngressTokens.File, "ingress-tokens", s.IngressTokens.File, "`file` with the bearer tokens of the ingress ("+envIngressTokensFile+")")
	fs.StringVar(&s.AwakeableTokens.File, "awakeable-tokens", s.AwakeableTokens.File, "`file` with the bearer tokens of resolve and reject, when not those of the ingress ("+envAwakeableTokensFile+")")
	fs.BoolVar(&s.AwakeableTokens.Open, "awakeables-open", s.AwakeableTokens.Open, "let everybody resolve and reject ("+envAwakeablesOpen+")")
	fs.StringVar(&s.AdminTokens.File, "admin-tokens", s.AdminTokens.File, "`file` with the bearer tokens of the admin port ("+envAdminTokensFile+")")
	fs.StringVar(&s.IngressTLS.Cert, "ingress-cert", s.IngressTLS.Cert, "PEM `file` with the certificate of the ingress ("+envIngressCert+")")
	fs.StringVar(&s.IngressTLS.Key, "ingress-key", s.IngressTLS.Key, "PEM `file` with the key of the ingress ("+envIngressKey+")")
	fs.StringVar(&s.AdminTLS.Cert, "admin-cert", s.AdminTLS.Cert, "PEM `file` with the certificate of the admin port ("+envAdminCert+")")
	fs.StringVar(&s.AdminTLS.Key, "admin-key", s.AdminTLS.Key, "PEM `file` with the key of the admin port ("+envAdminKey+")")
	fs.Func("allow-origins", "`origins`, separated by commas, whose pages may call the ingress; loopback when not given ("+envAllowOrigins+")", func(v string) error {
		s.AllowOrigins = splitWords(v)
		if s.AllowOrigins == nil {
			s.AllowOrigins = []string{}
		}
		return nil
	})
}
