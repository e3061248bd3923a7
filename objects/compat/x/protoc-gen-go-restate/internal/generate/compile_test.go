package generate_test

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/pluginpb"

	"github.com/restatedev/sdk-go/x/protoc-gen-go-restate/internal/generate"
)

var rewrite = flag.Bool("rewrite", false, "write the expected files anew")

// protos are .proto files by path.
type protos map[string]string

// options of proto/dev/restate/sdk/go.proto.
const optionsPath = "dev/restate/sdk/go.proto"

func withOptions(t *testing.T, path, text string) protos {
	return protos{optionsPath: read(t, "../../proto", optionsPath), path: text}
}

// request compiles a file and returns what protoc would send to a plugin.
func (p protos) request(t *testing.T, path, parameter string) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(p)}),
		SourceInfoMode: protocompile.SourceInfoStandard,
	}
	compiled, err := compiler.Compile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	r := &pluginpb.CodeGeneratorRequest{FileToGenerate: []string{path}, Parameter: proto.String(parameter)}
	seen := map[string]bool{}
	var add func(f protoreflect.FileDescriptor)
	add = func(f protoreflect.FileDescriptor) {
		if seen[f.Path()] {
			return
		}
		seen[f.Path()] = true
		for i := range f.Imports().Len() {
			add(f.Imports().Get(i).FileDescriptor)
		}
		r.ProtoFile = append(r.ProtoFile, bare(t, protoutil.ProtoFromFileDescriptor(f)))
	}
	add(compiled[0])
	return r
}

// bare returns f as a plugin sees it: options that it does not know are bytes.
func bare(t *testing.T, f *descriptorpb.FileDescriptorProto) *descriptorpb.FileDescriptorProto {
	t.Helper()
	b, err := proto.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	plain := &descriptorpb.FileDescriptorProto{}
	if err := proto.Unmarshal(b, plain); err != nil {
		t.Fatal(err)
	}
	return plain
}

// generated runs this plugin and returns its only file.
func generated(t *testing.T, r *pluginpb.CodeGeneratorRequest) (string, error) {
	t.Helper()
	plugin, err := protogen.Options{}.New(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := generate.Files(plugin); err != nil {
		return "", err
	}
	return only(t, plugin.Response()), nil
}

func only(t *testing.T, r *pluginpb.CodeGeneratorResponse) string {
	t.Helper()
	if r.Error != nil || len(r.File) != 1 {
		t.Fatalf("%d files, error %q", len(r.File), r.GetError())
	}
	return r.File[0].GetContent()
}

// messages runs protoc-gen-go, which writes the types of the messages.
func messages(t *testing.T, r *pluginpb.CodeGeneratorRequest) string {
	t.Helper()
	in, err := proto.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "go", "run", "google.golang.org/protobuf/cmd/protoc-gen-go")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("protoc-gen-go: %v\n%s", err, errs.String())
	}
	response := &pluginpb.CodeGeneratorResponse{}
	if err := proto.Unmarshal(out, response); err != nil {
		t.Fatal(err)
	}
	return only(t, response)
}

// expect compares text with a file, or writes the file with -rewrite.
func expect(t *testing.T, text, path string) {
	t.Helper()
	if *rewrite {
		write(t, text, path)
		return
	}
	if want := read(t, path); text != want {
		t.Errorf("%s is not what is generated; -rewrite writes it anew, then read the difference. Generated is\n%s", path, text)
	}
}

func read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, text string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// service is a request for a service of a type, with methods. The type AGENT is
// one that a later version may have.
func service(t *testing.T, typ, methods string) *pluginpb.CodeGeneratorRequest {
	t.Helper()
	files := withOptions(t, "s.proto", `syntax = "proto3";
package x;
import "dev/restate/sdk/go.proto";
option go_package = "example.com/x";
message M {}
service S { option (dev.restate.sdk.go.service_type) = `+typ+"; "+methods+" }\n")
	files[optionsPath] = strings.Replace(files[optionsPath], "WORKFLOW = 2;", "WORKFLOW = 2; AGENT = 3;", 1)
	return files.request(t, "s.proto", "")
}
