package share

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"illustrator/internal/fault"
)

// Part is one of several equal parts of some work. The zero Part is all of it.
type Part struct{ K, N int } // K from 1 to N

// String implements pflag.Value.
func (p Part) String() string {
	if p.N == 0 {
		return ""
	}
	return fmt.Sprintf("%d/%d", p.K, p.N)
}

// Type implements pflag.Value.
func (p Part) Type() string { return "K/N|auto" }

// Set implements pflag.Value. It reads "3/8", or the part from the environment: "auto" in a Slurm array whose tasks
// count from 0 or 1, "auto/8" in an indexed job of Kubernetes, which does not tell its tasks their number.
func (p *Part) Set(text string) (err error) {
	k, n, _ := strings.Cut(text, "/")
	if k == "auto" {
		*p, err = partFrom(os.Getenv, n)
		return err
	}
	part, errK := strconv.Atoi(k)
	parts, errN := strconv.Atoi(n)
	if errK != nil || errN != nil || part < 1 || part > parts {
		return fault.Usage(errors.New("not a part"),
			"write K/N with K from 1 to N, such as 3/8, or auto in an array of tasks")
	}
	*p = Part{part, parts}
	return nil
}

// partFrom returns the part of this task of an array; of is the number of tasks where the command line states it.
func partFrom(env func(string) string, of string) (Part, error) {
	number := func(name string) (int, error) {
		n, err := strconv.Atoi(env(name))
		if err != nil {
			return 0, fault.Hint(fmt.Errorf("%s is %q, not a number", name, env(name)), "state the part, as K/N")
		}
		return n, nil
	}
	var p Part
	var err error
	switch {
	case env("SLURM_ARRAY_TASK_ID") != "":
		p, err = slurmPart(number)
	case env("JOB_COMPLETION_INDEX") != "":
		var index int
		index, err = number("JOB_COMPLETION_INDEX")
		p.K = index + 1
	default:
		return p, fault.Usage(errors.New("neither SLURM_ARRAY_TASK_ID nor JOB_COMPLETION_INDEX is set"),
			"auto works in a Slurm array and in an indexed job of Kubernetes; state the part elsewhere, as K/N")
	}
	if err != nil {
		return p, err
	}
	if of != "" {
		n, err := strconv.Atoi(of)
		if err != nil || p.N > 0 && p.N != n {
			return p, fault.Usage(fmt.Errorf("the array has %d tasks", p.N), "write auto, or auto/N with their number N")
		}
		p.N = n
	}
	switch {
	case p.N == 0:
		return p, fault.Usage(errors.New("the number of tasks is unknown in Kubernetes"),
			"write auto/N with the job's completions N")
	case p.K < 1 || p.K > p.N:
		return p, fault.Usage(fmt.Errorf("this is task %d of %d", p.K, p.N), "N must be the number of tasks")
	}
	return p, nil
}

// slurmPart returns the part of a task of a Slurm array.
func slurmPart(number func(name string) (int, error)) (Part, error) {
	var values [4]int
	for i, name := range []string{"ID", "MIN", "MAX", "COUNT"} {
		var err error
		if values[i], err = number("SLURM_ARRAY_TASK_" + name); err != nil {
			return Part{}, err
		}
	}
	id, first, last, count := values[0], values[1], values[2], values[3]
	if first < 0 || first > 1 || last-first+1 != count {
		return Part{}, fault.Usage(fmt.Errorf("the array's %d tasks are numbered from %d to %d", count, first, last),
			"auto needs all tasks, numbered from 0 or from 1 without gaps; to repeat some, state the part, as K/N")
	}
	return Part{id - first + 1, count}, nil
}
