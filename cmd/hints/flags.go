package hints

import (
	"errors"
	"regexp"
	"strings"

	"illustrator/draw"
	"illustrator/internal/fault"
)

// fieldName is a field as package draw quotes it.
var fieldName = regexp.MustCompile("`([a-z_]+)`")

// AsFlags words an invalid field as the flag that sets it.
func AsFlags(err error) error {
	var e *draw.FieldError
	if !errors.As(err, &e) {
		return err
	}
	flag := func(field string) string { return "--" + strings.ReplaceAll(field, "_", "-") }
	f := *e
	f.Field, f.Other = flag(e.Field), flag(e.Other)
	hint := fieldName.ReplaceAllStringFunc(f.Want(), func(quoted string) string { return flag(strings.Trim(quoted, "`")) })
	where := strings.TrimSuffix(err.Error(), e.Error()) // such as "text 2: "
	return fault.Usage(errors.New(where+f.Error()), "%s", hint)
}
