package objects

import "strings"

// userFrames cuts the text of a stack, taken where a panic was recovered, to the
// frames of the user: from behind the panic to where this package has called
// the handler or the closure. A stack of another shape is returned whole.
func userFrames(stack string) string {
	head, rest, _ := strings.Cut(stack, "\n")
	lines := strings.Split(rest, "\n") // a frame is two lines: function, place
	first := 0
	for i := 0; i+1 < len(lines); i += 2 {
		if strings.HasPrefix(lines[i], "panic(") || first == i && first > 0 && strings.HasPrefix(lines[i], "runtime.") {
			first = i + 2
		}
	}
	last := first
	for last+1 < len(lines) && !callsUser(lines[last]) {
		last += 2
	}
	if first == 0 || last == first || last+1 >= len(lines) {
		return stack
	}
	return head + "\n" + strings.Join(lines[first:last], "\n") + "\n"
}

// callsUser reports whether a frame is one in which this package calls code of
// the user.
func callsUser(frame string) bool {
	_, name, ours := strings.Cut(frame, "dormouse/objects.")
	if !ours {
		return false
	}
	for _, caller := range [...]string{
		"NewServiceHandler[", "NewObjectHandler[", "NewObjectSharedHandler[", "NewWorkflowHandler[", "NewWorkflowSharedHandler[",
		"caller[", "method.", "RunAsync[", "RunVoid",
	} {
		if strings.HasPrefix(name, caller) {
			return true
		}
	}
	return false
}
