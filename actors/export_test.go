package actors

// SetTrace makes a runtime tell f of every point that is passed.
func SetTrace(o *Options, f func(Point)) { o.trace = f }

// Points returns every point.
func Points() []Point {
	all := make([]Point, 0, pointEnd-1)
	for p := PointApplied; p < pointEnd; p++ {
		all = append(all, p)
	}
	return all
}
