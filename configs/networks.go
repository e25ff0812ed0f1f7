package configs

import (
	"fmt"

	"illustrator/data/texts"
	"illustrator/models/pipeline"
)

// OpenNetworks reads the domain at ref, as OpenDomain does, and its networks' configurations. It needs no device, so
// that a caller can check all its input before it starts one.
func OpenNetworks(ref string) (*Domain, *pipeline.Networks, error) {
	d, err := OpenDomain(ref)
	if err != nil {
		return nil, nil, err
	}
	if err := d.checkFetched(); err != nil {
		return nil, nil, err
	}
	if err := d.checkPaths(); err != nil {
		return nil, nil, err
	}
	n, err := pipeline.Open(nil, d.Locations())
	if err != nil {
		return nil, nil, fmt.Errorf("domain %s: %w", d.Name, err)
	}
	return d, n, d.CheckNetworks(n)
}

// Texts returns the domain's test descriptions.
func (d *Domain) Texts() ([]texts.Text, error) {
	name, raw, err := d.ReadDescriptions()
	if err != nil {
		return nil, err
	}
	return texts.Parse(name, raw)
}

// Known returns the domain's descriptions, none where it names no file.
func (d *Domain) Known() ([]texts.Text, error) {
	if d.Descriptions == "" {
		return nil, nil
	}
	return d.Texts()
}

// OpenPrompts returns the domain's prompts, which fit its networks; pipeline.Networks.CompletePrompts completes them.
func (d *Domain) OpenPrompts(n *pipeline.Networks) (pipeline.PromptFile, error) {
	name, raw, err := d.ReadPrompts()
	if err != nil {
		return pipeline.PromptFile{}, err
	}
	return pipeline.ParsePrompts(name, raw, n, d.TextPrompt)
}

// Examples returns at most a number of the domain's descriptions, spread over all of them; else its text prompt.
func (d *Domain) Examples(most int) ([]string, error) {
	if d.Descriptions == "" {
		return []string{d.TextPrompt}, nil
	}
	all, err := d.Texts()
	if err != nil {
		return nil, err
	}
	most = min(most, len(all))
	examples := make([]string, most)
	for i := range examples {
		examples[i] = all[i*len(all)/most].Text
	}
	return examples, nil
}
