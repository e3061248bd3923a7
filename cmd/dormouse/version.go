package main

import (
	"context"
	"flag"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/dormouse-run/dormouse/persistence"
)

const versionArgs = ""

// version says which build this is.
func version(_ context.Context, c console, args []string) (status int) {
	if _, err := parse(flag.NewFlagSet("version", flag.ContinueOnError), c, versionArgs, args, 0); err != nil {
		return statusOf(c, "version", err)
	}
	out := teller{w: c.out}
	info, _ := debug.ReadBuildInfo()
	out.line("%s", describeBuild(info))
	return statusOf(c, "version", out.err)
}

// describeBuild says what is known of a build, which may be nothing.
func describeBuild(info *debug.BuildInfo) string {
	parts := []string{"dormouse of an unknown version"}
	if info != nil {
		if info.Main.Version != "" {
			parts[0] = "dormouse " + info.Main.Version
		}
		revision, changed := "without a revision", ""
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				revision = "revision " + s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = " with changes"
			}
		}
		parts = append(parts, revision+changed, info.GoVersion)
	}
	return strings.Join(append(parts, fmt.Sprintf("data format %d", persistence.DataFormat)), ", ")
}
