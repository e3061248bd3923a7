package actors

// SetTrace makes a runtime tell f of every point that is passed.
func SetTrace(o *Options, f func(Point)) { o.trace = f }
