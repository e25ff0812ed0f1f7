package chapel

import "illustrator/cmd/worlds/caption"

// Wordings by value, as caption.Word reads them.
var (
	skyWords = [][]string{
		{
			"under a blue sky", "under a bright blue sky", "with a blue sky", "with a sky as blue as the ocean",
			"with a sky blue like the sea",
			"under a sea blue sky",
			"by day", "in daylight", "in the sunshine", "in the sun",
		},
		{
			"at dusk", "at twilight", "in dim light", "in dim yellow light", "in the dim evening light", "with a dusky sky",
			"under a dim yellow sky", "in the dusk",
		},
		{
			"at sunset", "in the evening", "under a red sky", "under a pink sky", "under an orange sky",
			"with a pink evening sky",
			"before the setting sun", "with the sun setting behind it",
		},
		{
			"at night", "under the stars", "in the moonlight", "under the moon", "under a dark sky", "with a starry sky",
			"in the dark",
			"with the moon and stars above",
		},
		{"under a grey sky", "under a gray sky", "under a dull sky", "on a grey day", "with a gray sky", "on a dull day"},
	}
	skyNames = [][]string{{"blue"}, {"dim yellow", "dusky", "dim"}, {"red", "pink", "orange"},
		{"dark", "night", "starry"}, {"grey", "gray", "dull"}}
	cloudWords = [][]string{
		{"under a cloudless sky", "under a clear sky", "without clouds", "with no clouds", "with a cloudless sky"},
		{"with a few clouds", "with two small clouds", "with few clouds in the sky", "under a few clouds"},
		{"under a cloudy sky", "with many clouds", "under thick clouds", "with a sky full of clouds", "with a cloudy sky"},
	}
	cloudNames = [][]string{{"cloudless", "clear"}, nil, {"cloudy"}}

	styleWords = [][]string{
		{"+gothic", "+gothic", "+gothic", "with pointed arches", "with pointed windows", "in the gothic style"},
		{"+romanesque", "+romanesque", "+romanesque", "with round arches", "with rounded windows", "in the romanesque style"},
		{"+wooden", "+wooden", "+timber", "with wooden walls", "made of wood", "built of wood", "built of wooden boards"},
	}
	wallWords = [][]string{
		{"+white", "with white walls", "with white walls", "+whitewashed"},
		{"+grey", "with grey walls", "+gray", "with gray walls"},
		{"+red", "with red walls"}, {"+yellow", "with yellow walls"}, {"+brown", "with brown walls"},
	}
	brickWords = []string{"+brick", "+red brick", "with brick walls", "built of red bricks", "with red brick walls"}
	stoneWords = []string{"+stone", "+grey stone", "with stone walls", "built of grey stone", "with gray stone walls"}
	roofWords  = [][]string{{"black", "dark", "jet black"}, {"red", "bright red"}, {"brown"}, {"green"}, {"blue"},
		{"golden", "gold", "yellow"}}

	numberWords = [][]string{nil, {"one", "a", "a single"}, {"two", "twin", "a pair of"}, {"three"}}
	heightWords = [][]string{{"low", "short", "small", "squat"}, {"tall", "high", "very tall"}}
	topWords    = [][2][]string{
		{{"spire", "pointed spire", "steeple", "pointed tower"}, {"spires", "pointed spires", "steeples", "pointed towers"}},
		{{"dome", "round dome", "domed tower"}, {"domes", "round domes", "domed towers"}},
		{{"onion dome", "onion shaped dome", "onion tower"}, {"onion domes", "onion shaped domes", "onion towers"}},
		{{"flat tower", "flat top", "tower with a flat top"}, {"flat towers", "flat tops", "towers with flat tops"}},
	}
	towerless = []string{"without a tower", "without towers", "with no tower", "with no towers"}

	windowWords = [][]string{
		{"with dark windows", "with black windows", "with unlit windows", "with no light in the windows"},
		{"with lit windows", "with glowing windows", "with light in the windows", "with yellow windows",
			"with lights on inside"},
		{"with stained glass windows", "with colorful windows", "with coloured glass", "with windows of many colors"},
	}
	seasonWords = [][]string{
		{"with flowers in the meadow", "with spring flowers", "in spring", "in the spring", "on a meadow of flowers"},
		{"in summer", "on a summer day", "on green grass", "on a green meadow", "in the summer"},
		{"with fallen leaves", "in autumn", "in the fall", "among fallen leaves", "on brown ground"},
		{"+snowy", "+snow covered", "with snow", "in winter", "in the snow", "on a snowy field", "on white snow",
			"surrounded by snow"},
	}
	treeWords = [][]string{
		{"without trees", "with no trees"}, {"with fir trees", "with pine trees", "with firs", "between fir trees",
			"among pine trees", "next to evergreen trees"},
		{"with leafy trees", "with round trees", "between leafy trees", "among round trees"},
		{"with bare trees", "with leafless trees", "with dead trees", "between bare trees", "among leafless trees"},
	}
	yardWords = [][]string{
		nil, {"with a path", "with a path to the door", "at the end of a path", "with a sandy path in front"},
		{"with graves", "with a graveyard", "with gravestones", "with tombstones", "in a cemetery", "beside a graveyard"},
		{"with a fence", "behind a fence", "behind a picket fence", "with a fence in front"},
	}
)

