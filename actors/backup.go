package actors

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/dormouse-run/dormouse/persistence"
)

// Backup writes one consistent snapshot of everything that is durable now to w,
// while the runtime goes on; see persistence.Store. Everything that was answered
// before the call is in it. Its error wraps persistence.ErrBackupUnderWay when
// another one is being taken, ErrStopped when the store is closed, and else that
// of the store or of w; what w holds is no backup then. Close waits for it, so a w
// that may block must not do so for ever.
func (rt *Runtime) Backup(ctx context.Context, w io.Writer) (persistence.BackupInfo, error) {
	info, err := rt.options.Store.Backup(ctx, w)
	if errors.Is(err, persistence.ErrClosed) {
		err = fmt.Errorf("%w: %w", ErrStopped, err)
	}
	return info, err
}
