package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	"github.com/dormouse-run/dormouse/examples/kafka/reviewer"
)

const topic = "questions"

func TestMain(m *testing.M) { os.Exit(exampletest.Main(m, main)) }

// broker starts a Kafka in this process and returns its addresses.
func broker(t *testing.T) []string {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(3, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c.ListenAddrs()
}

// outcomes is a log handler that passes on the outcome of each answer.
type outcomes chan string

func (o outcomes) Enabled(context.Context, slog.Level) bool { return true }
func (o outcomes) WithAttrs([]slog.Attr) slog.Handler       { return o }
func (o outcomes) WithGroup(string) slog.Handler            { return o }
func (o outcomes) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "outcome" {
			o <- a.Value.String()
		}
		return true
	})
	return nil
}

// review runs a reviewer until the test ends, or until stop is called.
func review(t *testing.T, c reviewer.Config) (stop func(), answered <-chan string) {
	t.Helper()
	told := make(outcomes, 100)
	c.Topic, c.Group, c.Logger = topic, "reviewers", slog.New(told)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- reviewer.Run(ctx, c) }()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		ended <- nil
	}
	t.Cleanup(stop)
	return stop, told
}

func client(t *testing.T, brokers []string) *kgo.Client {
	t.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func start(t *testing.T, dir string, brokers []string) *exampletest.Program {
	t.Helper()
	return exampletest.Start(t, dir, "-brokers", strings.Join(brokers, ","))
}

// later posts a question in the background.
func later(p *exampletest.Program, document string) <-chan exampletest.Answer {
	answer := make(chan exampletest.Answer, 1)
	go func() { answer <- p.Post("/Document/"+document+"/ask", `{"text":"fine"}`) }()
	return answer
}

func TestADuplicateOnEitherSideChangesNothing(t *testing.T) {
	t.Parallel()
	brokers := broker(t)
	p := start(t, t.TempDir(), brokers)
	seen := make(chan reviewer.Question, 10)
	first := true
	_, answered := review(t, reviewer.Config{Brokers: brokers, Ingress: p.Ingress, Decide: func(q reviewer.Question) (string, error) {
		seen <- q
		if first {
			first = false
			return "first", nil
		}
		return "second", nil
	}})
	answer := later(p, "d1")
	q := exampletest.Receive(t, seen)
	exampletest.Want(t, exampletest.Receive(t, answer), 200, `{"decision":"first"}`)
	if got := exampletest.Receive(t, answered); got != "applied" {
		t.Errorf("the answer was %s", got)
	}
	// What a producer does that dies before it notes the acknowledgement.
	if err := producer(client(t, brokers))(t.Context(), "key", q); err != nil {
		t.Fatal(err)
	}
	if again := exampletest.Receive(t, seen); again != q {
		t.Errorf("asked %+v, before %+v", again, q)
	}
	if got := exampletest.Receive(t, answered); got != "duplicate" && got != "completed" {
		t.Errorf("the second answer was %s", got)
	}
	exampletest.Want(t, exampletest.Receive(t, later(p, "d1")), 200, `{"decision":"second"}`)
}

func TestAReviewerThatDiesBeforeItsCommitIsAskedAgain(t *testing.T) {
	t.Parallel()
	brokers := broker(t)
	p := start(t, t.TempDir(), brokers)
	// This one has decided, and cannot say it.
	decided := make(chan struct{}, 1)
	stop, _ := review(t, reviewer.Config{Brokers: brokers, Ingress: "http://127.0.0.1:1", Decide: func(reviewer.Question) (string, error) {
		decided <- struct{}{}
		return "lost", nil
	}})
	answer := later(p, "d1")
	exampletest.Receive(t, decided)
	stop()
	review(t, reviewer.Config{Brokers: brokers, Ingress: p.Ingress, Decide: func(reviewer.Question) (string, error) { return "found", nil }})
	exampletest.Want(t, exampletest.Receive(t, answer), 200, `{"decision":"found"}`)
}

func TestARecordThatIsNoQuestionHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	brokers := broker(t)
	p := start(t, t.TempDir(), brokers)
	gone, _ := json.Marshal(reviewer.Question{ID: "sign_1nobody", Document: "d1"})
	for _, value := range []string{"junk", "{}", string(gone)} {
		r := &kgo.Record{Key: []byte("d1"), Value: []byte(value)}
		if err := client(t, brokers).ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	_, answered := review(t, reviewer.Config{Brokers: brokers, Ingress: p.Ingress, Decide: reviewer.WithPrice})
	exampletest.Want(t, exampletest.Receive(t, later(p, "d1")), 200, `{"decision":"approved"}`)
	for _, want := range []string{"gone", "applied"} {
		if got := exampletest.Receive(t, answered); got != want {
			t.Errorf("an answer was %s, want %s", got, want)
		}
	}
}

// TestAQuestionThatIsProducedTwiceHasOneAnswer lets the Run fail behind the
// acknowledgement of the broker, as a crash does.
func TestAQuestionThatIsProducedTwiceHasOneAnswer(t *testing.T) {
	t.Parallel()
	brokers := broker(t)
	var attempts atomic.Int32
	keys := make(chan string, 10)
	send := producer(client(t, brokers))
	twice := func(ctx context.Context, key string, q reviewer.Question) error {
		keys <- key
		if err := send(ctx, key, q); err != nil {
			return err
		}
		if attempts.Add(1) == 1 {
			return errors.New("the connection is lost")
		}
		return nil
	}
	url := exampletest.Serve(t, newDocument(twice))
	var decided atomic.Int32
	_, answered := review(t, reviewer.Config{Brokers: brokers, Ingress: url, Decide: func(reviewer.Question) (string, error) {
		return map[int32]string{1: "first"}[decided.Add(1)], nil
	}})
	exampletest.Want(t, exampletest.Do("POST", url+"/Document/d1/ask", `{"text":"fine"}`), 200, `{"decision":"first"}`)
	if a, b := exampletest.Receive(t, keys), exampletest.Receive(t, keys); a != b {
		t.Errorf("produced under %s and under %s", a, b)
	}
	if first, second := exampletest.Receive(t, answered), exampletest.Receive(t, answered); first != "applied" || second == "applied" {
		t.Errorf("the two answers were %s and %s", first, second)
	}
}
