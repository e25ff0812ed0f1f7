package clip

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"illustrator/checkpoints"
	"illustrator/internal/fault"
)

// loreleiFiles returns vocab.json and merges.txt of Lorelei.
func loreleiFiles(t testing.TB) (vocab, merges []byte) {
	t.Helper()
	folder, err := checkpoints.Open("embedded:lorelei/clip")
	if err != nil {
		t.Fatal(err)
	}
	if vocab, err = folder.ReadFile("vocab.json"); err != nil {
		t.Fatal(err)
	}
	if merges, err = folder.ReadFile("merges.txt"); err != nil {
		t.Fatal(err)
	}
	return vocab, merges
}

// lorelei returns the tokenizer of Lorelei with another context.
func lorelei(t testing.TB, context int) *Tokenizer {
	t.Helper()
	vocab, merges := loreleiFiles(t)
	tk, err := NewTokenizer(vocab, merges, context)
	if err != nil {
		t.Fatal(err)
	}
	return tk
}

type tokenCase struct {
	Text string  `json:"text"`
	IDs  []int32 `json:"ids"`
}

func tokenCases(t *testing.T, name string) []tokenCase {
	t.Helper()
	var cases []tokenCase
	if err := json.Unmarshal(readFile(t, name), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 30 {
		t.Fatalf("%s has %d texts", name, len(cases))
	}
	return cases
}

func TestTokensOfLorelei(t *testing.T) {
	tk := lorelei(t, 48)
	for _, c := range tokenCases(t, "lorelei_tokens.json") {
		got := tk.Encode(c.Text)
		if !slices.Equal(got.IDs, c.IDs) {
			t.Errorf("%q\n got %v\nwant %v", c.Text, got.IDs, c.IDs)
		}
		if cut := c.IDs[46] != tk.end; cut != (got.Lost != "") {
			t.Errorf("%q: cut is %t, but lost is %q", c.Text, cut, got.Lost)
		}
	}
}

func TestTokensOfRandomTexts(t *testing.T) {
	tk := lorelei(t, 512)
	for _, c := range tokenCases(t, "unicode_tokens.json") {
		got := tk.Encode(c.Text)
		ids := slices.Concat(c.IDs, slices.Repeat([]int32{tk.end}, 512-len(c.IDs)))
		if !slices.Equal(got.IDs, ids) || got.Lost != "" {
			t.Errorf("%q\n got %v, lost %q\nwant %v", c.Text, got.IDs[:len(c.IDs)+1], got.Lost, c.IDs)
		}
	}
}

func TestLost(t *testing.T) {
	tk := lorelei(t, 8) // room for 6 tokens
	for _, test := range []struct {
		text   string
		tokens int // that are kept
		lost   string
	}{
		{"", 0, ""},
		{" \n ", 0, ""},
		{"a person with hair", 4, ""},
		{"a b c d e f", 6, ""},
		{"a b c d e F  G ", 6, "G"},
		{"a b c d e\tDon't  STOP ", 5, "Don't  STOP"}, // "don" would fit, "'t" does not
		{"A T-shirt, a T-shirt", 6, "T-shirt"},
		{"a QQQQQQQQ b", 6, "qqq b"}, // longer than the context: cut inside
		{"日本語のテキスト", 6, "語のテキスト"},    // 3 bytes a character
		{"ab日本語の", 6, "本語の"},         // a token is left of 本
		{"a <|endoftext|> b c d e f", 6, "f"},
	} {
		got := tk.Encode(test.text)
		kept := len(got.IDs) - 1
		for kept > 0 && got.IDs[kept] == tk.end {
			kept--
		}
		if got.Lost != test.lost || kept != test.tokens {
			t.Errorf("%q: kept %d tokens, lost %q; want %d, %q", test.text, kept, got.Lost, test.tokens, test.lost)
		}
	}
}

// Whatever the text: the ids are well-formed, and in a long context the tokens spell the text's normal form.
func TestEncodeProperties(t *testing.T) {
	long, short := lorelei(t, 4096), lorelei(t, 12)
	spelling := map[int32]string{}
	bytesOf := map[rune]byte{}
	for b, symbol := range byteSymbols() {
		bytesOf[[]rune(symbol)[0]] = byte(b)
	}
	for tok, id := range long.bpe.ids {
		var raw []byte
		for _, r := range strings.TrimSuffix(tok, endOfWord) {
			raw = append(raw, bytesOf[r])
		}
		if id == long.start || id == long.end {
			raw = []byte(tok)
		}
		spelling[id] = string(raw)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`([a-zA-Z' ]{0,8}|<\|endoftext\|>|[À-ÿ ]{0,3}){0,8}`),
			rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) })).Draw(t, "text")
		all := long.Encode(text)
		end := len(all.IDs)
		for end > 0 && all.IDs[end-1] == long.end {
			end--
		}
		var spelt strings.Builder
		for _, id := range all.IDs[1:end] {
			spelt.WriteString(spelling[id])
		}
		normal := lower(norm.NFC.String(strings.ToValidUTF8(text, "\ufffd")))
		normal = strings.Join(strings.FieldsFunc(normal, unicode.IsSpace), "")
		for strings.HasSuffix(normal, endToken) { // not told apart from padding
			normal = strings.TrimSuffix(normal, endToken)
		}
		if all.Lost != "" || spelt.String() != normal {
			t.Fatalf("tokens spell %q, want %q; lost %q", spelt.String(), normal, all.Lost)
		}

		cut := short.Encode(text)
		if len(cut.IDs) != 12 || cut.IDs[0] != short.start || cut.IDs[11] != short.end {
			t.Fatalf("malformed ids %v", cut.IDs)
		}
		kept := len(cut.IDs)
		for kept > 1 && cut.IDs[kept-1] == short.end {
			kept--
		}
		if !slices.Equal(cut.IDs[:kept], all.IDs[:kept]) {
			t.Fatalf("the short context has other tokens: %v, want the beginning of %v", cut.IDs, all.IDs[:end])
		}
		tokens := 0
		for _, w := range strings.FieldsFunc(strings.ToValidUTF8(text, "\ufffd"), unicode.IsSpace) {
			tokens += len(long.word(w).tokens)
		}
		if (cut.Lost != "") != (tokens > 10) {
			t.Fatalf("%d tokens in a context of 12, but lost is %q", tokens, cut.Lost)
		}
	})
}

