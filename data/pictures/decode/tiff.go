package decode

import "encoding/binary"

const tagProfile = 34675 // ICC.1:2022, annex B.4

// tiffSpace reads the profile of a TIFF file's first picture.
func tiffSpace(file []byte) (*space, error) {
	var order binary.ByteOrder = binary.LittleEndian
	if file[0] == 'M' {
		order = binary.BigEndian
	}
	if len(file) < 8 {
		return nil, nil
	}
	at := int(order.Uint32(file[4:]))
	if at+2 > len(file) {
		return nil, nil
	}
	for entry := file[at+2:]; len(entry) >= 12; entry = entry[12:] {
		if order.Uint16(entry) != tagProfile {
			if order.Uint16(entry) > tagProfile { // tags ascend
				break
			}
			continue
		}
		size, from := int(order.Uint32(entry[4:])), int(order.Uint32(entry[8:]))
		if from > len(file) || size > len(file)-from {
			return nil, errProfile
		}
		return iccSpace(file[from : from+size])
	}
	return nil, nil
}
