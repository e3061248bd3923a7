package main

import (
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/examples/internal/exampletest"
	restate "github.com/dormouse-run/dormouse/objects"
	"github.com/dormouse-run/dormouse/objects/ingress"
)

func TestMain(m *testing.M) { os.Exit(exampletest.Main(m, main)) }

func TestTheStoryIsTrue(t *testing.T) {
	t.Parallel()
	exampletest.Tell(t)
}

func addressOf(user string) string { return user + "@example.org" }

func signUp(t *testing.T, rt *actors.Runtime, user string) ingress.SendResponse[Account] {
	t.Helper()
	sent, err := ingress.Workflow[string, Account](rt.Client(), "Signup", user, "run").Send(t.Context(), addressOf(user))
	if err != nil {
		t.Fatal(err)
	}
	return sent
}

func handle(rt *actors.Runtime, user string) ingress.InvocationHandle[Account] {
	return ingress.WorkflowHandle[Account](rt.Client(), "Signup", user)
}

// secret waits for the first mail and returns what it holds.
func secret(t *testing.T, rt *actors.Runtime, user string) (secret string) {
	t.Helper()
	exampletest.Eventually(t, "the mail", func() bool {
		mails, err := ingress.Object[restate.Void, []Mail](rt.Client(), "Mailbox", addressOf(user), "read").Request(t.Context(), restate.Void{})
		if err != nil || len(mails) == 0 {
			return false
		}
		secret = mails[0].Secret
		return true
	})
	return secret
}

func clickOn(t *testing.T, rt *actors.Runtime, user, secret string) (string, restate.TerminalError) {
	answer, err := ingress.Workflow[string, string](rt.Client(), "Signup", user, "click").Request(t.Context(), secret)
	if err != nil && !restate.IsTerminalError(err) {
		t.Error(err)
	}
	return answer, restate.AsTerminalError(err)
}

func TestAClickBehindARestartOpensTheAccount(t *testing.T) {
	t.Parallel()
	s, dir := signup{remind: time.Hour, expire: 2 * time.Hour}, t.TempDir()
	rt := exampletest.Open(t, dir, s.definition(), newMailbox())
	signUp(t, rt, "u")
	link := secret(t, rt, "u")
	if err := rt.Close(); err != nil {
		t.Fatal(err)
	}
	rt = exampletest.Open(t, dir, s.definition(), newMailbox())
	if answer, err := clickOn(t, rt, "u", link); err != nil || answer != "confirmed" {
		t.Errorf("the click: %q, %v", answer, err)
	}
	if a, err := handle(rt, "u").Attach(t.Context()); err != nil || a != (Account{"u", addressOf("u")}) {
		t.Errorf("ended with %+v, %v", a, err)
	}
}

// TestAClickAndTheEndOfTheLinkNeverBothWin clicks for many users around the
// moment in which their links end.
func TestAClickAndTheEndOfTheLinkNeverBothWin(t *testing.T) {
	t.Parallel()
	s := signup{remind: time.Millisecond, expire: 40 * time.Millisecond}
	rt := exampletest.Open(t, t.TempDir(), s.definition(), newMailbox())
	for n := range 24 {
		user := fmt.Sprintf("u%d", n)
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			signUp(t, rt, user)
			link := secret(t, rt, user)
			// It clicks from 6 ms before the end on, in steps of half a millisecond.
			<-time.After(time.Until(began.Add(s.expire + time.Duration(n-12)*time.Millisecond/2)))
			answer, refusal := clickOn(t, rt, user, link)
			a, err := handle(rt, user).Attach(t.Context())
			ended := restate.AsTerminalError(err)
			opened := answer == "confirmed" && err == nil && a.User == user
			gone := refusal != nil && refusal.Code() == codeGone && ended != nil && ended.Code() == codeGone
			if opened == gone {
				t.Errorf("the click was told %q, %v, the run ended with %+v, %v", answer, refusal, a, err)
			}
			t.Logf("in time: %v", opened)
		})
	}
}

func TestACancelEndsTheLink(t *testing.T) {
	t.Parallel()
	s := signup{remind: time.Hour, expire: 2 * time.Hour}
	rt := exampletest.Open(t, t.TempDir(), s.definition(), newMailbox())
	sent := signUp(t, rt, "u")
	link := secret(t, rt, "u")
	if err := ingress.Cancel(t.Context(), rt.Client(), sent.Id()); err != nil {
		t.Fatal(err)
	}
	if _, err := sent.Attach(t.Context()); restate.AsTerminalError(err) == nil {
		t.Errorf("ended with %v", err)
	}
	if answer, err := clickOn(t, rt, "u", link); err == nil {
		t.Errorf("the click was told %q", answer)
	}
}

func TestAClickBeforeTheSignUpIsFalse(t *testing.T) {
	t.Parallel()
	rt := exampletest.Open(t, t.TempDir(), signup{}.definition(), newMailbox())
	for _, guess := range []string{"", "guess"} {
		if _, err := clickOn(t, rt, "u", guess); err == nil || err.Code() != codeForbidden {
			t.Errorf("the guess %q: %v", guess, err)
		}
	}
}
