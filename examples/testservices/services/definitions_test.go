package services_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
)

// contract lists services, their types and their handlers, as the suite calls
// them.
const contract = `
AwakeableHolder VIRTUAL_OBJECT hasAwakeable hold unlock
BlockAndWaitWorkflow WORKFLOW getState run unblock
CancelTestBlockingService VIRTUAL_OBJECT block isUnlocked
CancelTestRunner VIRTUAL_OBJECT startTest verifyTest
Counter VIRTUAL_OBJECT add addThenFail get reset
Failing VIRTUAL_OBJECT callTerminallyFailingCall failingCallWithEventualSuccess sideEffectFailsAfterGivenAttempts sideEffectSucceedsAfterGivenAttempts terminallyFailingCall terminallyFailingSideEffect
KillTestRunner VIRTUAL_OBJECT startCallTree
KillTestSingleton VIRTUAL_OBJECT isUnlocked recursiveCall
ListObject VIRTUAL_OBJECT append clear get
MapObject VIRTUAL_OBJECT clearAll get set
NonDeterministic VIRTUAL_OBJECT backgroundInvokeWithDifferentTargets callDifferentMethod eitherSleepOrCall setDifferentKey
ObjectInterpreterL0 VIRTUAL_OBJECT counter interpret
ObjectInterpreterL1 VIRTUAL_OBJECT counter interpret
ObjectInterpreterL2 VIRTUAL_OBJECT counter interpret
Proxy SERVICE call manyCalls oneWayCall
ServiceInterpreterHelper SERVICE echo echoLater incrementIndirectly incrementViaAwakeableDance ping rejectAwakeable resolveAwakeable terminalFailure
TestUtilsService SERVICE cancelInvocation countExecutedSideEffects echo echoHeaders getEnvVariable rawEcho rejectSignal resolveSignal sleepConcurrently uppercaseEcho
UpgradeTest SERVICE executeComplex executeSimple
VirtualObjectCommandInterpreter VIRTUAL_OBJECT getResults hasAwakeable interpretCommands rejectAwakeable resolveAwakeable
`

func TestNamesAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	var got []string
	for _, def := range services.Definitions() {
		handlers := slices.Sorted(maps.Keys(def.Handlers()))
		got = append(got, fmt.Sprintf("%s %s %s", def.Name(), def.Type(), strings.Join(handlers, " ")))
	}
	slices.Sort(got)
	want := strings.Split(strings.TrimSpace(contract), "\n")
	if !slices.Equal(got, want) {
		t.Errorf("the services are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestEveryProgramCommandHasAName(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for c := services.SetState; c <= services.CallNextLayerObject; c++ {
		names[c.String()] = true
	}
	if len(names) != 19 || services.CallNextLayerObject.String() != "CallNextLayerObject" || services.ProgramCommand(20).String() != "command 20" {
		t.Errorf("the names are %v", names)
	}
}
