package illustrator_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"testing"

	"illustrator"
	"illustrator/models/nn/nntest"
	"illustrator/models/xla"
)

// TestMain leaves the examples out without a plugin, and with -short: they compile networks.
func TestMain(m *testing.M) {
	flag.Parse()
	_, there := xla.Find("cpu")
	if !there && os.Getenv("CI") != "" {
		log.Fatal("no XLA CPU plugin")
	}
	if testing.Short() || !there {
		if err := flag.Set("test.run", "^Test"); err != nil {
			log.Fatal(err)
		}
	}
	nntest.CompileFast()
	os.Exit(m.Run())
}

func Example() {
	domain, err := illustrator.Open("lorelei", illustrator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer domain.Close()
	count := 2
	spec := illustrator.Spec{Count: &count}
	for picture, err := range domain.Draw(context.Background(), spec, "a wizard with round glasses") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(picture.Record.Text.Text, "seed", picture.Record.Seed, picture.Bounds().Size())
	}
	// Output:
	// a wizard with round glasses seed 0 (64,64)
	// a wizard with round glasses seed 1 (64,64)
}

func ExampleDomain_Far() {
	domain, err := illustrator.Open("lorelei", illustrator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer domain.Close()
	far, err := domain.Far("a wizard with round glasses", "a red sports car on the moon")
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range far {
		fmt.Printf("%.0f %% of %q is unknown: %q\n", 100*n.Share, n.Text, n.Words)
	}
	// Output:
	// 84 % of "a red sports car on the moon" is unknown: ["sports" "car" "moon"]
}

// An invalid field says what is wrong with it.
func ExampleDomain_Draw_invalid() {
	domain, err := illustrator.Open("lorelei", illustrator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer domain.Close()
	spread := 2.0
	spec := illustrator.Spec{Settings: illustrator.Settings{Spread: &spread}}
	for _, err := range domain.Draw(context.Background(), spec, "a wizard") {
		var invalid *illustrator.FieldError
		if errors.As(err, &invalid) {
			fmt.Println(invalid.Field, invalid.Value, invalid.Code)
		}
	}
	// Output: spread 2 out_of_range
}

func ExampleDomain_Manipulate() {
	domain, err := illustrator.Open("lorelei", illustrator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer domain.Close()
	ctx := context.Background()
	pictures, err := domain.Manipulate(ctx, illustrator.FromSeed(7), "a person with a beard", 0.5, 1)
	if err != nil {
		log.Fatal(err)
	}
	for _, p := range pictures[1:] { // the first is the origin's
		fmt.Println("alpha", *p.Record.Alpha, p.Record.Text.Text)
	}
	// Output:
	// alpha 0.5 a person with a beard
	// alpha 1 a person with a beard
}

func ExampleDomain_Interpolate() {
	domain, err := illustrator.Open("lorelei", illustrator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer domain.Close()
	from, to := illustrator.FromText("a wizard with a white beard"), illustrator.FromSeed(3)
	pictures, err := domain.Interpolate(context.Background(), from, to, 4)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(pictures), "pictures")
	// Output: 4 pictures
}

// Cosines of CLIP embeddings tell which description is nearer.
func ExampleDomain_EmbedTexts() {
	domain, err := illustrator.Open("lorelei", illustrator.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer domain.Close()
	embeds, err := domain.EmbedTexts(context.Background(), "a man with a beard", "a bearded man", "a girl with pink hair")
	if err != nil {
		log.Fatal(err)
	}
	cosine := func(a, b []float32) (sum float64) {
		for i := range a {
			sum += float64(a[i]) * float64(b[i]) / float64(len(a)) // both have length √E
		}
		return sum
	}
	near, far := cosine(embeds[0], embeds[1]), cosine(embeds[0], embeds[2])
	fmt.Println(math.Abs(cosine(embeds[0], embeds[0])-1) < 1e-4, near > far)
	// Output: true true
}

// Train a mapper, read its pairs, and draw with it. The same call resumes a training that was stopped.
func ExampleTrain() {
	training := illustrator.Training{Config: "lorelei", Folder: "runs/own", Set: []string{"pairs.rows=2000"}}
	if err := illustrator.Train(context.Background(), training); err != nil {
		log.Fatal(err)
	}
	pairs, err := illustrator.OpenPairs("runs/own/pairs")
	if err != nil {
		log.Fatal(err)
	}
	defer pairs.Close()
	domain, err := illustrator.Open("lorelei", illustrator.Options{Run: training.Folder})
	if err != nil {
		log.Fatal(err)
	}
	defer domain.Close()
	for picture, err := range domain.Draw(context.Background(), illustrator.Spec{}, "a clown") {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(pairs.Len(), "pairs;", picture.Record.Text.Text)
	}
}
