package httpapi_test

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// TestEveryBadRequestIsRefusedWithWhatToDo is the first table of docs/errors.md.
func TestEveryBadRequestIsRefusedWithWhatToDo(t *testing.T) {
	t.Parallel()
	const unknown = "sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEQ"
	key, name, large := strings.Repeat("k", 1025), strings.Repeat("n", 256), strings.Repeat("1", maxOddBody+1)
	rows := []struct {
		what, method, path, body string
		headers                  []string
		status                   int
		message                  string
	}{
		{"unknown service", "POST", "/Nope/k/double", "1", nil, 404, "/restate/health lists those that are bound"},
		{"unknown handler", "POST", "/Odd/k/Double", "1", nil, 404, "names are case-sensitive, and there is 'double'"},
		{"name of a service over the limit", "POST", "/" + name + "/k/double", "1", nil, 400, "longer than 255 bytes"},
		{"name of a handler over the limit", "POST", "/Odd/k/" + name, "1", nil, 400, "longer than 255 bytes"},
		{"no key", "POST", "/Odd/double", "1", nil, 400, "is addressed by key: /Odd/{key}/{handler}"},
		{"too many segments", "POST", "/Odd/k/double/1", "1", nil, 400, "the path goes on behind the handler"},
		{"key that is not UTF-8", "POST", "/Odd/%ff/double", "1", nil, 400, "not valid UTF-8"},
		{"key over the limit", "POST", "/Odd/" + key + "/double", "1", nil, 400, "longer than 1024 bytes"},
		{"idempotency key over the limit", "POST", "/Odd/k/double", "1", []string{"Idempotency-Key", key}, 400, "longer than 1024 bytes"},
		{"private handler", "POST", "/Odd/k/hidden", "1", nil, 400, "by other handlers only"},
		{"wrong method", "PUT", "/Odd/k/double", "1", nil, 405, "takes GET, POST"},
		{"wrong content type", "POST", "/Odd/k/double", "1", []string{"Content-Type", "text/plain"}, 400, "takes application/json and got text/plain: add -H 'content-type: application/json', or use curl --json"},
		{"no content type", "POST", "/Odd/k/double", "1", []string{"Content-Type", ""}, 400, "takes application/json and got no content type: add -H"},
		{"no body", "POST", "/Odd/k/double", "", []string{"Content-Type", "application/json"}, 400, "the body is empty; this handler needs a JSON input"},
		{"body that nobody takes", "POST", "/Odd/k/nothing", "1", nil, 400, "the body must be empty"},
		{"body over the limit", "POST", "/Odd/k/double", large, nil, 413, "larger than 4096 bytes: store it elsewhere and pass a reference"},
		{"malformed awakeable id", "POST", "/restate/awakeables/nonsense/resolve", "1", nil, 400, `\"sign_1\" followed by 38`},
		{"id of an invocation", "POST", "/restate/awakeables/inv_1NMyOAvDK2CcBjUH4Rmb7eGBp0DNNDnms/resolve", "1", nil, 400, `\"sign_1\" followed by 38`},
		{"foreign awakeable id", "POST", "/restate/awakeables/prom_1NMyOAvDK2CcBjUH4Rmb7eGBp0DNNDnmsAAAAAQ/resolve", "1", nil, 404, "never issued"},
		{"reserved awakeable id", "POST", "/restate/awakeables/sign_1AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAQ/resolve", "1", nil, 400, "reserved"},
		{"awakeable id of nobody", "POST", "/restate/awakeables/" + unknown + "/reject", "1", nil, 404, "no invocation here has issued"},
		{"no verb", "POST", "/restate/awakeables/" + unknown, "1", nil, 400, "/resolve or /reject"},
		{"other verb", "POST", "/restate/awakeables/" + unknown + "/approve", "1", nil, 404, "no such route"},
		{"other method", "GET", "/restate/awakeables/" + unknown + "/resolve", "", nil, 405, "takes POST"},
		{"resolution over the limit", "POST", "/restate/awakeables/" + unknown + "/resolve", large, nil, 413, "larger than 4096 bytes"},
	}
	h, _ := openOdd(t)
	for _, row := range rows {
		r := ask(h.client, row.method, h.ingress+row.path, row.body, row.headers...)
		if r.status != row.status || !strings.Contains(r.body, row.message) {
			t.Errorf("%s: got %v, want %d with %q", row.what, r, row.status, row.message)
		}
		if r.header.Get("X-Restate-Error-Source") != "ingress" || r.header.Get("X-Restate-Id") != "" {
			t.Errorf("%s: the headers say that something was accepted: %v", row.what, r.header)
		}
	}
	if n := h.rt.Stats().Rows; n != 0 {
		t.Errorf("refused requests have stored %d rows", n)
	}
}

