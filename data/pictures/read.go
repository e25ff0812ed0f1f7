package pictures

import (
	"context"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"illustrator/data/pictures/decode"
	"illustrator/internal/fault"
	"illustrator/internal/files"
)

const (
	maxPicturePixels = 1 << 26   // 64 megapixels: 0.8 GB as float32
	maxFile          = 512 << 20 // bytes: 64 megapixels of 16 bits without compression
)

// Read is FromImage of a file that ReadImage reads.
func Read(ctx context.Context, path string) (Picture, error) {
	img, err := ReadImage(ctx, path)
	if err != nil {
		return Picture{}, err
	}
	return FromImage(img), nil
}

// ReadImage decodes a picture file: PNG, JPEG, WebP, GIF, BMP or TIFF, of animations the first picture. Its size is
// checked before it is decoded. It is turned upright as EXIF's orientation says, which phones write instead of turning
// pixels, and converted to sRGB as its colour profile says; a profile that cannot be applied is logged once. Reading
// ends with ctx.
func ReadImage(ctx context.Context, path string) (*image.NRGBA, error) {
	file, err := readFile(path)
	if err != nil {
		return nil, fmt.Errorf("read picture %q: %w", path, err)
	}
	img, warnings, err := decode.Image(ctx, file, maxPicturePixels)
	if err != nil {
		return nil, fmt.Errorf("read picture %q: %w", path, err)
	}
	for _, w := range warnings {
		warnOnce(fmt.Sprintf("picture %q: %s", path, w), w)
	}
	return img, nil
}

func readFile(path string) ([]byte, error) {
	f, size, err := files.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if size > maxFile {
		return nil, fault.Usage(fmt.Errorf("it has %d bytes; at most %d are read", size, maxFile), "save it again as PNG")
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// warned are the warnings that were logged. A folder may hold thousands of pictures of one camera.
var warned sync.Map

// warnOnce logs a message unless one of the same kind was logged before.
func warnOnce(message, kind string) {
	if _, known := warned.LoadOrStore(kind, true); !known {
		slog.Warn(message + " (said once)")
	}
}

// Size returns the size in pixels of the picture that ReadImage would return, without decoding it.
func Size(path string) (image.Point, error) {
	file, err := readFile(path)
	if err != nil {
		return image.Point{}, fmt.Errorf("read picture %q: %w", path, err)
	}
	size, err := decode.Size(file, maxPicturePixels)
	if err != nil {
		return image.Point{}, fmt.Errorf("read picture %q: %w", path, err)
	}
	return size, nil
}

// Decode decodes the bytes of a picture file that has at most maxPixels pixels, which is checked before it is decoded,
// as ReadImage does.
func Decode(ctx context.Context, file []byte, maxPixels int) (*image.NRGBA, error) {
	img, warnings, err := decode.Image(ctx, file, maxPixels)
	if err != nil {
		return nil, err
	}
	for _, w := range warnings {
		warnOnce("a picture: "+w, w)
	}
	return img, nil
}

// Formats names the formats that are read.
const Formats = "PNG, JPEG, WebP, GIF, BMP or TIFF"

// isPath reports whether a file's name ends as those of pictures that are read.
func isPath(name string) bool {
	return slices.Contains(decode.Extensions(), strings.ToLower(filepath.Ext(name)))
}

// Named reports whether a name is that of a picture file of any format, read or not.
func Named(name string) bool {
	return isPath(name) || slices.Contains(notRead, strings.ToLower(filepath.Ext(name)))
}

// notRead are the endings of picture files that are not read: a folder's are counted.
var notRead = []string{".avif", ".heic", ".heif", ".jxl", ".jp2", ".j2k", ".psd", ".svg", ".ico", ".tga", ".ppm",
	".pgm", ".exr", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf"}

// Paths returns the picture files that the arguments name: files as they are, of folders every file whose name ends as
// those of Formats do, in natural order, without subfolders. Pictures of other formats or names in a folder are counted
// and named in the log. Nothing is decoded: read the pictures one by one, since many do not fit in memory.
func Paths(args ...string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, fmt.Errorf("find pictures: %w", err)
		}
		if !info.IsDir() {
			paths = append(paths, arg)
			continue
		}
		files, left, err := folder(arg)
		if err != nil {
			return nil, fmt.Errorf("find pictures: %w", err)
		}
		if len(left) > 0 {
			slog.Warn(fmt.Sprintf("%s: left out %s, whose formats or names' endings are not read; convert them to PNG",
				arg, listed(left)))
		}
		if len(files) == 0 {
			return nil, fault.Usage(fmt.Errorf("find pictures: folder %q holds none", arg),
				"pictures are %s files, by their names' endings; subfolders are not searched", Formats)
		}
		paths = append(paths, files...)
	}
	return paths, nil
}

// folder lists a folder's pictures in natural order, and the names of those that are not read.
func folder(path string) (files, left []string, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		switch name := e.Name(); {
		case e.IsDir() || strings.HasPrefix(name, "."):
		case isPath(name):
			files = append(files, filepath.Join(path, name))
		case slices.Contains(notRead, strings.ToLower(filepath.Ext(name))), beginsAsPicture(filepath.Join(path, name)):
			left = append(left, name)
		}
	}
	slices.SortStableFunc(files, natural)
	return files, left, nil
}

// beginsAsPicture reports whether a file holds a picture by its first bytes, whatever its name is.
func beginsAsPicture(path string) bool {
	f, _, err := files.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 16)
	n, _ := io.ReadFull(f, head)
	return decode.Begins(head[:n])
}

// listed is a count with the first names.
func listed(names []string) string {
	const most = 3
	if len(names) <= most {
		return fmt.Sprintf("%d: %s", len(names), strings.Join(names, ", "))
	}
	return fmt.Sprintf("%d: %s, …", len(names), strings.Join(names[:most], ", "))
}