// concepts are words for churches.
var concepts = []caption.Concept{
	{Words: []string{"haunted church", "haunted chapel", "ghostly church", "church of ghosts"},
		Needs: map[int][]string{sky: {"night"}, yard: {"graves"}}},
	{Words: []string{"spooky church", "spooky chapel", "creepy church", "creepy old chapel"},
		Needs: map[int][]string{sky: {"night"}, trees: {"bare"}}},
	{Words: []string{"Halloween church", "Halloween chapel"}, Needs: map[int][]string{sky: {"night"}, season: {"autumn"}}},
	{Words: []string{"gloomy church", "gloomy chapel", "dreary church", "sad church"},
		Needs: map[int][]string{sky: {"grey"}}},
	{Words: []string{"stormy church", "church before the rain"}, Needs: map[int][]string{sky: {"grey"}, clouds: {"many"}}},
	{Words: []string{"sunny church", "sunny chapel", "bright cheerful church"},
		Needs: map[int][]string{sky: {"day"}, clouds: {"none"}}},
	{Words: []string{"romantic church", "romantic chapel"}, Needs: map[int][]string{sky: {"sunset"}}},
	{Words: []string{"mysterious church", "mysterious chapel"}, Needs: map[int][]string{sky: {"dusk"}}},
	{Words: []string{"moonlit church", "midnight church", "sleeping church"}, Needs: map[int][]string{sky: {"night"}}},
	{Words: []string{"Christmas church", "Christmas chapel"}, Needs: map[int][]string{season: {"winter"},
		windows: {"lit"}}},
	{Words: []string{"alpine church", "mountain chapel", "chapel in the mountains"},
		Needs: map[int][]string{season: {"winter"}, trees: {"firs"}}},
	{Words: []string{"Easter church", "wedding chapel", "wedding church", "chapel for weddings",
		"church for a wedding day"},
		Needs: map[int][]string{season: {"spring"}, wall: {"white"}}},
	{Words: []string{"harvest church", "Thanksgiving church"}, Needs: map[int][]string{season: {"autumn"},
		trees: {"leafy"}}},
	{Words: []string{"cathedral", "great cathedral"}, Needs: map[int][]string{style: {"gothic"}, towers: {"two", "three"},
		height: {"tall"}}},
	{Words: []string{"fortress church", "castle church", "castle"},
		Needs: map[int][]string{top: {"flat"}, towers: {"two", "three"}}},
	{Words: []string{"Russian church", "orthodox church"}, Needs: map[int][]string{top: {"onion"},
		towers: {"two", "three"}}},
	{Words: []string{"Bavarian church"}, Needs: map[int][]string{top: {"onion"}, towers: {"one"}}},
	{Words: []string{"basilica"}, Needs: map[int][]string{style: {"romanesque"}, top: {"dome"}}},
	{Words: []string{"Greek church", "Greek chapel"}, Needs: map[int][]string{wall: {"white"}, roof: {"blue"}}},
	{Words: []string{"monastery", "abbey", "old abbey"}, Needs: map[int][]string{style: {"romanesque"}, wall: {"grey"}}},
	{Words: []string{"stave church", "Norwegian church", "log cabin"},
		Needs: map[int][]string{style: {"wooden"}, wall: {"brown"}}},
	{Words: []string{"New England church", "American church"}, Needs: map[int][]string{style: {"wooden"},
		wall: {"white"}}},
	{Words: []string{"barn", "farm church"}, Needs: map[int][]string{style: {"wooden"}, wall: {"red"}}},
	{Words: []string{"fairy tale church", "fairytale chapel"}, Needs: map[int][]string{top: {"spire"}, roof: {"blue"}}},
	{Words: []string{"royal church", "royal family's church", "church of the royal family", "rich church"},
		Needs: map[int][]string{roof: {"gold"}}},
	{Words: []string{"humble chapel", "village chapel", "country chapel"}, Needs: map[int][]string{towers: {"none"}}},
	{Words: []string{"vampire church", "Dracula's church"}, Needs: map[int][]string{sky: {"night"}, style: {"gothic"}}},
	{Words: []string{"abandoned church", "deserted chapel"}, Needs: map[int][]string{windows: {"dark"}, trees: {"bare"}}},
	{Words: []string{"cemetery church", "burial chapel"}, Needs: map[int][]string{yard: {"graves"}}},
}