func TestABodyThatIsNotHTTPIsRefused(t *testing.T) {
	t.Parallel()
	h, _ := openOdd(t)
	c, err := net.Dial("tcp", strings.TrimPrefix(h.ingress, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(patience))
	_, _ = io.WriteString(c, "POST /Odd/k/double HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n1\r\n0\r\n\r\n")
	answer, err := io.ReadAll(c)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400") || !strings.Contains(string(answer), "the body is not well-formed HTTP") {
		t.Errorf("got %q, %v", answer, err)
	}
}

// TestFailuresOfAnInvocationNameIt is the second table of docs/errors.md.
func TestFailuresOfAnInvocationNameIt(t *testing.T) {
	t.Parallel()
	rows := []struct {
		what, path, body string
		status           int
		message          string
	}{
		{"input of another type", "/Odd/k/double", `"x"`, 400, "decode the input as int"},
		{"input that is no JSON", "/Odd/k/double", `{`, 400, "decode the input as int"},
		{"output over the limit", "/Odd/k/huge", "", 413, "store it elsewhere and pass a reference"},
		{"terminal error", "/Odd/k/refuse", "", 422, "not today"},
	}
	h, _ := openOdd(t)
	for _, row := range rows {
		r := h.call(row.path, row.body)
		if r.status != row.status || !strings.Contains(r.body, row.message) {
			t.Errorf("%s: got %v, want %d with %q", row.what, r, row.status, row.message)
			continue
		}
		id := r.header.Get("X-Restate-Id")
		if r.header.Get("X-Restate-Error-Source") != "invocation" || id == "" {
			t.Errorf("%s: the headers do not name the invocation: %v", row.what, r.header)
		}
		want(t, h.attach(id), row.status, row.message)
	}
}

func TestAResolutionThatDoesNotDecodeNamesIdAndType(t *testing.T) {
	t.Parallel()
	h, l := openOdd(t)
	call := h.later("/Odd/k/number", `"n"`)
	id := l.await(t, "id", "n")
	want(t, h.resolve(id, `"text"`), 202, "")
	r := receive(t, call)
	want(t, r, 400, "decode the value of awakeable "+id+" as int")
	if got := r.header.Get("X-Restate-Error-Source"); got != "invocation" {
		t.Errorf("the source is %q", got)
	}
}

// TestFailedAttemptsAreShownAndRepeated covers what a new build, or the world,
// can mend: the caller waits, and introspection says what is wrong.
func TestFailedAttemptsAreShownAndRepeated(t *testing.T) {
	t.Parallel()
	h, l := openOdd(t)
	rows := []struct{ path, body, message string }{
		{"/Odd/p/panics", `"p"`, "panic: out of cheese"},
		{"/Odd/f/fails", `"f"`, "the printer is on fire"},
		{"/Odd/n/nan", "", "encode the output of type float64"},
	}
	ids := make([]string, len(rows))
	for i, row := range rows {
		ids[i] = h.send(row.path, row.body)
		eventually(t, row.message, func() bool {
			return strings.Contains(h.view(ids[i]), `"last_failure":{"code":500,"message":"`+row.message)
		})
	}
	want(t, h.call("/Odd/other/double", "2"), 200, "4")
	if err := l.write("mended", "all"); err != nil {
		t.Fatal(err)
	}
	for _, id := range ids[:2] {
		want(t, h.attach(id), 200, `"fine"`)
	}
	want(t, ask(h.client, "PATCH", h.admin+"/invocations/"+ids[2]+"/kill", ""), 200, "")
	want(t, h.attach(ids[2]), 409, "killed")
}