// A long text takes a time that grows with its length, not with its square, whether it is one word or many.
func TestLongText(t *testing.T) {
	tk := lorelei(t, 48)
	for _, text := range []string{strings.Repeat("hair", 1<<18), strings.Repeat("hair ", 1<<18),
		strings.Repeat("'", 1<<20)} {
		if got := tk.Encode(text); len(got.IDs) != 48 || len(got.Lost) < len(text)/2 {
			t.Errorf("%d ids, %d of %d bytes lost", len(got.IDs), len(got.Lost), len(text))
		}
	}
}

func TestEncodeConcurrently(t *testing.T) {
	tk, want := lorelei(t, 48), lorelei(t, 48).Encode("a person with curly hair")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got := tk.Encode("a person with curly hair"); !slices.Equal(got.IDs, want.IDs) {
					t.Errorf("got %v, want %v", got.IDs, want.IDs)
				}
			}
		})
	}
	wg.Wait()
}

func TestTokenizerErrors(t *testing.T) {
	vocabFile, mergesFile := loreleiFiles(t)
	vocab, merges := string(vocabFile), string(mergesFile)
	for name, test := range map[string]struct{ vocab, merges, want string }{
		"truncated vocab":     {vocab[:5000], merges, "vocab.json:1: unexpected end"},
		"vocab of lists":      {"{\n\"a\": [1]}", merges, "vocab.json:2: json: cannot unmarshal array"},
		"null":                {"null", merges, `token "Ā" is missing among 0 tokens`},
		"no end token":        {strings.Replace(vocab, endToken, "<end>", 1), merges, `token "<|endoftext|>" is missing`},
		"no byte":             {strings.Replace(vocab, `"!"`, `"!!!"`, 1), merges, `token "!" is missing`},
		"same id twice":       {strings.Replace(vocab, `:932`, `:933`, 1), merges, "have the same id 933"},
		"negative id":         {strings.Replace(vocab, `:932`, `:-1`, 1), merges, "has id -1"},
		"huge id":             {strings.Replace(vocab, `:932`, `:99999999999`, 1), merges, "vocab.json:1"},
		"empty merges":        {vocab, "", "merges.txt: the file is empty"},
		"no version":          {vocab, "a r\n", `merges.txt:1: got "a r"; expected "#version`},
		"three tokens":        {vocab, merges + "a b c\n", `merges.txt:422: got "a b c"; expected two tokens`},
		"unknown token":       {vocab, merges + "a qqq\n", `merges.txt:422: "a" and "qqq"`},
		"unknown result":      {vocab, merges + "q x\n", `merges.txt:422: "q" and "x"`},
		"merge twice":         {vocab, merges + "a r\n", `merges.txt:422: "a" and "r" are joined on an earlier line`},
		"a line of a million": {vocab, merges + strings.Repeat("a", 1<<20), "merges.txt:422"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewTokenizer([]byte(test.vocab), []byte(test.merges), 48)
			if err == nil || !strings.Contains(err.Error(), test.want) || fault.HintOf(err) == "" {
				t.Errorf("got error %v, hint %q; want %q and a hint", err, fault.HintOf(err), test.want)
			}
		})
	}
	if _, err := NewTokenizer([]byte(vocab), []byte(merges), 2); err == nil {
		t.Error("a context of 2 has no room for a word, but is accepted")
	}
}
