package conformance_test

import (
	"slices"
	"strconv"
	"testing"

	"github.com/dormouse-run/dormouse/examples/testservices/services"
)

func TestCallOrdering_ordering_TFF(t *testing.T) { ordering(t, true, false, false) }
func TestCallOrdering_ordering_FTF(t *testing.T) { ordering(t, false, true, false) }
func TestCallOrdering_ordering_TTF(t *testing.T) { ordering(t, true, true, false) }

// ordering appends 0, 1, 2 to one list from one handler, by sends and calls.
func ordering(t *testing.T, sends ...bool) {
	inModes(t, func(t *testing.T, w *world) {
		key := "list"
		var requests []services.ManyCallRequest
		for i, oneWay := range sends {
			requests = append(requests, services.ManyCallRequest{
				ProxyRequest:  proxied("ListObject", key, "append", strconv.Quote(strconv.Itoa(i))),
				OneWayCall:    oneWay,
				AwaitAtTheEnd: !oneWay,
			})
		}
		callService[none](w, "Proxy", "manyCalls", requests)
		got := call[[]string](w, "ListObject", key, "clear", none{})
		if want := []string{"0", "1", "2"}; !slices.Equal(got, want) {
			t.Errorf("the list is %v, want %v", got, want)
		}
	})
}

// proxied asks the proxy for a handler of an object; message is JSON.
func proxied(service, key, handler, message string) services.ProxyRequest {
	r := services.ProxyRequest{ServiceName: service, VirtualObjectKey: &key, HandlerName: handler}
	for _, b := range []byte(message) {
		r.Message = append(r.Message, int(b))
	}
	return r
}
