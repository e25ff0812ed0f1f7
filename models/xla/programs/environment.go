package programs

import (
	"log/slog"
	"os"
)

// FolderEnv names the environment variable with the folder of compiled programs; off in its place keeps none.
const (
	FolderEnv = "ILLUSTRATOR_PROGRAMS"
	off       = "off"
)

// Chosen returns the cache in the folder that the environment names, or in the user's; nil if none is kept.
func Chosen(log *slog.Logger) *Cache {
	folder := os.Getenv(FolderEnv)
	switch folder {
	case off:
		return nil
	case "":
		var err error
		if folder, err = defaultFolder(); err != nil {
			log.Debug("programs are not kept", "reason", err)
			return nil
		}
	}
	return &Cache{Folder: folder, Log: log}
}
