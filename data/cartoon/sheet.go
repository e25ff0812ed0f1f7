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

// Sheet draws a sheet with a row for each picture file that can be read and a column for each classical style. It calls
// progress with the number of finished files.
func Sheet(ctx context.Context, paths []string,
	progress func(done int)) (sheet image.Image, skipped []pictures.Skipped, err error) {
	if len(paths) > maxSheetPictures {
		return nil, nil, fault.Usage(fmt.Errorf("%d pictures for one sheet", len(paths)), "give at most %d",
			maxSheetPictures)
	}
	var cells []image.Image
	skipped, err = pictures.Each(ctx, paths, sheetRow, func(_ string, row []image.Image) error {
		cells = append(cells, row...)
		return nil
	}, progress)
	if err != nil {
		return nil, nil, err
	}
	headers := []string{"as it is"}
	for _, s := range Styles() {
		headers = append(headers, s.Name)
	}
	sheet, err = pictures.Grid(cells, nil, len(headers), pictures.GridOptions{ColumnHeaders: headers,
		CellSize: sheetCell / 2, Scale: 2})
	return sheet, skipped, err
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
