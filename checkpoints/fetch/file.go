package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"strings"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// File is a file to download and what is known of it.
type File struct {
	// URL is the file's address: http(s), or "hf-hub:org/repo@rev/file" for a file of the Hugging Face hub.
	URL string `yaml:"url" json:"url"`
	// Size is the file's number of bytes, 0 where it is not known.
	Size int64 `yaml:"size" json:"size,omitempty"`
	// SHA256 is the hash of the file's bytes: 64 hexadecimal digits, or the first 8 or more where no more are known, or
	// none.
	SHA256 string `yaml:"sha256" json:"sha256,omitempty"`
}

// hubPrefix begins the name of a file of the Hugging Face hub.
const hubPrefix = "hf-hub:"

// Environment variables of the hub's own tools: another address of the hub, and a token for files that need one.
const (
	hubEndpointEnv = "HF_ENDPOINT"
	hubTokenEnv    = "HF_TOKEN"
	hubEndpoint    = "https://huggingface.co"
)

// Name is the file's name, the last element of its address.
func (f File) Name() string {
	address, _, _ := strings.Cut(strings.TrimPrefix(f.URL, hubPrefix), "?")
	return path.Base(address)
}

// Validate reports the first invalid field.
func (f File) Validate() error {
	if _, err := f.address(""); err != nil {
		return err
	}
	if f.Size < 0 {
		return fault.Field("size", f.Size, "the file's number of bytes, or left out")
	}
	if n := len(f.SHA256); n != 0 && (n < 8 || n > 64 || strings.Trim(f.SHA256, "0123456789abcdef") != "") {
		return fault.Field("sha256", f.SHA256, "64 lower-case hexadecimal digits, the first 8 or more of them, or left out")
	}
	return nil
}

// Known says in words how well a file can be verified.
func (f File) Known() string {
	switch {
	case len(f.SHA256) == 64:
		return "SHA-256 " + f.SHA256
	case f.SHA256 != "":
		return fmt.Sprintf("SHA-256 beginning with %s, no more is known", f.SHA256)
	}
	return "no SHA-256 is known"
}

// Check compares the file at path with what is known and returns its size and SHA-256.
func (f File) Check(path string) (checkpoints.File, error) { return f.check(path, path) }

// check calls the file at path name in its errors.
func (f File) check(path, name string) (checkpoints.File, error) {
	have, err := os.Stat(path)
	if err == nil && f.Size > 0 && have.Size() != f.Size {
		return checkpoints.File{}, fmt.Errorf("%s has %d bytes; expected %d", name, have.Size(), f.Size)
	}
	if err != nil {
		return checkpoints.File{}, err
	}
	got, err := checkpoints.SHA256OfFile(path)
	if err == nil && !strings.HasPrefix(got.SHA256, f.SHA256) {
		err = fmt.Errorf("%s has SHA-256 %s; expected %s", name, got.SHA256, f.SHA256)
		if len(f.SHA256) < 64 {
			err = fmt.Errorf("%w…", err)
		}
	}
	return got, err
}

// Address is the file's address for a browser, also of a file of the hub.
func (f File) Address() string {
	address, err := f.address("")
	if err != nil {
		return f.URL
	}
	return address
}

// address returns where the file is downloaded from. mirror takes the place of scheme and host.
func (f File) address(mirror string) (string, error) {
	address := f.URL
	if name, ok := strings.CutPrefix(f.URL, hubPrefix); ok {
		var err error
		if address, err = hubAddress(name); err != nil {
			return "", fault.Usage(fmt.Errorf("url %q: %w", f.URL, err), "write hf-hub:organisation/repository@revision/file")
		}
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.HasSuffix(u.Path, "/") ||
		u.Path == "" {
		return "", fault.Usage(fmt.Errorf("url %q is not the address of a file", f.URL),
			"write https://host/path/file, or hf-hub:organisation/repository@revision/file")
	}
	if mirror == "" {
		return address, nil
	}
	m, err := url.Parse(mirror)
	if err != nil || m.Host == "" || m.Scheme != "http" && m.Scheme != "https" {
		return "", fault.Usage(fmt.Errorf("the mirror %q is not an address", mirror),
			"write https://host or https://host/path; the path of the file's own address follows it")
	}
	return m.JoinPath(u.EscapedPath()).String(), nil
}

// hubAddress is the address of "org/repo@rev/file"; the revision is "main" if it is left out.
func hubAddress(name string) (string, error) {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 3 || parts[0] == "" || parts[1] == "" || parts[2] == "" || !fs.ValidPath(parts[2]) {
		return "", errors.New("it names no file of a repository")
	}
	repository, revision, given := strings.Cut(parts[1], "@")
	if !given {
		revision = "main"
	}
	if repository == "" || revision == "" {
		return "", errors.New("repository or revision is empty")
	}
	return url.JoinPath(endpoint(), parts[0], repository, "resolve", revision, parts[2])
}

// endpoint is the hub's address.
func endpoint() string {
	if e := os.Getenv(hubEndpointEnv); e != "" {
		return e
	}
	return hubEndpoint
}

// token is the user's token if address is one of the hub; nobody else may see it.
func token(address string) string {
	hub, errHub := url.Parse(endpoint())
	u, err := url.Parse(address)
	if errHub != nil || err != nil || u.Scheme != hub.Scheme || u.Host != hub.Host {
		return ""
	}
	return os.Getenv(hubTokenEnv)
}
