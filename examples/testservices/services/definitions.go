package services

import restate "github.com/dormouse-run/dormouse/objects"

// Names of the services that others call.
const (
	nameCounter        = "Counter"
	nameListObject     = "ListObject"
	nameHolder         = "AwakeableHolder"
	nameCancelBlocking = "CancelTestBlockingService"
	nameKillSingleton  = "KillTestSingleton"
	nameFailing        = "Failing"
	nameProgram        = "ObjectInterpreterL" // and the layer
	nameProgramHelper  = "ServiceInterpreterHelper"
)

// Definitions returns all services, ready to be given to a runtime. Each call
// makes new ones: the few that count attempts in memory count for one runtime.
func Definitions() []restate.ServiceDefinition {
	definitions := []restate.ServiceDefinition{
		counter(), listObject(), mapObject(),
		awakeableHolder(), failing(),
		proxy(), testUtils(),
		cancelRunner(), cancelBlocking(),
		killRunner(), killSingleton(),
		nonDeterministic(),
		blockAndWait(),
		commandInterpreter(),
		programHelper(), upgradeTest(),
	}
	for layer := range programLayers {
		definitions = append(definitions, programInterpreter(layer))
	}
	return definitions
}
