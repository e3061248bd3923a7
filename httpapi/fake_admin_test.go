package httpapi

import (
	"github.com/dormouse-run/dormouse/actors"
	"github.com/dormouse-run/dormouse/objects"
)

func (f *fakeRuntime) ServiceSettings(service string) (objects.Settings, bool) {
	for _, def := range f.Services() {
		if def.Name() == service {
			return def.GetOptions().Resolve(objects.DefaultSettings()), true
		}
	}
	return objects.Settings{}, false
}

func (f *fakeRuntime) Settings(service, handler string) (objects.Settings, bool) {
	for _, def := range f.Services() {
		if def.Name() == service {
			s, bound := objects.SettingsOf(def, objects.DefaultSettings())[handler]
			return s, bound
		}
	}
	return objects.Settings{}, false
}

func (f *fakeRuntime) Stats() actors.Stats { return f.stats }

func (f *fakeRuntime) Metrics() actors.Metrics { return f.metrics }
