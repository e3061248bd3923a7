package journal

// Type implements Command.
func (*Input) Type() Type { return TypeInput }

// Type implements Command.
func (*Output) Type() Type { return TypeOutput }

// Type implements Command.
func (*GetLazyState) Type() Type { return TypeGetLazyState }

// Type implements Command.
func (*SetState) Type() Type { return TypeSetState }

// Type implements Command.
func (*ClearState) Type() Type { return TypeClearState }

// Type implements Command.
func (*ClearAllState) Type() Type { return TypeClearAllState }

// Type implements Command.
func (*GetLazyStateKeys) Type() Type { return TypeGetLazyStateKeys }

// Type implements Command.
func (*GetEagerState) Type() Type { return TypeGetEagerState }

// Type implements Command.
func (*GetEagerStateKeys) Type() Type { return TypeGetEagerStateKeys }

// Type implements Command.
func (*GetPromise) Type() Type { return TypeGetPromise }

// Type implements Command.
func (*PeekPromise) Type() Type { return TypePeekPromise }

// Type implements Command.
func (*CompletePromise) Type() Type { return TypeCompletePromise }

// Type implements Command.
func (*Sleep) Type() Type { return TypeSleep }

// Type implements Command.
func (*Call) Type() Type { return TypeCall }

// Type implements Command.
func (*OneWayCall) Type() Type { return TypeOneWayCall }

// Type implements Command.
func (*SendSignal) Type() Type { return TypeSendSignal }

// Type implements Command.
func (*Run) Type() Type { return TypeRun }

// Type implements Command.
func (*AttachInvocation) Type() Type { return TypeAttachInvocation }

// Type implements Command.
func (*GetOutput) Type() Type { return TypeGetOutput }

// Type implements Command.
func (*CompleteAwakeable) Type() Type { return TypeCompleteAwakeable }

// EntryName implements Command.
func (c *Input) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *Output) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *GetLazyState) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *SetState) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *ClearState) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *ClearAllState) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *GetLazyStateKeys) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *GetEagerState) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *GetEagerStateKeys) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *GetPromise) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *PeekPromise) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *CompletePromise) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *Sleep) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *Call) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *OneWayCall) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *SendSignal) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *Run) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *AttachInvocation) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *GetOutput) EntryName() string { return c.Name }

// EntryName implements Command.
func (c *CompleteAwakeable) EntryName() string { return c.Name }
