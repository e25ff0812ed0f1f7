package main

import (
	"illustrator/cmd/worlds/chapel"
	"illustrator/cmd/worlds/lorelei"
)

// domains are the embedded domains.
var domains = []domain{
	{lorelei.Domain{}, "A person.", "embedded:lorelei"},
	{chapel.Domain{}, "A church.", ""},
}
