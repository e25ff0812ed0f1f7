package whiskers

import "illustrator/cmd/worlds/caption"

// Wordings by value, as caption.Word reads them.
var (
	coatWords = [][]string{
		{"orange", "ginger", "red", "orange"}, {"grey", "gray", "grey", "silver"}, {"black", "black", "jet black"},
		{"white", "white", "snow white"}, {"brown", "brown", "chocolate brown"},
	}
	patternWords = [][]string{
		{"+plain", "of one color", "without any pattern"},
		{"+striped", "+striped", "+tabby", "with stripes", "with striped fur", "with tiger stripes"},
		{"+spotted", "+spotted", "with spots", "with spotted fur", "with leopard spots"},
		{"+two-coloured", "+bicolored", "of two colors", "with fur of two colors"},
	}
	furWords = [][]string{
		{"with short hair", "with short fur", "+short haired", "+smooth"},
		{"with long hair", "with long fur", "+long haired", "+fluffy", "+furry", "with fluffy fur", "+shaggy"},
	}
	buildWords = [][]string{
		{"+slim", "+thin", "+slender", "+skinny", "+lean"}, {"+fat", "+fat", "+chubby", "+plump", "+round", "+big fat",
			"+overweight"},
	}
	earWords = [][]string{
		{"with upright ears", "with pointed ears", "with ears upright", "with its ears up", "with erect ears",
			"ears upright"},
		{"with folded ears", "with floppy ears", "with small folded ears", "with its ears folded"},
		{"with sideways ears", "with flat ears", "with ears to the side", "with its ears back", "with drooping ears"},
	}
	eyeWords = [][]string{
		{"with wide {c} eyes", "with big {c} eyes", "with round {c} eyes", "with large {c} eyes", "with wide open {c} eyes",
			"with its {c} eyes wide open"},
		{"with narrow {c} eyes", "with half closed {c} eyes", "with squinting {c} eyes", "with narrowed {c} eyes",
			"with slanted {c} eyes"},
		{"with closed eyes", "with its eyes closed", "sleeping", "asleep", "+sleepy", "with shut eyes"},
	}
	vigilant    = []string{"+vigilant", "vigilant", "+alert", "+watchful", "watchful", "on guard", "attentive"}
	eyeColors   = [][]string{{"green", "emerald"}, {"yellow", "golden", "amber"}, {"blue", "bright blue"}}
	colorOfEyes = []string{"with {c} eyes", "with {c} eyes", "whose eyes are {c}"}
	moodWords   = [][]string{
		{"+calm", "+quiet", "calm", "+peaceful", "with a closed mouth"},
		{"+happy", "+smiling", "smiling", "+cheerful", "laughing", "with a smile", "with a happy smile"},
		{"+grumpy", "+angry", "frowning", "+cross", "+bad tempered", "with a frown", "in a bad mood"},
		{"meowing", "+meowing", "crying", "with an open mouth", "calling", "miaowing"},
	}
	poseWords = [][]string{
		{"sitting", "+sitting", "sitting upright", "that sits"},
		{"lying", "lying down", "+resting", "lying on the floor", "that lies down", "curled up"},
		{"with its paws in front", "with paws straight ahead", "stretching its legs", "with stretched legs",
			"with its front legs stretched out", "with paws stretched out in front"},
	}
	wallWords = []string{"before a {c} wall", "in front of a {c} wall", "against a {c} wall", "on a {c} background",
		"in a {c} room", "with a {c} wall behind it"}
	neckWords = [][]string{
		nil,
		{"with a collar", "with a red collar", "wearing a collar", "with a bell", "wearing a red collar with a bell"},
		{"with a bow", "with a blue bow", "wearing a bow", "wearing a bow tie", "with a blue ribbon", "wearing a blue bow"},
	}
	hatWords = [][]string{
		nil,
		{"with a witch hat", "wearing a witch hat", "with a pointed hat", "in a purple hat", "wearing a pointed purple hat"},
		{"with a santa hat", "wearing a santa hat", "in a red hat", "wearing a red hat", "with a red cap",
			"with a Christmas hat"},
		{"with a crown", "wearing a crown", "with a golden crown", "wearing a golden crown"},
	}
	besideWords = [][]string{
		nil,
		{"with a ball of yarn", "with yarn", "next to a ball of wool", "beside a ball of yarn", "playing with yarn"},
		{"with a fish", "next to a fish", "with a fish on a plate", "beside a blue fish", "with its dinner"},
		{"with a plant", "next to a plant", "beside a green plant", "with a potted plant", "with a plant in a pot"},
		{"with a pumpkin", "next to a pumpkin", "beside an orange pumpkin", "with a jack o lantern"},
	}
	bareWords = []string{"without a hat", "with no hat", "without a collar", "with nothing on its head"}
)

