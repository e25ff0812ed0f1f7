"""Random texts for goldens, which texts.go makes too: written with nothing but splitmix64."""
import unicodedata

MASK = (1 << 64) - 1


class RandomTexts:
    """Texts of words, pieces and characters, with spaces between some. Characters are those of Unicode 3.2: later versions differ
    between the two programs' tables. word, piece and space are per cent: of words, of words and pieces together, of spaces."""

    def __init__(self, seed, words, spaces, pieces, limits, word, piece, space):
        self.state, self.words, self.spaces, self.pieces, self.limits = seed, words, spaces, pieces, limits
        self.word, self.piece, self.space = word, piece, space
        self.ranges = ranges(limits[-1])

    def below(self, n):
        """splitmix64, modulo n."""
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        z = self.state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return (z ^ (z >> 31)) % n

    def pick(self, of):
        return of[self.below(len(of))]

    def character(self):
        while True:
            c = self.below(self.pick(self.limits))
            if any(first <= c <= last for first, last in self.ranges):
                return chr(c)

    def text(self):
        out = ""
        for _ in range(1 + self.below(6)):
            kind = self.below(100)
            if kind < self.word:
                out += self.pick(self.words)
            elif kind < self.piece:
                out += self.pick(self.pieces)
            else:
                for _ in range(1 + self.below(3)):
                    out += self.character()
            if self.below(100) < self.space:
                out += self.pick(self.spaces)
        return out


def ranges(end):
    """The characters of Unicode 3.2 below end as pairs of first and last."""
    out = []
    for c in range(end):
        if unicodedata.ucd_3_2_0.category(chr(c)) == "Cn" or 0xD800 <= c < 0xE000:
            continue
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out
