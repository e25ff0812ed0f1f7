package clip

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"illustrator/internal/pytools"
)

// openAI returns the tokenizer of OpenAI's own vocabulary.
func openAI(t testing.TB, context int) *Tokenizer {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(pytools.Vocabulary(t)))
	if err != nil {
		t.Fatal(err)
	}
	merges, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	vocab, text, err := VocabularyOfMerges(merges, 49408)
	if err != nil {
		t.Fatal(err)
	}
	tk, err := NewTokenizer(vocab, text, context)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

// openAITokens is testdata/clip_tokens.json; see make_clip_tokens.py.
type openAITokens struct {
	pytools.RandomTexts
	Cases []struct {
		tokenCase
		Lost bool
	}
	Described, Random string
}

func newOpenAITokens(t *testing.T) *openAITokens {
	o := &openAITokens{RandomTexts: pytools.RandomTexts{Seed: 5, Word: 35, Piece: 60, Space: 60}}
	if err := json.Unmarshal(readFile(t, "clip_tokens.json"), o); err != nil {
		t.Fatal(err)
	}
	return o
}

// checkCRC compares the ids of a text, padding left out, with the i-th checksum of sums.
func checkCRC(t *testing.T, tk *Tokenizer, i int, text, sums string) {
	t.Helper()
	ids := tk.Encode(text).IDs
	n := len(ids)
	for n > 1 && ids[n-1] == tk.end {
		n--
	}
	for last := n; n <= last+8; n++ { // a text may end in end tokens of its own
		if crc(ids[:n]) == sums[8*i:8*i+8] {
			return
		}
	}
	t.Errorf("text %d, %q: ids %v are not those of transformers", i, text, ids[:n])
}

func crc(ids []int32) string {
	var raw []byte
	for _, id := range ids {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(id))
	}
	return fmt.Sprintf("%08x", crc32.ChecksumIEEE(raw))
}

// With OpenAI's vocabulary the ids are those of transformers, token for token: CLIP's corner cases, the benchmark's
// descriptions and 10,000 random texts.
func TestTokensOfOpenAI(t *testing.T) {
	const context = 1024
	tk, short := openAI(t, context), openAI(t, 77)
	tk.Cleaning, short.Cleaning = CleanTransformers, CleanTransformers
	want := newOpenAITokens(t)
	if tk.VocabSize() != 49408 || tk.EndID() != 49407 || len(want.Cases) < 50 {
		t.Fatalf("%d tokens, the last %d; %d cases", tk.VocabSize(), tk.EndID(), len(want.Cases))
	}
	for _, c := range want.Cases {
		got := tk.Encode(c.Text)
		ids := slices.Concat(c.IDs, slices.Repeat([]int32{tk.end}, context-len(c.IDs)))
		if !slices.Equal(got.IDs, ids) || got.Lost != "" {
			t.Errorf("%q\n got %v\nwant %v", c.Text, got.IDs[:len(c.IDs)], c.IDs)
		}
		cut := short.Encode(c.Text)
		kept := 77
		for kept > 1 && cut.IDs[kept-1] == tk.end {
			kept--
		}
		if (cut.Lost != "") != c.Lost || kept > 76 || !slices.Equal(cut.IDs[:kept], ids[:kept]) {
			t.Errorf("%q in 77 tokens: %v, lost %q", c.Text, cut.IDs, cut.Lost)
		}
	}
	var described []struct{ Text string }
	data, err := os.ReadFile("../../configs/domains/lorelei/descriptions.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &described); err != nil {
		t.Fatal(err)
	}
	if len(want.Described) != 8*len(described) || len(want.Random) != 80_000 {
		t.Fatalf("%d and %d digits", len(want.Described), len(want.Random))
	}
	for i, d := range described {
		checkCRC(t, tk, i, d.Text, want.Described)
	}
	for i := range len(want.Random) / 8 {
		if checkCRC(t, tk, i, want.Text(), want.Random); t.Failed() && i%100 == 99 {
			break
		}
	}
}

