package main

import (
	"illustrator/cmd/worlds/caption"
	"illustrator/cmd/worlds/chapel"
	"illustrator/cmd/worlds/lorelei"
	"illustrator/cmd/worlds/scene"
	"illustrator/cmd/worlds/whiskers"
	"illustrator/cmd/worlds/world"
	"illustrator/configs"
)

// domains are the embedded domains.
var domains = []domain{
	judged(lorelei.Domain{}, "A person.", "embedded:lorelei"),
	judged(chapel.Domain{}, "A church.", ""),
	judged(whiskers.Domain{}, "A cat.", ""),
}

// judged returns a domain with captions that differ from the descriptions that it is judged by.
func judged(d scene.Domain, textPrompt, existing string) domain {
	descriptions, file, err := configs.EmbeddedDescriptions(d.Name())
	if err != nil {
		panic(err) // the program embeds them; a test reads them
	}
	var kept []string
	for _, description := range descriptions {
		kept = append(kept, description.Text)
	}
	return domain{caption.Without(d, kept), world.File{TextPrompt: textPrompt, Existing: existing, Descriptions: file}}
}
