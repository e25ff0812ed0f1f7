package programs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"illustrator/internal/sealed"
)

// Overwrite puts content, with a right seal, in the place of every program in the cache.
func Overwrite(c *Cache, content []byte) error {
	files, _, err := c.files().Files()
	for _, f := range files {
		if err == nil {
			err = c.files().Write(strings.TrimSuffix(f.Name(), suffix), content)
		}
	}
	return err
}

// Exchange puts each of the cache's two programs, with a right seal, under the key of the other.
func Exchange(t *testing.T, c *Cache) {
	t.Helper()
	files, _, err := c.files().Files()
	if err != nil || len(files) != 2 {
		t.Fatalf("%d programs, %v; want 2", len(files), err)
	}
	var keys []string
	var kept [][]byte
	for _, f := range files {
		key := strings.TrimSuffix(f.Name(), suffix)
		content, err := os.ReadFile(filepath.Join(c.Folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		program, err := sealed.Unseal(key, content)
		if err != nil {
			t.Fatal(err)
		}
		keys, kept = append(keys, key), append(kept, program)
	}
	for i := range keys {
		if err := c.files().Write(keys[i], kept[1-i]); err != nil {
			t.Fatal(err)
		}
	}
}

// ForgetWarning has the next cache that is not trusted warn again.
func ForgetWarning() { warned.Store(false) }
