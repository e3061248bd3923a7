package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

// operation makes the requests of one client.
type operation struct {
	workload, prefix string
	keys             int
	rng              *rand.Rand
	// run, client and seq make a token that no other wait has.
	run    string
	client int
	seq    int
}

func known(workload string) error {
	switch workload {
	case "echo", "call", "hot", "steps", "send", "awk":
		return nil
	default:
		return fmt.Errorf("unknown workload %q", workload)
	}
}

// next returns path and body of the next request.
func (o *operation) next() (path, body string) {
	key := strconv.Itoa(o.rng.IntN(o.keys))
	switch o.workload {
	case "echo":
		return "/Counter/" + key + "/add", "1"
	case "hot":
		return "/Counter/hot/add", "1"
	case "steps":
		return "/Steps/k" + o.prefix + key + "/run10", "1"
	case "send":
		return "/Counter/k" + o.prefix + key + "/add/send", "1"
	case "awk":
		o.seq++
		token := o.run + "-" + strconv.Itoa(o.client) + "-" + strconv.Itoa(o.seq)
		return "/Waiter/w" + token + "/wait", `"` + token + `"`
	default:
		return "/Counter/k" + o.prefix + key + "/add", "1"
	}
}
