package actors_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	restate "github.com/dormouse-run/dormouse/objects"
)

// sheetRows is how many values a patch has: more than one output writes.
const sheetRows = 700

// sheets returns an object whose state comes from patches.
func (w *childWorld) sheets() restate.ServiceDefinition {
	return restate.NewObject("Sheet", restate.WithInactivityTimeout(5*time.Millisecond)).
		Handler("take", restate.NewObjectHandler(w.takeSheet)).
		Handler("hold", restate.NewObjectHandler(w.holdSheet))
}

// takeSheet counts from which patches the values are.
func (w *childWorld) takeSheet(ctx restate.ObjectContext, _ restate.Void) (map[string]int, error) {
	defer w.enter("Sheet/" + restate.Key(ctx))()
	keys, err := restate.Keys(ctx)
	if err != nil {
		return nil, err
	}
	seen := map[string]int{}
	for _, k := range keys {
		v, err := restate.Get[[]byte](ctx, k, restate.WithBinary)
		if err != nil {
			return nil, err
		}
		seen[strings.TrimSpace(string(v))]++
	}
	return seen, nil
}

// holdSheet holds the key, and complains when the state changes meanwhile.
func (w *childWorld) holdSheet(ctx restate.ObjectContext, _ restate.Void) (restate.Void, error) {
	before, err := w.sample(ctx)
	if err != nil {
		return restate.Void{}, err
	}
	if err := restate.Sleep(ctx, 30*time.Millisecond); err != nil {
		return restate.Void{}, err
	}
	after, err := w.sample(ctx)
	if err == nil && before != after {
		err = restate.ToTerminalError(w.post(ctx, "/wrong", fmt.Sprintf("the state of Sheet/%s changed from %q to %q under its holder", restate.Key(ctx), before, after)))
	}
	return restate.Void{}, err
}

func (w *childWorld) sample(ctx restate.ObjectContext) (string, error) {
	v, err := restate.Get[[]byte](ctx, fmt.Sprint("row", sheetRows-1), restate.WithBinary)
	return string(v), err
}

// patch replaces the state of a sheet, now and then while its key is held, and
// looks at it with what queues behind the patch.
func (c *killClients) patch(id string) {
	token := c.key()
	if c.next.Load()%2 == 0 {
		c.do("/Sheet/"+id+"/hold/send", token+"-hold", "", http.StatusAccepted)
	}
	value := func(size int) string {
		return strings.Trim(strings.ReplaceAll(fmt.Sprint([]byte(fmt.Sprintf("%-*s", size, token))), " ", ","), "[]")
	}
	rows, row := sheetRows, value(100)
	var body strings.Builder
	fmt.Fprintf(&body, `{"object_key":%q,"new_state":{`, id)
	for i := range sheetRows {
		fmt.Fprintf(&body, `"row%d":[%s],`, i, row)
	}
	if c.next.Load()%4 < 2 { // the patch and a value of it are stored in chunks
		rows++
		fmt.Fprintf(&body, `"big":[%s],`, value(300<<10))
	}
	state := strings.TrimSuffix(body.String(), ",") + "}}"
	c.until(killAsk{method: http.MethodPost, url: c.admin + "/services/Sheet/state", body: state}, http.StatusAccepted)
	answer := c.do("/Sheet/"+id+"/take", token+"-take", "", http.StatusOK)
	if want := fmt.Sprintf(`{%q:%d}`, token, rows); string(answer) != want && answer != nil {
		c.complain("behind the patch %s the state of %s is %.300s", token, id, answer)
	}
	c.note("patches")
}
