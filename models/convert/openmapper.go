package convert

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
	"illustrator/models/mapper"
)

// openMapper opens the mapper in the folder at location to write it to file, and reads its config. It refuses a file
// that exists unless replace is true.
func openMapper(location, file string, replace bool, config *mapper.Config) (*checkpoints.Folder, *checkpoints.Weights,
	error) {
	folder, err := checkpoints.Open(location)
	if err != nil {
		return nil, nil, err
	}
	if err := folder.Config(config); err != nil {
		return nil, nil, err
	}
	if config.ModelType != mapper.ModelType {
		return nil, nil, fault.Usage(fmt.Errorf("%q is of model_type %q", location, config.ModelType),
			"give the folder of a mapper, such as runs/demo/mapper-best")
	}
	if err := config.Validate(); err != nil {
		return nil, nil, err
	}
	if _, err := os.Lstat(file); err == nil && !replace {
		return nil, nil, fault.WithCode(fault.Usage(fmt.Errorf("%q exists", file), "name another file"), FileExists)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	weights, err := folder.Weights()
	return folder, weights, err
}
