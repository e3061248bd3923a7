package httpapi

import (
	"context"
	"io"

	"github.com/dormouse-run/dormouse/persistence"
)

func (f *fakeRuntime) Backup(ctx context.Context, w io.Writer) (persistence.BackupInfo, error) {
	if f.backup == nil {
		_, err := io.WriteString(w, "a backup")
		return persistence.BackupInfo{}, err
	}
	return persistence.BackupInfo{}, f.backup(ctx, w)
}
