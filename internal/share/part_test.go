package share

import (
	"strings"
	"testing"

	"illustrator/internal/fault"
)

func TestPart(t *testing.T) {
	slurm := func(id, first, last, count string) map[string]string {
		return map[string]string{"SLURM_ARRAY_TASK_ID": id, "SLURM_ARRAY_TASK_MIN": first, "SLURM_ARRAY_TASK_MAX": last,
			"SLURM_ARRAY_TASK_COUNT": count}
	}
	kubernetes := func(index string) map[string]string { return map[string]string{"JOB_COMPLETION_INDEX": index} }
	for _, c := range []struct {
		text string
		env  map[string]string
		want Part
		err  string // part of the error or hint
	}{
		{"3/8", nil, Part{3, 8}, ""},
		{"1/1", nil, Part{1, 1}, ""},
		{"0/8", nil, Part{}, "K from 1 to N"},
		{"9/8", nil, Part{}, "K from 1 to N"},
		{"3", nil, Part{}, "K from 1 to N"},
		{"", nil, Part{}, "K from 1 to N"},
		{"auto", nil, Part{}, "neither SLURM_ARRAY_TASK_ID"},
		{"auto", slurm("1", "1", "8", "8"), Part{1, 8}, ""},
		{"auto", slurm("8", "1", "8", "8"), Part{8, 8}, ""},
		{"auto", slurm("0", "0", "7", "8"), Part{1, 8}, ""},
		{"auto/8", slurm("7", "0", "7", "8"), Part{8, 8}, ""},
		{"auto/9", slurm("7", "0", "7", "8"), Part{}, "the array has 8 tasks"},
		{"auto", slurm("3", "3", "3", "1"), Part{}, "numbered from 3 to 3"},
		{"auto", slurm("1", "1", "5", "3"), Part{}, "numbered from 1 to 5"},
		{"auto", slurm("x", "1", "5", "5"), Part{}, `SLURM_ARRAY_TASK_ID is "x"`},
		{"auto/8", kubernetes("0"), Part{1, 8}, ""},
		{"auto/8", kubernetes("7"), Part{8, 8}, ""},
		{"auto/8", kubernetes("8"), Part{}, "task 9 of 8"},
		{"auto", kubernetes("0"), Part{}, "write auto/N"},
		{"auto/x", kubernetes("0"), Part{}, "auto/N"},
	} {
		for _, name := range []string{"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX",
			"SLURM_ARRAY_TASK_COUNT", "JOB_COMPLETION_INDEX"} {
			t.Setenv(name, c.env[name])
		}
		var got Part
		err := got.Set(c.text)
		if c.err == "" && (err != nil || got != c.want || got.String() != c.want.String()) {
			t.Errorf("%q %v: %v, %v; want %v", c.text, c.env, got, err, c.want)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error()+fault.HintOf(err), c.err)) {
			t.Errorf("%q %v: %v, %v; want an error with %q", c.text, c.env, got, err, c.err)
		}
	}
}
