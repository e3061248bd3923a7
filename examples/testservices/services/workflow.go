package services

import restate "github.com/dormouse-run/dormouse/objects"

const (
	stateWorkflow   = "my-state"
	workflowPromise = "durable-promise"
)

// blockAndWait is a workflow whose run waits for a promise. Another handler
// resolves it, and one reads the state meanwhile.
func blockAndWait() restate.ServiceDefinition {
	return restate.NewWorkflow("BlockAndWaitWorkflow").
		Handler("run", restate.NewWorkflowHandler(runWorkflow)).
		Handler("unblock", restate.NewWorkflowSharedHandler(unblockWorkflow)).
		Handler("getState", restate.NewWorkflowSharedHandler(getWorkflowState))
}

func runWorkflow(ctx restate.WorkflowContext, input string) (string, error) {
	restate.Set(ctx, stateWorkflow, input)
	promise := restate.Promise[*string](ctx, workflowPromise)
	value, err := promise.Result()
	if err != nil {
		return "", err
	}
	peeked, err := promise.Peek()
	if err != nil {
		return "", err
	}
	if value == nil || peeked == nil || *peeked != *value {
		return "", restate.TerminalErrorf("the promise was resolved, and a peek does not see it")
	}
	return *value, nil
}

// unblockWorkflow fails with code 409 when it was called before.
func unblockWorkflow(ctx restate.WorkflowSharedContext, value string) (restate.Void, error) {
	return restate.Void{}, restate.Promise[string](ctx, workflowPromise).Resolve(value)
}

// getWorkflowState returns null before the run has started.
func getWorkflowState(ctx restate.WorkflowSharedContext, _ restate.Void) (*string, error) {
	return restate.Get[*string](ctx, stateWorkflow)
}
