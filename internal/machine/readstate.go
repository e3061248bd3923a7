package machine

// readState answers an attempt that does not hold the state itself.
func (t *transition) readState(ev *ReadState) []Need {
	if t.attempt(ev.Birth, ev.Epoch) == nil {
		t.now(&StopAttempt{Birth: ev.Birth, Epoch: ev.Epoch, Reason: StopKilled})
		return nil
	}
	effect := &StateRead{Birth: ev.Birth, Epoch: ev.Epoch, Name: ev.Name}
	if ev.Keys {
		if needs := t.state.needNames(); needs != nil {
			return needs
		}
		effect.Keys = t.state.names()
	} else {
		if needs := t.state.need(ev.Name); needs != nil {
			return needs
		}
		effect.Value, effect.Found = t.state.get(ev.Name)
	}
	t.now(effect)
	return nil
}
