package objects

// WithFailOnDeadlock makes calls of a service fail that can never be answered,
// because the key they queue for is held by an invocation that itself waits,
// directly or through others, for the caller. Such a call returns a terminal
// error with code 508 whose message names the cycle. Without the option it
// keeps waiting, and the cycle is logged, counted, and shown by introspection,
// until somebody cancels or kills one of its invocations.
//
// The option belongs to the caller's service. When the calls of several services
// with the option form one cycle, the call that was queued last fails; calls of
// services without it never do. A handler that does not wait for its call, or
// that waits for something else beside it, for example a timer, is in no
// deadlock.
//
//	transfer := restate.NewObject("Account", restate.WithFailOnDeadlock()).
//		Handler("transfer", restate.NewObjectHandler(func(ctx restate.ObjectContext, to string) (restate.Void, error) {
//			_, err := restate.Object[restate.Void](ctx, "Account", to, "receive").Request(10)
//			if err != nil && err.Code() == 508 {
//				// to is transferring to this account at the same moment
//			}
//			return restate.Void{}, err
//		}))
func WithFailOnDeadlock() ServiceDefinitionOption { return failOnDeadlock{} }

type failOnDeadlock struct{}

func (failOnDeadlock) applyServiceDefinition(s *ServiceDefinitionOptions) { s.FailOnDeadlock = true }
