package journal

import "fmt"

// Type is the code of an entry in the service protocol. The values are stored.
type Type uint16

// Commands.
const (
	TypeInput             Type = 0x0400
	TypeOutput            Type = 0x0401
	TypeGetLazyState      Type = 0x0402
	TypeSetState          Type = 0x0403
	TypeClearState        Type = 0x0404
	TypeClearAllState     Type = 0x0405
	TypeGetLazyStateKeys  Type = 0x0406
	TypeGetEagerState     Type = 0x0407
	TypeGetEagerStateKeys Type = 0x0408
	TypeGetPromise        Type = 0x0409
	TypePeekPromise       Type = 0x040A
	TypeCompletePromise   Type = 0x040B
	TypeSleep             Type = 0x040C
	TypeCall              Type = 0x040D
	TypeOneWayCall        Type = 0x040E
	TypeSendSignal        Type = 0x0410
	TypeRun               Type = 0x0411
	TypeAttachInvocation  Type = 0x0412
	TypeGetOutput         Type = 0x0413
	TypeCompleteAwakeable Type = 0x0414
)

// Notifications. TypeCallInvocationID answers a Call and a OneWayCall.
const (
	TypeLazyStateCompletion       Type = 0x8002
	TypeLazyStateKeysCompletion   Type = 0x8006
	TypeGetPromiseCompletion      Type = 0x8009
	TypePeekPromiseCompletion     Type = 0x800A
	TypeCompletePromiseCompletion Type = 0x800B
	TypeSleepCompletion           Type = 0x800C
	TypeCallCompletion            Type = 0x800D
	TypeCallInvocationID          Type = 0x800E
	TypeRunCompletion             Type = 0x8011
	TypeAttachCompletion          Type = 0x8012
	TypeGetOutputCompletion       Type = 0x8013
	TypeSignal                    Type = 0xFBFF
)

// IsCommand reports whether t is the code of a command, known or not.
func (t Type) IsCommand() bool { return t>>8 == 0x04 }

// IsNotification reports whether t is the code of a completion or a signal.
func (t Type) IsNotification() bool { return t>>8 == 0x80 || t == TypeSignal }

// String returns the name used in introspection and in mismatch reports.
func (t Type) String() string {
	switch t {
	case TypeInput:
		return "Input"
	case TypeOutput:
		return "Output"
	case TypeGetLazyState:
		return "GetLazyState"
	case TypeSetState:
		return "SetState"
	case TypeClearState:
		return "ClearState"
	case TypeClearAllState:
		return "ClearAllState"
	case TypeGetLazyStateKeys:
		return "GetLazyStateKeys"
	case TypeGetEagerState:
		return "GetEagerState"
	case TypeGetEagerStateKeys:
		return "GetEagerStateKeys"
	case TypeGetPromise:
		return "GetPromise"
	case TypePeekPromise:
		return "PeekPromise"
	case TypeCompletePromise:
		return "CompletePromise"
	case TypeSleep:
		return "Sleep"
	case TypeCall:
		return "Call"
	case TypeOneWayCall:
		return "OneWayCall"
	case TypeSendSignal:
		return "SendSignal"
	case TypeRun:
		return "Run"
	case TypeAttachInvocation:
		return "AttachInvocation"
	case TypeGetOutput:
		return "GetInvocationOutput"
	case TypeCompleteAwakeable:
		return "CompleteAwakeable"
	default:
		return t.notificationName()
	}
}

func (t Type) notificationName() string {
	switch t {
	case TypeLazyStateCompletion:
		return "GetLazyStateCompletion"
	case TypeLazyStateKeysCompletion:
		return "GetLazyStateKeysCompletion"
	case TypeGetPromiseCompletion:
		return "GetPromiseCompletion"
	case TypePeekPromiseCompletion:
		return "PeekPromiseCompletion"
	case TypeCompletePromiseCompletion:
		return "CompletePromiseCompletion"
	case TypeSleepCompletion:
		return "SleepCompletion"
	case TypeCallCompletion:
		return "CallCompletion"
	case TypeCallInvocationID:
		return "CallInvocationId"
	case TypeRunCompletion:
		return "RunCompletion"
	case TypeAttachCompletion:
		return "AttachInvocationCompletion"
	case TypeGetOutputCompletion:
		return "GetInvocationOutputCompletion"
	case TypeSignal:
		return "Signal"
	default:
		return fmt.Sprintf("unknown(0x%04X)", uint16(t))
	}
}
