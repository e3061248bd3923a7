package exampletest

import (
	"fmt"
	"net/http"
	"strings"
)

// curl is what a curl line says.
type curl struct {
	method, url, body string
	headers           []string // pairs
	include           bool     // -i
	posts             bool     // it has a body
}

// parseCurl understands what the stories use of curl, and nothing else.
func parseCurl(line string) (curl, error) {
	words, err := words(line)
	if err != nil {
		return curl{}, err
	}
	c := curl{}
	for i := 1; i < len(words); i++ {
		switch words[i] {
		case "-s", "--retry-connrefused": // the program serves when Start returns
		case "-i", "-si":
			c.include = true
		case "-X", "-H", "-d", "--json", "--retry":
			if i++; i == len(words) {
				return curl{}, fmt.Errorf("%s has no value", words[i-1])
			}
			c.option(words[i-1], words[i])
		default:
			if strings.HasPrefix(words[i], "-") || c.url != "" {
				return curl{}, fmt.Errorf("%q is not understood", words[i])
			}
			c.url = words[i]
		}
	}
	switch {
	case c.method != "":
	case c.posts:
		c.method = http.MethodPost
	default:
		c.method = http.MethodGet
	}
	return c, nil
}

func (c *curl) option(name, value string) {
	switch name {
	case "-X":
		c.method = value
	case "-H":
		key, v, _ := strings.Cut(value, ":")
		c.headers = append(c.headers, key, strings.TrimSpace(v))
	case "-d":
		c.posts, c.body = true, value
		c.headers = append([]string{"Content-Type", "application/x-www-form-urlencoded"}, c.headers...)
	case "--json":
		c.posts, c.body = true, value
		c.headers = append([]string{"Content-Type", "application/json"}, c.headers...)
	}
}

// words splits a line as a shell does, with single and double quotes.
func words(line string) ([]string, error) {
	var list []string
	var word strings.Builder
	quote, inside := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ':
			if inside {
				list = append(list, word.String())
			}
			word.Reset()
			inside = false
		default:
			word.WriteRune(r)
			inside = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("a quote is not closed")
	}
	if inside {
		list = append(list, word.String())
	}
	return list, nil
}
