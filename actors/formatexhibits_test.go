package actors_test

// exhibit is an invocation of a kept directory. Its result is what it ends with
// when its awakeable, if it waits for one, is answered by its name.
type exhibit struct {
	name string
	// path and body are those of its request. A body that begins with @ is the id of
	// another exhibit.
	path, body string
	// status is what the directory says of it.
	status string
	result string
	// late says that it ends behind shelfNap.
	late bool
	// idempotent says that its name is its idempotency key.
	idempotent bool
}

// exhibits returns what is in every kept directory, in the order in which it is
// asked for.
func exhibits() []exhibit {
	return []exhibit{
		{name: "done", path: "/Shelf/done/echo", body: `"well done"`, status: "completed", result: `"well done"`, idempotent: true},
		{name: "refused", path: "/Shelf/done/refuse", status: "completed", result: "not for sale"},
		{name: "small", path: "/Shelf/small/fill", body: `{"Names":3,"Size":20}`, status: "completed", result: "3"},
		{name: "rows", path: "/Shelf/rows/fill", body: `{"Names":2,"Size":5000}`, status: "completed", result: "2"},
		{name: "large", path: "/Shelf/large/fill", body: `{"Names":1,"Size":600000}`, status: "completed", result: "1"},
		{name: "held", path: "/Shelf/held/hold", status: "suspended", result: `"held"`},
		{name: "queued", path: "/Shelf/held/echo", body: `"behind"`, status: "pending", result: `"behind"`},
		{name: "two", path: "/Shelf/two/two", status: "suspended", result: `"two early"`},
		{name: "steps", path: "/Shelf/steps/steps", status: "suspended", result: `"steps after 4780"`},
		{name: "vault", path: "/Vault/open", status: "suspended", result: `"vault"`},
		{name: "caller", path: "/Shelf/caller/ask", body: `"callee"`, status: "suspended", result: `"callee"`},
		{name: "watcher", path: "/Shelf/watcher/watch", body: "@held", status: "suspended", result: `"seen held"`},
		{name: "paused", path: "/Shelf/paused/hold", status: "paused", result: `"paused"`},
		{name: "working", path: "/Shelf/working/work", status: "running", result: `"worked"`},
		{name: "sleeping", path: "/Shelf/sleeping/nap", status: "suspended", result: `"rested"`, late: true},
		{name: "scheduled", path: "/Shelf/scheduled/echo/send?delay=" + shelfNap.String(), body: `"in time"`, status: "scheduled", result: `"in time"`, late: true},
		{name: "stumbling", path: "/Shelf/stumbling/stumble", status: "backing-off", result: `"stands"`, late: true},
		{name: "route", path: "/Route/a/run", body: `"home"`, status: "suspended", result: `"home signed by mole"`},
		{name: "looking", path: "/Route/a/look", status: "suspended", result: `"saw mole"`},
		{name: "over", path: "/Route/b/run", body: `"away"`, status: "completed", result: `"away signed by rat"`},
		{name: "kept", path: "/Kept/echo", body: `"for long"`, status: "completed", result: `"for long"`, idempotent: true},
	}
}

// shelves returns what the state of keys is when all has ended, as Shelf/read
// says it.
func shelves() map[string]string {
	return map[string]string{
		"small": `{"name0":"20 × 0","name1":"20 × 1","name2":"20 × 2"}`,
		"rows":  `{"name0":"5000 × 0","name1":"5000 × 1"}`,
		"large": `{"name0":"600000 × 0"}`,
		"held":  `{"patched":"3 × a"}`, // behind its queue
		"done":  `{}`,
	}
}