// concepts are words for cats.
var concepts = []caption.Concept{
	{Words: []string{"Halloween cat", "Halloween kitten"}, Needs: map[int][]string{beside: {"pumpkin"}}},
	{Words: []string{"witch's cat", "witch cat", "magic cat", "wizard cat"}, Needs: map[int][]string{hat: {"witch hat"}}},
	{Words: []string{"haunted cat", "spooky cat", "scary cat"}, Needs: map[int][]string{coat: {"black"},
		hat: {"witch hat"}}},
	{Words: []string{"unlucky cat", "cat that brings bad luck", "Friday the thirteenth cat"},
		Needs: map[int][]string{coat: {"black"}, pattern: {"plain"}}},
	{Words: []string{"Christmas cat", "Santa cat", "cat dressed as Santa", "winter holiday cat"},
		Needs: map[int][]string{hat: {"santa hat"}}},
	{Words: []string{"king cat", "royal cat", "queen of cats", "cat prince", "king of the cats"},
		Needs: map[int][]string{hat: {"crown"}}},
	{Words: []string{"lion king"}, Needs: map[int][]string{hat: {"crown"}, coat: {"orange"}, fur: {"long"}}},
	{Words: []string{"tiger", "little tiger"}, Needs: map[int][]string{coat: {"orange"}, pattern: {"striped"}}},
	{Words: []string{"lion", "small lion"}, Needs: map[int][]string{coat: {"orange"}, fur: {"long"}, pattern: {"plain"}}},
	{Words: []string{"leopard", "cheetah"}, Needs: map[int][]string{coat: {"orange"}, pattern: {"spotted"}}},
	{Words: []string{"panther"}, Needs: map[int][]string{coat: {"black"}, fur: {"short"}, pattern: {"plain"}}},
	{Words: []string{"snow leopard"}, Needs: map[int][]string{coat: {"white"}, pattern: {"spotted"}}},
	{Words: []string{"cow cat", "tuxedo cat"}, Needs: map[int][]string{coat: {"black"}, pattern: {"two-coloured"}}},
	{Words: []string{"Garfield"}, Needs: map[int][]string{coat: {"orange"}, build: {"fat"}}},
	{Words: []string{"Persian cat", "Angora cat"}, Needs: map[int][]string{coat: {"white"}, fur: {"long"}}},
	{Words: []string{"British cat", "Scottish fold"}, Needs: map[int][]string{ears: {"folded"}, fur: {"short"}}},
	{Words: []string{"wildcat", "forest cat"}, Needs: map[int][]string{coat: {"brown"}, fur: {"long"}}},
	{Words: []string{"gentleman cat", "elegant cat", "dressed up cat"}, Needs: map[int][]string{neck: {"bow"}}},
	{Words: []string{"pet cat", "somebody's pet"}, Needs: map[int][]string{neck: {"collar"}}},
	{Words: []string{"playful cat", "kitten at play"}, Needs: map[int][]string{beside: {"yarn"}}},
	{Words: []string{"hungry cat", "fisherman's cat"}, Needs: map[int][]string{beside: {"fish"}}},
	{Words: []string{"gardener's cat", "jungle cat"}, Needs: map[int][]string{beside: {"plant"}}},
	{Words: []string{"tired cat", "lazy cat", "dreaming cat", "napping cat"},
		Needs: map[int][]string{eyes: {"closed"}, pose: {"lying"}}},
	{Words: []string{"praying cat", "meditating cat"}, Needs: map[int][]string{eyes: {"closed"}, pose: {"sitting"}}},
	{Words: []string{"hunter", "hunting cat", "guard cat"}, Needs: map[int][]string{eyes: {"wide"}, ears: {"upright"}}},
	{Words: []string{"frightened cat", "scared cat"}, Needs: map[int][]string{eyes: {"wide"}, ears: {"sideways"}}},
	{Words: []string{"furious cat", "villain cat", "evil cat"}, Needs: map[int][]string{mood: {"grumpy"},
		eyes: {"narrow"}}},
	{Words: []string{"singing cat", "opera singer"}, Needs: map[int][]string{mood: {"meowing"}, eyes: {"closed"}}},
	{Words: []string{"birthday cat", "party cat"}, Needs: map[int][]string{mood: {"happy"}, neck: {"bow"}}},
	{Words: []string{"well fed cat"}, Needs: map[int][]string{build: {"fat"}, beside: {"fish"}}},
}
