package httpapi_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"
)

// never is the time at which an operation ends of which nobody knows whether it
// has ended, and whether it has begun. One that never happens stands behind all
// others, where it disturbs nobody.
const never = math.MaxInt64

// outcome is what a client was told of an operation.
type outcome struct {
	known bool
	text  string
}

// event is one operation in the history of a slate.
type event struct {
	order order
	out   outcome
	// call is when it was first asked for, end when its result was known.
	call, end int64
	// accepted is when its acceptance was first acknowledged, never if it was not.
	accepted int64
}

// slateModel says what a slate is: one text, and operations that happen one after
// the other, each at a moment between its call and its end.
//
// For exclusive handlers that moment is the whole handler: none of them sees
// another one between its two writes. A shared handler promises less and is judged
// by less: each single read of state happens at one moment between call and end,
// also in the middle of an exclusive handler. So a look counts as a read of the
// name that is written last, where all operations take effect. It may read what is
// not durable, but is answered only when it is: a look that was answered is a read
// like any other, and no kill takes back what it saw.
func slateModel() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			next, answer := obey(input.(order), state.(string))
			out := output.(outcome)
			return !out.known || out.text == answer, next
		},
		DescribeOperation: func(input, output any) string {
			o, out := input.(order), output.(outcome)
			text := "?"
			if out.known {
				text = fmt.Sprintf("%q", out.text)
			}
			return fmt.Sprintf("%s %s(%q, %q) = %s", o.ID, o.Kind, o.Old, o.New, text)
		},
	}
}

// verdict is what the checker says of one slate.
type verdict struct {
	result porcupine.CheckResult
	// picture is the path of a page that shows the history, when it is not good.
	picture string
}

// judge checks the history of one slate within a time. A picture of a bad one is
// left in dir.
func judge(dir, key string, history []event, limit time.Duration) (verdict, error) {
	model, ops := slateModel(), operations(history)
	v := verdict{result: porcupine.CheckOperationsTimeout(model, ops, limit)}
	if v.result == porcupine.Ok {
		return v, nil
	}
	_, info := porcupine.CheckOperationsVerbose(model, ops, limit)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return v, err
	}
	v.picture = filepath.Join(dir, key+".html")
	return v, porcupine.VisualizePath(model, info, v.picture)
}

// operations are a history as the checker wants it. A read that nobody knows the
// result of says nothing, and is left out. Operations that overlap are in different
// rows of the picture.
func operations(history []event) (ops []porcupine.Operation) {
	history = slices.Clone(history)
	slices.SortFunc(history, func(a, b event) int { return int(a.call - b.call) })
	var rows []int64 // when the last operation of each ends
	for _, e := range history {
		if !e.out.known && (e.order.Kind == kindRead || e.order.Kind == kindLook) {
			continue
		}
		row := slices.IndexFunc(rows, func(end int64) bool { return end < e.call })
		if row < 0 {
			row, rows = len(rows), append(rows, 0)
		}
		rows[row] = e.end
		ops = append(ops, porcupine.Operation{ClientId: row, Input: e.order, Call: e.call, Output: e.out, Return: e.end})
	}
	return ops
}
