package main

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// Names of state values.
const (
	stateSecret = "secret"
	stateStatus = "status"
)

// promiseClick is resolved by the click and rejected by the end of the link. It
// has no value: that it is resolved says all.
const promiseClick = "click"

// Codes of errors.
const (
	codeForbidden restate.Code = 403
	codeConflict  restate.Code = 409
	codeGone      restate.Code = 410
)

// Account is what a user has in the end.
type Account struct {
	User    string `json:"user"`
	Address string `json:"address"`
}

// signup makes the workflow.
type signup struct {
	// remind and expire count from the first mail; remind comes first.
	remind, expire time.Duration
}

// definition returns the workflow Signup.
func (s signup) definition() restate.ServiceDefinition {
	return restate.NewWorkflow("Signup").
		Handler("run", restate.NewWorkflowHandler(s.run)).
		Handler("click", restate.NewWorkflowSharedHandler(click)).
		Handler("status", restate.NewWorkflowSharedHandler(status))
}

// run is the life of a sign-up. Its error is that of the link.
func (s signup) run(ctx restate.WorkflowContext, address string) (Account, error) {
	secret := restate.UUID(ctx).String()
	restate.Set(ctx, stateSecret, secret)
	restate.Set(ctx, stateStatus, "waiting for the click")
	mail(ctx, address, Mail{"confirm", secret})
	if err := s.confirmed(ctx, address, secret); err != nil {
		restate.Set(ctx, stateStatus, "not confirmed")
		mail(ctx, address, Mail{Subject: "farewell"})
		return Account{}, err
	}
	restate.Set(ctx, stateStatus, "open")
	mail(ctx, address, Mail{Subject: "welcome"})
	return Account{restate.Key(ctx), address}, nil
}

// confirmed waits for the click, and reminds of it. It returns when the promise
// is completed, by the click or by itself.
func (s signup) confirmed(ctx restate.WorkflowContext, address, secret string) error {
	clicked := restate.Promise[restate.Void](ctx, promiseClick)
	remind := restate.After(ctx, s.remind, restate.WithName("remind"))
	expire := restate.After(ctx, s.expire, restate.WithName("expire"))
	first, err := restate.WaitFirst(ctx, clicked, remind, expire)
	if err == nil && first == remind {
		mail(ctx, address, Mail{"reminder", secret})
		first, err = restate.WaitFirst(ctx, clicked, expire)
	}
	if err == nil && first == clicked {
		return nil
	}
	end := restate.ToTerminalError(errors.New("the link has ended"), restate.WithErrorCode(codeGone))
	if err != nil {
		end = err // cancelled: the link ends as well
	}
	if late := clicked.Reject(end); late != nil && late.Code() == codeConflict {
		return nil // somebody has clicked in the last moment, and was told so
	}
	return end
}

// click is called with the secret of the link. It is a POST: programs that
// look into mails follow links on their own.
func click(ctx restate.WorkflowSharedContext, secret string) (string, error) {
	expected, err := restate.Get[string](ctx, stateSecret)
	if err != nil {
		return "", err
	}
	if expected == "" || subtle.ConstantTimeCompare([]byte(expected), []byte(secret)) == 0 {
		return "", restate.ToTerminalError(errors.New("the link is false"), restate.WithErrorCode(codeForbidden))
	}
	clicked := restate.Promise[restate.Void](ctx, promiseClick)
	if err := clicked.Resolve(restate.Void{}); err != nil && err.Code() != codeConflict {
		return "", fmt.Errorf("confirm: %w", err)
	}
	// Whoever came first has decided; everybody is told the same.
	if _, err := clicked.Result(); err != nil {
		return "", err
	}
	return "confirmed", nil
}

// status answers at any time.
func status(ctx restate.WorkflowSharedContext, _ restate.Void) (string, error) {
	text, err := restate.Get[string](ctx, stateStatus)
	if err == nil && text == "" {
		text = "not signed up"
	}
	return text, err
}
