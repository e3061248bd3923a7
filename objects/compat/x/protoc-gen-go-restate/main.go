// Command protoc-gen-go-restate is a plugin of protoc and buf. For the services
// of a .proto file it generates what a program for Restate's Go SDK needs: the
// interface that handlers implement, a definition to bind, and clients with the
// types of the messages.
//
//	protoc --go_out=. --go_opt=paths=source_relative \
//	  --go-restate_out=. --go-restate_opt=paths=source_relative shop.proto
//
// A service is a plain one unless it says otherwise, with the options of
// proto/dev/restate/sdk/go.proto:
//
//	import "dev/restate/sdk/go.proto";
//
//	service Stock {
//	  option (dev.restate.sdk.go.service_type) = VIRTUAL_OBJECT;
//	  rpc Take(TakeRequest) returns (TakeResponse);
//	  rpc Look(LookRequest) returns (LookResponse) {
//	    option (dev.restate.sdk.go.handler_type) = SHARED;
//	  }
//	}
package main

import (
	"google.golang.org/protobuf/compiler/protogen"

	"github.com/restatedev/sdk-go/x/protoc-gen-go-restate/internal/generate"
)

func main() { protogen.Options{}.Run(generate.Files) }
