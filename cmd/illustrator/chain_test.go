package main

import (
	"fmt"
	"math"
	"os"
	"strconv"

	"illustrator/checkpoints"
	"illustrator/data/arrays"
)

// checkProjection is the scripts' command `check-projection TEXTS PROMPTS ALPHA PROJECTED`: it computes eq. 3 of text
// embeddings in float64, brought to the length √E as the release does, and fails unless PROJECTED holds it within
// float32's precision.
func checkProjection() {
	if err := compareProjection(os.Args[1], os.Args[2], os.Args[3], os.Args[4]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func compareProjection(textFile, promptFile, alphaText, projectedFile string) error {
	texts, err := arrays.Read(textFile, "")
	if err != nil {
		return err
	}
	projected, err := arrays.Read(projectedFile, "")
	if err != nil {
		return err
	}
	w, err := checkpoints.ReadSafetensors(promptFile)
	if err != nil {
		return err
	}
	textPrompt, err := w.Tensors["text_prompt"].Float64s()
	if err != nil {
		return err
	}
	imagePrompt, err := w.Tensors["image_prompt"].Float64s()
	if err != nil {
		return err
	}
	alpha, err := strconv.ParseFloat(alphaText, 64)
	if err != nil {
		return err
	}
	dim := len(textPrompt)
	for at := 0; at < len(texts.Data); at += dim {
		row, sum := make([]float64, dim), 0.0
		for i := range row {
			row[i] = imagePrompt[i] + alpha*(float64(texts.Data[at+i])-textPrompt[i])
			sum += row[i] * row[i]
		}
		for i, v := range row {
			want := v * math.Sqrt(float64(dim)/sum)
			if got := float64(projected.Data[at+i]); math.Abs(got-want) > 1e-5 {
				return fmt.Errorf("row %d, element %d is %g; eq. 3 gives %g", at/dim, i, got, want)
			}
		}
	}
	return nil
}
