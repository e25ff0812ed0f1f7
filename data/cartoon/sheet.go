package cartoon

import (
	"context"
	"fmt"
	"image"

	"illustrator/data/pictures"
	"illustrator/internal/fault"
)

const (
	maxSheetPictures = 24
	sheetCell        = 192 // pixels of the longer side
)

// Sheet draws a sheet with a row for each picture file and a column for each classical style. It calls progress with
// the number of finished files.
func Sheet(ctx context.Context, paths []string, progress func(done int)) (image.Image, error) {
	if len(paths) > maxSheetPictures {
		return nil, fault.Usage(fmt.Errorf("%d pictures for one sheet", len(paths)), "give at most %d", maxSheetPictures)
	}
	var cells []image.Image
	for i, path := range paths {
		row, err := sheetRow(ctx, path)
		if err != nil {
			return nil, err
		}
		cells = append(cells, row...)
		progress(i + 1)
	}
	headers := []string{"as it is"}
	for _, s := range Styles() {
		headers = append(headers, s.Name)
	}
	return pictures.Grid(cells, nil, len(headers), pictures.GridOptions{ColumnHeaders: headers, CellSize: sheetCell / 2,
		Scale: 2})
}

// sheetRow returns a picture and its drawings in all classical styles.
func sheetRow(ctx context.Context, path string) ([]image.Image, error) {
	img, err := pictures.ReadImage(ctx, path)
	if err != nil {
		return nil, err
	}
	size := img.Bounds().Size()
	longer := max(size.X, size.Y)
	size = image.Pt(max(1, size.X*sheetCell/longer), max(1, size.Y*sheetCell/longer))
	row := []image.Image{Enlarged(img, size)}
	for _, s := range Styles() {
		style, err := Open(s.Name, nil)
		if err != nil {
			return nil, err
		}
		drawing, err := style.DrawAt(ctx, img, size)
		if err != nil {
			return nil, err
		}
		row = append(row, drawing)
	}
	return row, nil
}
