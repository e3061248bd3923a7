package wire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"time"
)

// Client is a connection that is kept alive, with just enough HTTP/1.1 to post
// and to read the answer. net/http would cost more processor time than many a
// target. It is not safe for concurrent use.
type Client struct {
	// Host is the address of the server, without a scheme.
	Host string

	conn net.Conn
	in   *bufio.Reader
	out  []byte
	body []byte
}

func (c *Client) dial() error {
	if c.conn != nil {
		return nil
	}
	conn, err := net.DialTimeout("tcp", c.Host, 5*time.Second)
	if err != nil {
		return err
	}
	c.conn, c.in = conn, bufio.NewReaderSize(conn, 8192)
	return nil
}

// Close gives the connection up; the next Post makes another one.
func (c *Client) Close() {
	if c.conn != nil {
		_ = c.conn.Close() // nothing is left to be said on it
		c.conn = nil
	}
}

// Post sends one request and returns status and body. The body is valid until
// the next call. An empty request body has no content type.
func (c *Client) Post(path, body string, timeout time.Duration) (int, []byte, error) {
	if err := c.dial(); err != nil {
		return 0, nil, err
	}
	c.out = appendRequest(c.out[:0], c.Host, path, body)
	status, err := c.exchange(timeout)
	if err != nil {
		c.Close()
	}
	return status, c.body, err
}

func (c *Client) exchange(timeout time.Duration) (int, error) {
	if err := c.conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return 0, err
	}
	if _, err := c.conn.Write(c.out); err != nil {
		return 0, err
	}
	return c.read()
}

func appendRequest(b []byte, host, path, body string) []byte {
	b = append(b, "POST "...)
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	if body != "" {
		b = append(b, "\r\nContent-Type: application/json"...)
	}
	b = append(b, "\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, body...)
}

// read takes one answer from the connection.
func (c *Client) read() (int, error) {
	line, err := c.in.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 12 {
		return 0, fmt.Errorf("bad status line %q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil {
		return 0, fmt.Errorf("bad status line %q: %w", line, err)
	}
	h, err := ReadHeaders(c.in)
	if err != nil {
		return 0, err
	}
	c.body = c.body[:0]
	switch {
	case h.Chunked:
		err = c.readChunks()
	case h.Length > 0:
		err = c.readBody(h.Length)
	case h.Length < 0 && status != 204 && status != 202 && status != 200:
		h.Last = true
	}
	if h.Last {
		c.Close()
	}
	return status, err
}

// Headers is what matters of the headers of a message.
type Headers struct {
	Length  int // of the body; -1 when it is not said
	Chunked bool
	Last    bool // the connection ends after this message
}

// ReadHeaders reads up to the empty line behind the headers.
func ReadHeaders(in *bufio.Reader) (Headers, error) {
	h := Headers{Length: -1}
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return h, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			return h, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			if h.Length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return h, fmt.Errorf("bad header %q: %w", line, err)
			}
		case bytes.EqualFold(name, []byte("connection")):
			h.Last = bytes.Contains(bytes.ToLower(value), []byte("close"))
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			h.Chunked = bytes.Contains(bytes.ToLower(value), []byte("chunked"))
		}
	}
}

func (c *Client) readBody(n int) error {
	off := len(c.body)
	c.body = slices.Grow(c.body, n)[:off+n]
	_, err := io.ReadFull(c.in, c.body[off:])
	return err
}

func (c *Client) readChunks() error {
	for {
		line, err := c.in.ReadSlice('\n')
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(bytes.TrimSpace(line)), 16, 31)
		if err != nil {
			return fmt.Errorf("bad chunk: %w", err)
		}
		off := len(c.body)
		if err := c.readBody(int(n) + len("\r\n")); err != nil {
			return err
		}
		c.body = c.body[:off+int(n)]
		if n == 0 {
			return nil
		}
	}
}
