// Package check validates the kustomizations of the folder above: with the API's own types, and by a server-side dry
// run of a kube-apiserver where KUBE_APISERVER names one.
package check

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

var kinds = []string{"pairs", "merge", "ablate", "report", "train"}

// build returns the YAML of a kustomization, which may have the GPU's component.
func build(t *testing.T, kind string, gpu bool) []byte {
	t.Helper()
	folder := "../" + kind
	if gpu {
		folder = "gpu-" + kind
		text := fmt.Sprintf("resources: [../../%s]\ncomponents: [../../gpu]\n", kind)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(folder) })
		if err := os.WriteFile(filepath.Join(folder, "kustomization.yaml"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	options := krusty.MakeDefaultOptions()
	options.LoadRestrictions = types.LoadRestrictionsRootOnly
	resources, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		t.Fatal(err)
	}
	text, err := resources.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestJobs holds each job to the API's types and to what docs/cluster.md promises.
func TestJobs(t *testing.T) {
	for _, kind := range kinds {
		for _, gpu := range []bool{false, true} {
			var job batch.Job
			if err := yaml.UnmarshalStrict(build(t, kind, gpu), &job); err != nil {
				t.Errorf("%s: %v", kind, err)
				continue
			}
			checkPod(t, kind, job.Spec.Template.Spec)
			var ignored, failing []int32
			for _, rule := range job.Spec.PodFailurePolicy.Rules {
				if codes := rule.OnExitCodes; codes != nil && rule.Action == batch.PodFailurePolicyActionIgnore {
					ignored = codes.Values
				} else if codes != nil {
					failing = codes.Values
				}
			}
			if !slices.Equal(ignored, []int32{75}) || !slices.Equal(failing, []int32{2, 3}) {
				t.Errorf("%s: exit codes %v are ignored, %v fail the job", kind, ignored, failing)
			}
			limits := job.Spec.Template.Spec.Containers[0].Resources.Limits
			if got := limits["nvidia.com/gpu"]; gpu != (got.Value() == 1) {
				t.Errorf("%s: gpu %v, but limits %v", kind, gpu, limits)
			}
			args := strings.Join(job.Spec.Template.Spec.Containers[0].Args, " ")
			if part := "auto/"; strings.Contains(args, part) {
				want := fmt.Sprintf("--part auto/%d ", *job.Spec.Completions)
				if *job.Spec.CompletionMode != batch.IndexedCompletion || !strings.Contains(args, want) {
					t.Errorf("%s: %v completions of mode %v, arguments %s", kind, *job.Spec.Completions, *job.Spec.CompletionMode,
						args)
				}
			}
		}
	}
	var claim core.PersistentVolumeClaim
	text, err := os.ReadFile("../volume.yaml")
	if err == nil {
		err = yaml.UnmarshalStrict(text, &claim)
	}
	if err != nil || claim.Name != "illustrator" {
		t.Errorf("volume.yaml: %v, name %q", err, claim.Name)
	}
}

func checkPod(t *testing.T, kind string, pod core.PodSpec) {
	t.Helper()
	container := pod.Containers[0]
	switch security := container.SecurityContext; {
	case !*pod.SecurityContext.RunAsNonRoot, *pod.SecurityContext.RunAsUser == 0:
		t.Errorf("%s runs as root", kind)
	case !*security.ReadOnlyRootFilesystem, *security.AllowPrivilegeEscalation:
		t.Errorf("%s: security context %+v", kind, security)
	case pod.RestartPolicy != core.RestartPolicyNever: // podFailurePolicy requires it
		t.Errorf("%s: restart policy %s", kind, pod.RestartPolicy)
	}
}

// TestDryRun has a kube-apiserver validate everything.
func TestDryRun(t *testing.T) {
	server := os.Getenv("KUBE_APISERVER")
	if server == "" {
		t.Skip("KUBE_APISERVER names no kube-apiserver; apiserver.sh builds one")
	}
	url := start(t, server)
	volume, err := os.ReadFile("../volume.yaml")
	if err != nil {
		t.Fatal(err)
	}
	apply(t, url+"/api/v1/namespaces/default/persistentvolumeclaims/illustrator", volume, http.StatusCreated)
	for _, kind := range kinds {
		for _, gpu := range []bool{false, true} {
			path := url + "/apis/batch/v1/namespaces/default/jobs/illustrator-" + kind
			text := build(t, kind, gpu)
			apply(t, path, text, http.StatusCreated)
			wrong := bytes.Replace(text, []byte("restartPolicy: Never"), []byte("restartPolicy: OnFailure"), 1)
			apply(t, path, wrong, http.StatusUnprocessableEntity) // the server does validate
		}
	}
}

const token = "test"

// client trusts the certificate that the server makes for itself.
var client = http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}

func request(method, url string, body []byte) (status int, text string, err error) {
	r, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/apply-patch+yaml")
	response, err := client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, string(answer), err
}

// apply has the server validate a resource without keeping it.
func apply(t *testing.T, url string, text []byte, want int) {
	t.Helper()
	status, answer, err := request(http.MethodPatch, url+"?fieldManager=test&dryRun=All&fieldValidation=Strict", text)
	if err != nil || status != want {
		t.Errorf("%s: status %d, not %d: %v\n%s", url, status, want, err, answer)
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// start starts etcd and the server and returns the server's address.
func start(t *testing.T, server string) string {
	folder := t.TempDir()
	etcd, peer, port := "http://127.0.0.1:"+freePort(t), "http://127.0.0.1:"+freePort(t), freePort(t)
	run(t, folder, "etcd", "--data-dir", folder+"/etcd", "--listen-client-urls", etcd, "--advertise-client-urls", etcd,
		"--listen-peer-urls", peer)
	keys := exec.Command("openssl", "genrsa", "-out", folder+"/key", "2048")
	if out, err := keys.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(folder+"/tokens", []byte(token+`,admin,1,"system:masters"`+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, folder, server, "--etcd-servers", etcd, "--secure-port", port, "--bind-address", "127.0.0.1", "--cert-dir",
		folder,
		"--service-account-issuer", "https://test", "--service-account-key-file", folder+"/key",
		"--service-account-signing-key-file", folder+"/key", "--token-auth-file", folder+"/tokens",
		"--service-cluster-ip-range", "10.0.0.0/24", "--disable-admission-plugins", "ServiceAccount")
	url := "https://127.0.0.1:" + port
	for range 240 {
		if status, _, err := request(http.MethodGet, url+"/readyz", nil); err == nil && status == http.StatusOK {
			return url
		}
		time.Sleep(500 * time.Millisecond)
	}
	log, _ := os.ReadFile(filepath.Join(folder, filepath.Base(server)+".log"))
	t.Fatalf("the server does not start:\n%s", log)
	return ""
}

// run starts a program that ends with the test.
func run(t *testing.T, folder, program string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(folder, filepath.Base(program)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		log.Close()
	})
}