// With OpenAI's vocabulary texts are cleaned as OpenAI's simple_tokenizer cleans them, or as OpenCLIP's configuration
// says: the ids are the same, token for token, of nasty texts and of 10,000 random ones.
func TestCleanings(t *testing.T) {
	const context = 1024
	var want struct {
		Cases  []tokenCase
		Random map[string]string
	}
	if err := json.Unmarshal(readFile(t, "clean_tokens.json"), &want); err != nil {
		t.Fatal(err)
	}
	if len(want.Cases) < 80 || len(want.Random) != 3 {
		t.Fatalf("%d cases, %d cleanings", len(want.Cases), len(want.Random))
	}
	tk := openAI(t, context)
	if tk.Cleaning != CleanOpenAI {
		t.Errorf("OpenAI's vocabulary has the cleaning %q", tk.Cleaning)
	}
	for _, c := range want.Cases {
		ids := slices.Concat([]int32{tk.start}, c.IDs, []int32{tk.end})
		if got := tk.Encode(c.Text).IDs[:len(ids)]; !slices.Equal(got, ids) {
			t.Errorf("%q, cleaned %q\n got %v\nwant %v", c.Text, tk.Cleaning.Clean(c.Text), got, ids)
		}
	}
	for name, cleaning := range map[string]Cleaning{"lower": CleanOpenAI, "whitespace": CleanWhitespace,
		"canonicalize": CleanCanonicalize} {
		tk := openAI(t, context)
		tk.Cleaning = cleaning
		texts, sums := newOpenAITokens(t), want.Random[name]
		wrong := 0
		for i := range len(sums) / 8 {
			text := texts.Text()
			if !hasCRC(tk, text, sums[8*i:8*i+8]) {
				t.Errorf("%s, text %d, %q: not the ids of OpenCLIP", name, i, text)
				if wrong++; wrong > 10 {
					break
				}
			}
		}
	}
}

// OpenCLIP's cleanings of one text, by their definitions in its src/open_clip/tokenizer.py.
func TestCleaningsOfOpenCLIP(t *testing.T) {
	const text = " Sea_waves  &amp;amp; “X_y”_ Ünï!\t"
	for cleaning, want := range map[Cleaning]string{
		CleanOpenAI: `sea_waves & "x_y"_ ünï!`, CleanWhitespace: `Sea_waves & "X_y"_ Ünï!`,
		CleanUnderscore: `Sea waves & "X y" Ünï!`, CleanCanonicalize: `sea waves x y ünï`, CleanTransformers: text,
	} {
		if got := cleaning.Clean(text); got != want {
			t.Errorf("%s: %q; want %q", cleaning, got, want)
		}
	}
}

// hasCRC reports whether the ids of a text, without the start and the end, have a checksum.
func hasCRC(tk *Tokenizer, text, sum string) bool {
	ids := tk.Encode(text).IDs[1:]
	n := len(ids)
	for n > 0 && ids[n-1] == tk.end {
		n--
	}
	for last := n; n <= last+8; n++ { // a text may end in end tokens of its own
		if crc(ids[:n]) == sum {
			return true
		}
	}
	return false
}

func TestVocabularyOfMergesRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		merges string
		size   int
		want   string
	}{
		"another file":   {"hello\nworld", 514, `line 1 is "hello"`},
		"nothing":        {"", 514, "line 1"},
		"too few merges": {"#version: 0.2\na b", 600, "it has 1 merges; a vocabulary of 600 tokens has 86"},
		"too few tokens": {"#version: 0.2\na b", 100, "a vocabulary of 100 tokens has -414"},
		"one token":      {"#version: 0.2\nab", 515, `line 2 is "ab"`},
		"three tokens":   {"#version: 0.2\na b c", 515, `line 2 is "a b c"`},
		"twice":          {"#version: 0.2\na b\na b", 516, `token "ab" occurs twice`},
	} {
		if _, _, err := VocabularyOfMerges([]byte(c.merges), c.size); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
