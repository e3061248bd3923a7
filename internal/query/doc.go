// Package query answers questions about many rows: which invocations there are,
// newest first, those that are suspended, those of a key.
//
// A question is asked of one snapshot (persistence.Reader) and answered with a
// Page: some items, and a cursor from which the next page goes on. A page costs
// about the same whatever the store holds. It looks at a bounded number of rows,
// or for a bounded time, and then answers with what it has; the cursor says how
// far it came, so an empty page with a cursor is a valid answer, and whoever
// follows the cursors sees everything.
//
// # Common ground
//
//	Budget   how much a page may still look at
//	Merge    many ranges of rows as one, in order, in both directions
//	Cursor   the text between two pages: it knows its list and its filter
//	Page     what an answer is made of
//
// # Invocations
//
// They are listed in the order of their creation, newest or oldest first: by
// birth, which grows with time over the whole store. The filter decides which
// rows are walked to find them:
//
//	idempotency_key with service, handler     the id is computed: one read
//	  (and key)
//	key                                       ids of one key begin with the same
//	                                          eight bytes, so they lie side by side
//	status without completed                  the status index, the active set, the
//	                                          queues: whichever list these statuses
//	everything else                           all records, in order of creation
//
// The second way, and the queues, are in another order than that of creation, so
// their births are gathered first and sorted. When they do not fit 2,000 rows, the
// records are walked instead. The bound of time at which a list begins becomes a
// bound of birth by a binary search, and the list ends with the first record far
// enough behind the other one. All other filters are looked at record by record.
//
// The cursor is a birth, whichever way a page was found. So the way may change
// from page to page and nothing is seen twice or left out. What is created or
// removed between two pages may be seen or not; what was there all the time is
// seen once.
//
// # Keys, awakeables, promises
//
// Keys of a service are walked in their order over all partitions, through the
// listing; orders by queue or age look at everybody who may hold a key, through
// the active set and the status index. Awakeables have no rows before they are
// answered: they are derived from the invocations that may have one, partition by
// partition, and from what attempts in memory say (Live). Promises are walked key by
// key. One key (ReadKey) is read by bounds of its own.
//
// # What must not be here
//
// No store is opened, no goroutine started, no clock read but the one that is
// passed in. Whether an invocation is running is known to the process that runs
// it, and is asked through Live.
package query
