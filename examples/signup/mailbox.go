package main

import restate "github.com/dormouse-run/dormouse/objects"

const stateMails = "mails"

// Mail is a mail. The secret stands for the link.
type Mail struct {
	Subject string `json:"subject"`
	Secret  string `json:"secret,omitempty"`
}

// newMailbox returns the object Mailbox, keyed by address. It stands for the
// mail server.
func newMailbox() restate.ServiceDefinition {
	return restate.NewObject("Mailbox").
		Handler("deliver", restate.NewObjectHandler(deliver, restate.WithIngressPrivate(true))).
		Handler("read", restate.NewObjectSharedHandler(read))
}

// mail sends a mail without waiting for its delivery.
func mail(ctx restate.Context, address string, m Mail) {
	restate.ObjectSend(ctx, "Mailbox", address, "deliver").Send(m)
}

func deliver(ctx restate.ObjectContext, m Mail) (restate.Void, error) {
	mails, err := restate.Get[[]Mail](ctx, stateMails)
	if err != nil {
		return restate.Void{}, err
	}
	restate.Set(ctx, stateMails, append(mails, m))
	return restate.Void{}, nil
}

func read(ctx restate.ObjectSharedContext, _ restate.Void) ([]Mail, error) {
	return restate.Get[[]Mail](ctx, stateMails)
}
