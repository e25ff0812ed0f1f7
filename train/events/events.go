// Package events writes event files that TensorBoard reads: scalars and PNG pictures.
//
// An event file is a sequence of TFRecords, each an Event message of tensorflow/core/util/event.proto. Only the fields
// written here are known here.
package events

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// prefix begins the name of every event file: TensorBoard looks for it.
const prefix = "events.out.tfevents."

// Writer appends to one event file. Each event is one write, so that a reader that follows the file sees it at once.
type Writer struct {
	f   *os.File
	now func() time.Time
}

// Create makes the folder where it is missing and begins an event file in it in place of those that are there. Events
// carry the time that now tells. A TensorBoard that shows the replaced files goes over to the new one; one without the
// fast loader (--load_fast=false, and where there is none) must be started again for that.
func Create(folder string, now func() time.Time) (*Writer, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	if err := removeOld(folder); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	began := now()
	// TensorBoard reads a folder's files in the order of their names, and a file with the name of an old one not again.
	name := fmt.Sprintf(prefix+"%010d.%s.%d.%d", began.Unix(), host, os.Getpid(), began.Nanosecond())
	f, err := os.Create(filepath.Join(folder, name))
	if err != nil {
		return nil, err
	}
	w := &Writer{f: f, now: now}
	if err := w.begin(); err != nil {
		f.Close()
		return nil, err
	}
	return w, nil
}

// removeOld removes the event files in folder.
func removeOld(folder string) error {
	there, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, entry := range there {
		if !strings.HasPrefix(entry.Name(), prefix) {
			continue
		}
		if err := os.Remove(filepath.Join(folder, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// Field numbers of event.proto and summary.proto.
const (
	eventWallTime, eventStep, eventFileVersion, eventSummary, eventSessionLog = 1, 2, 3, 5, 7

	sessionLogStatus, sessionStart = 1, 1

	summaryValue                           = 1
	valueTag, valueSimpleValue, valueImage = 1, 2, 4

	imageHeight, imageWidth, imageColorspace, imageEncoded = 1, 2, 3, 4

	colorspaceRGB = 3
)

// begin writes the format's version, and that a session starts at step 0: events of earlier files are void.
func (w *Writer) begin() error {
	version := protowire.AppendTag(nil, eventFileVersion, protowire.BytesType)
	if err := w.event(0, protowire.AppendString(version, "brain.Event:2")); err != nil {
		return err
	}
	return w.event(0, message(nil, eventSessionLog, varint(nil, sessionLogStatus, sessionStart)))
}

// Scalar writes the value of tag after step steps, in float32.
func (w *Writer) Scalar(step int, tag string, value float64) error {
	v := message(nil, valueTag, []byte(tag))
	v = protowire.AppendTag(v, valueSimpleValue, protowire.Fixed32Type)
	v = protowire.AppendFixed32(v, math.Float32bits(float32(value)))
	return w.event(step, message(nil, eventSummary, message(nil, summaryValue, v)))
}

// PNG writes a picture of tag after step steps, given as the bytes of a PNG file.
func (w *Writer) PNG(step int, tag string, file []byte) error {
	size, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return fmt.Errorf("event of picture %q: %w", tag, err)
	}
	picture := varint(nil, imageHeight, uint64(size.Height))
	picture = varint(picture, imageWidth, uint64(size.Width))
	picture = varint(picture, imageColorspace, colorspaceRGB)
	picture = message(picture, imageEncoded, file)
	v := message(nil, valueTag, []byte(tag))
	v = message(v, valueImage, picture)
	return w.event(step, message(nil, eventSummary, message(nil, summaryValue, v)))
}

// Close ends the file.
func (w *Writer) Close() error { return w.f.Close() }

// event writes a record: the time, the step, and what happened.
func (w *Writer) event(step int, what []byte) error {
	now := w.now()
	e := protowire.AppendTag(nil, eventWallTime, protowire.Fixed64Type)
	e = protowire.AppendFixed64(e, math.Float64bits(float64(now.Unix())+float64(now.Nanosecond())/1e9))
	if step != 0 { // as canonical encoders do
		e = varint(e, eventStep, uint64(step))
	}
	_, err := w.f.Write(record(append(e, what...)))
	return err
}

func varint(b []byte, field protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(b, field, protowire.VarintType), value)
}

func message(b []byte, field protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), value)
}

// record frames data as a TFRecord: its length and data, each followed by its masked CRC.
func record(data []byte) []byte {
	r := binary.LittleEndian.AppendUint64(make([]byte, 0, len(data)+16), uint64(len(data)))
	r = binary.LittleEndian.AppendUint32(r, maskedCRC(r))
	r = append(r, data...)
	return binary.LittleEndian.AppendUint32(r, maskedCRC(data))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maskedCRC is CRC-32C, rotated and offset as in tensorflow/core/lib/hash/crc32c.h: CRCs of data that holds CRCs are
// weak.
func maskedCRC(data []byte) uint32 {
	crc := crc32.Checksum(data, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
