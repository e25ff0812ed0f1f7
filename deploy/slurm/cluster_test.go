// Package slurm_test runs the templates of this folder on a Slurm cluster of one node.
package slurm_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// steps lists the processes that hold Slurm's job steps.
const steps = "pgrep --full '^slurmstepd: .[0-9]'"

// cluster is a Slurm cluster that runs the program from this checkout.
type cluster struct {
	*testing.T
	here, folder string // of the templates, and of the test
	env          []string
}

// newCluster starts a cluster that ends with the test.
func newCluster(t *testing.T) cluster {
	if os.Getenv("CLUSTER") == "" {
		t.Skip("make cluster-test runs this test, with Slurm and munge installed, as root")
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	c := cluster{t, here, t.TempDir(), nil}
	conf := filepath.Join(c.folder, "slurm")
	root := filepath.Dir(filepath.Dir(here))
	c.env = append(os.Environ(), "SLURM_CONF="+filepath.Join(conf, "slurm.conf"),
		"PATH="+root+":"+os.Getenv("PATH"), "ILLUSTRATOR_PROGRAMS="+filepath.Join(c.folder, "programs"))
	t.Cleanup(func() {
		if t.Failed() {
			c.printLogs()
		}
		c.sh("scancel --user=root; " + here + "/cluster.sh stop " + conf)
	})
	c.sh("! " + steps) // of another cluster: the tests count them
	c.sh(here + "/cluster.sh start " + conf)
	return c
}

// sh runs a line of shell in the test's folder and returns its standard output.
func (c cluster) sh(line string, args ...any) string {
	c.Helper()
	line = fmt.Sprintf(line, args...)
	cmd := exec.Command("bash", "-c", line)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.folder, c.env, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		c.Fatalf("%s: %v\n%s%s", line, err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

func (c cluster) printLogs() {
	logs, _ := filepath.Glob(filepath.Join(c.folder, "*.log"))
	for _, path := range logs {
		text, _ := os.ReadFile(path)
		c.Logf("%s:\n%s", filepath.Base(path), text)
	}
}

// until waits for a line of shell to succeed.
func (c cluster) until(line string, args ...any) {
	c.Helper()
	line = fmt.Sprintf(line, args...)
	for end := time.Now().Add(10 * time.Minute); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		cmd := exec.Command("bash", "-c", line)
		cmd.Dir, cmd.Env = c.folder, c.env
		if cmd.Run() == nil {
			return
		}
	}
	c.Fatalf("%s does not come true; the queue is\n%s", line, c.sh("squeue --all --states=all"))
}

// ends waits for the jobs to end and returns their last states. Slurm holds requeued jobs back for two minutes, which
// the test does not wait for.
func (c cluster) ends(jobs string) string {
	c.Helper()
	jobs = strings.ReplaceAll(jobs, " ", ",")
	c.until(`%[2]s >/dev/null || # a job that still ends can't begin again
		for job in $(squeue --noheader --array --format=%%A --jobs=%[1]s --states=PENDING); do
			scontrol update JobId=$job StartTime=now
		done 2>/dev/null
		[ -z "$(squeue --noheader --jobs=%[1]s)" ]`, jobs, steps)
	return c.sh("squeue --noheader --array --states=all --jobs=%s --format=%%T | sort | uniq -c | xargs", jobs)
}

// A task is killed, one is requeued and the node fails: the set of pairs is that of one undisturbed process.
func TestPairs(t *testing.T) {
	c := newCluster(t)
	const rows = 8000
	c.sh("illustrator pairs --rows %d --shard-rows 250 --out alone", rows)
	jobs := c.sh("%s/submit-pairs.sh out %d 4 --shard-rows 250", c.here, rows)
	array, _, _ := strings.Cut(jobs, " ")
	for part := 1; part <= 4; part++ {
		c.until("ls out/part-%d/rows-* | grep .", part)
	}
	c.sh("scontrol requeue %s_2", array)
	c.sh("pkill -KILL --full '^illustrator pairs .*out/part-1'")
	c.until("[ $(" + steps + " | wc -l) -le 2 ]") // Slurm does not begin a job that still ends
	c.sh("scontrol update NodeName=$(hostname -s) State=DOWN Reason=test")
	c.until("! " + steps)
	c.sh("scontrol update NodeName=$(hostname -s) State=RESUME")
	if states := c.ends(jobs); states != "5 COMPLETED" {
		t.Errorf("the jobs end as %s", states)
	}
	c.sh("diff -r alone out/pairs")
	c.sh("grep 'all %d rows are as they were written' illustrator-merge-*.log", rows)
}

const study = `
title: A study of the cluster
about: For tests.
base: run.yaml
train: true
shared_stages: 1
seeds: [0, 1]
metrics: [clip_similarity]
reference: l1
texts: texts.txt
groups:
  - name: weights
    variants:
      - name: l1
      - {name: twice, set: [losses.l1=2]}
      - {name: three times, set: [losses.l1=3]}
`

const run = `
domain: lorelei
pairs: {rows: 1000}
mapper: {width: 32, blocks: 1, layers: 2}
train:
  batch: 32
  validation: {every: 1000, rows: 64}
  stages:
    - {name: first, losses: {l1: 1}, schedule: {kind: constant, steps: 400, learning_rate: 1e-3}}
    - {name: second, losses: {l1: 1}, schedule: {kind: constant, steps: 200, learning_rate: 1e-3}}
`

// Three tasks share the cells of a study; one is killed with a cell in its hands. Shared trainings are made once, and
// the figures are those of one process.
func TestStudy(t *testing.T) {
	c := newCluster(t)
	for name, text := range map[string]string{"study.yaml": study, "run.yaml": run, "texts.txt": "a wizard\na pirate\n"} {
		if err := os.WriteFile(filepath.Join(c.folder, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	c.sh("illustrator pairs --rows 1000 --out pairs")
	c.sh("illustrator ablate study.yaml --pairs pairs --out alone")
	jobs := c.sh("%s/submit-ablate.sh out study.yaml 3 --pairs pairs", c.here)
	c.until("ls out/leases/ | grep seed")
	c.sh("pkill -KILL --newest --full '^illustrator ablate study.yaml --part auto'")
	if states := c.ends(jobs); states != "4 COMPLETED" {
		t.Errorf("the jobs end as %s", states)
	}
	c.sh("cd alone/cells; for cell in *; do cmp $cell/scores.jsonl ../../out/cells/$cell/scores.jsonl || exit 1; done")
	c.sh("[ $(ls -d out/trainings/shared-* | wc -l) -le 2 ]")
	c.sh("[ $(cat illustrator-ablate-*.log illustrator-report-*.log | grep -c 'cell [0-9]* of') -le 8 ]")
	c.sh("[ -z \"$(find out/leases -type f)\" ]")
}

// A training that Slurm warns of its time limit saves, requeues itself and comes to the bits of an undisturbed one.
func TestTrain(t *testing.T) {
	c := newCluster(t)
	config := strings.ReplaceAll(run, "steps: 400", "steps: 4000")
	if err := os.WriteFile(filepath.Join(c.folder, "run.yaml"), []byte(config), 0o666); err != nil {
		t.Fatal(err)
	}
	c.sh("illustrator pairs --rows 1000 --out pairs")
	c.sh("illustrator train --config run.yaml --pairs pairs --out alone")
	job := c.sh("RUN=run DEPLOY=%[1]s ARGUMENTS='--config run.yaml --pairs pairs' sbatch --parsable %[1]s/train.sbatch",
		c.here)
	c.until("[ -s run/metrics.jsonl ]")
	c.sh("scancel --signal=USR1 --batch %s", job)
	c.until("grep 'exit code 75: job %[1]s is requeued' illustrator-train-%[1]s.log", job)
	if states := c.ends(job); states != "1 COMPLETED" {
		t.Errorf("the job ends as %s", states)
	}
	c.sh("grep 'resuming after step' illustrator-train-%s.log", job)
	c.sh("cmp alone/mapper-last/model.safetensors run/mapper-last/model.safetensors")

	// A job that its user cancels is not requeued.
	job = c.sh("RUN=other DEPLOY=%[1]s ARGUMENTS='--config run.yaml --pairs pairs' sbatch --parsable %[1]s/train.sbatch",
		c.here)
	c.until("[ -s other/metrics.jsonl ]")
	c.sh("scancel %s", job)
	if states := c.ends(job); states != "1 CANCELLED" {
		t.Errorf("the cancelled job ends as %s", states)
	}
}
