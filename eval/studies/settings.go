package studies

import (
	"cmp"
	"fmt"

	"go.yaml.in/yaml/v3"

	"illustrator/configs"
	"illustrator/draw"
	"illustrator/eval/ablation"
	"illustrator/eval/report"
	"illustrator/models/stylegan2"
)

// effective are a variant's settings with all that its file leaves out.
type effective struct {
	Run  *configs.Run `yaml:"run,omitempty"`
	Draw drawSettings `yaml:"draw"`
}

// drawSettings are those of a drawing. Of the fields of ablation.Draw the values here are the ones that are used.
type drawSettings struct {
	Projection    string              `yaml:"projection"`
	Alpha         *float64            `yaml:"alpha,omitempty"`
	TextPrompt    *string             `yaml:"text_prompt,omitempty"`
	ImagePrompt   string              `yaml:"image_prompt,omitempty"`
	Keep          draw.Keep           `yaml:"keep,omitempty"`
	InjectIndex   int                 `yaml:"inject_index"`
	TruncationPsi float64             `yaml:"truncation_psi"`
	NoiseMode     stylegan2.NoiseMode `yaml:"noise_mode"`
	Spread        float64             `yaml:"spread"`
	BestOf        int                 `yaml:"best_of"`
	Refine        int                 `yaml:"refine"`
	Retrieval     any                 `yaml:"retrieval,omitempty"`
	Optimization  any                 `yaml:"optimization,omitempty"`
}

// effective returns the settings of a variant by the study's first seed.
func (s *Study) effective(v ablation.Variant, session *session) (e effective, err error) {
	if s.Train && needsModel(v.Draw) {
		run, err := configs.RunOf(s.Study, v, s.Seeds[0])
		if err != nil {
			return e, err
		}
		e.Run = &run
	}
	plan, err := session.model().Plan(s.drawSpec(v, s.Seeds[0]), draw.DefaultLimits())
	if err != nil {
		return e, nil // its cells fail, and the report says why
	}
	d := v.Draw
	e.Draw = drawSettings{
		Projection: "none", Keep: d.Keep, InjectIndex: plan.InjectIndex, TruncationPsi: plan.TruncationPsi,
		NoiseMode: cmp.Or(plan.NoiseMode, stylegan2.NoiseRandom), Spread: plan.Spread, BestOf: 1, Refine: d.Refine,
	}
	if d.BestOf != nil {
		e.Draw.BestOf = *d.BestOf
	}
	if d.Retrieval != nil {
		e.Draw.Retrieval = d.Retrieval
	}
	if d.Optimization != nil {
		e.Draw.Optimization = d.Optimization
	}
	switch {
	case s.Manipulate:
		e.Draw.Projection, e.Draw.Alpha = "eq. 11", &plan.Alpha
		e.Draw.Keep = cmp.Or(d.Keep, draw.KeepNothing)
	case d.Projection == "":
		e.Draw.Projection, e.Draw.Alpha, e.Draw.TextPrompt = "eq. 3", &plan.Alpha, &session.domain.TextPrompt
		if d.TextPrompt != nil {
			own := s.textPrompt(d)
			e.Draw.TextPrompt = &own
		}
		e.Draw.ImagePrompt = cmp.Or(d.ImagePrompt, "the mapper's")
	}
	return e, nil
}

// settings has a table of the settings in which variants differ, and one of those that all share.
func (s *Study) settings(session *session) (report.Section, error) {
	section := report.Section{Heading: "Settings"}
	variants := s.Variants()
	files := make([][]byte, len(variants))
	for i, v := range variants {
		e, err := s.effective(v, session)
		if err == nil {
			files[i], err = yaml.Marshal(e)
		}
		if err != nil {
			return section, fmt.Errorf("settings of variant %q: %w", v.Name, err)
		}
	}
	all, err := configs.Settings(files...)
	if err != nil {
		return section, err
	}
	differing := report.Table{Name: s.Name + "-settings", Caption: "Settings in which variants differ",
		Columns: []report.Column{{Header: "variant", Align: report.Left}}}
	for _, v := range variants {
		differing.Rows = append(differing.Rows, report.Row{Cells: []report.Cell{report.Text(v.Name)}})
	}
	shared := report.Table{Name: s.Name + "-shared", Caption: "Settings that all variants share",
		Columns: []report.Column{{Header: "setting", Align: report.Left}, {Header: "value", Align: report.Left}}}
	for _, setting := range all {
		switch {
		case !setting.Differ():
			shared.Rows = append(shared.Rows, report.Row{Cells: []report.Cell{report.Text(setting.Key),
				report.Text(cmp.Or(setting.Values[0], "–"))}})
		default:
			differing.Columns = append(differing.Columns, report.Column{Header: setting.Key, Align: report.Left})
			for i, value := range setting.Values {
				differing.Rows[i].Cells = append(differing.Rows[i].Cells, report.Text(cmp.Or(value, "–")))
			}
		}
	}
	if len(differing.Columns) > 1 {
		section.Blocks = append(section.Blocks, differing)
	}
	section.Blocks = append(section.Blocks, shared)
	return section, nil
}
