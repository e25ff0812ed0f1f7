package hints

import (
	"illustrator/checkpoints"
	"illustrator/configs"
	"illustrator/data/pairs"
	"illustrator/eval"
	"illustrator/eval/raters"
	"illustrator/internal/fault"
	"illustrator/models/convert"
	"illustrator/models/pipeline"
	"illustrator/models/xla"
)

// flags are the codes of errors that begin with the name of a flag.
var flags = []fault.Code{configs.InvalidSetting, xla.NotAPlugin, xla.OtherPlatform, xla.CPUWheel,
	raters.InvalidSetting}

// byCode has the hints of errors with a code, formats for the error's Args. Those that depend on more are "".
var byCode = map[fault.Code]string{
	checkpoints.NotAFolder:      "illustrator convert makes a folder of it",
	checkpoints.InvalidManifest: "make the folder again with illustrator convert, or fetch it again",
	checkpoints.PyTorchFile:     "illustrator convert makes safetensors of PyTorch checkpoints",
	checkpoints.OtherContents: "choose another folder, remove it, or allow to replace it " +
		"(illustrator convert --replace)",

	configs.InvalidSetting: "",
	configs.NoNetwork:      "%s must be the folder of a %s made by `illustrator convert`",
	configs.NoPrompts:      "",
	configs.NoDescriptions: "give texts, or --texts FILE",
	configs.NotFetched: "run `illustrator fetch %s`, which says what it downloads and under which licence; " +
		"$%s names another folder for weights",

	pairs.NoSet:   "make it with `illustrator pairs`",
	pairs.NotASet: "name a folder made by `illustrator pairs`",
	pairs.InvalidManifest: "the manifest was made by another version or is damaged: make the pairs again with " +
		"`illustrator pairs`",
	pairs.Empty: "the command that began it continues it: `illustrator pairs`",
	pairs.Damaged: "`illustrator pairs verify %s` reads every shard; with --repair it removes the damaged ones, " +
		"which `illustrator pairs` samples again",
	pairs.DamagedShard: "`illustrator pairs verify --repair %s` removes damaged shards, which are then sampled again",
	pairs.OtherMeta: "the pairs were made for domain %q with other networks or settings: make them again with " +
		"`illustrator pairs`, or name the set that fits",
	pairs.SharedSeeds: "sample one of them from seeds that the other does not have: `illustrator pairs --seed`",
	pairs.InUse:       "wait for it, or name another folder; --part gives every process a set of its own",
	pairs.OtherFiles:  "name a new folder, or one made by `illustrator pairs`",
	pairs.ManyShards:  "give larger shards: --shard-rows",
	pairs.Gaps: "merge it with the sets that are missing, or sample more rows into another folder from another " +
		"--seed",

	eval.NoTexts: "give --texts FILE",
	eval.NoCaptions: "give --texts FILE, one text per picture in the natural order of the files' names, or with a " +
		"column `file` of names",
	eval.OtherDomain: "name the domain that drew the pictures with --domain",
	eval.OtherScores: "give another --out, or remove that folder",

	raters.InvalidSetting: "",
	raters.ManyQuestions:  "lower --raters or --items",
	raters.NothingToCompare: "draw the same texts with each system: `illustrator generate --texts FILE --run RUN " +
		"--out FOLDER`",
	raters.OneText:      "take more texts, or --controls 0",
	raters.LargePage:    "leave --embed out, or lower --items",
	raters.FolderTaken:  "give another --out, or remove that folder",
	raters.OtherAnswers: "name the folder of their study with --study",
	raters.AllRejected:  "look at the answers; --min-controls and --min-repeats change the rule",

	convert.NoAttributes: `name a JSON file with "size" and "attributes", a list of {"name", "values"} ` +
		"(--attributes domain.json)",
	convert.NoActivation: "OpenAI's networks have quick_gelu, OpenCLIP's gelu unless their name says quickgelu: give " +
		"--activation, or lay %s beside the file",
	convert.NoVocabulary: "lay OpenAI's %s beside the weights or name it with --vocabulary: `pip download --no-deps " +
		"open-clip-torch` fetches an archive that has it (a folder with vocab.json and merges.txt, or with tokenizer.json, " +
		"will do too)",
	convert.FileExists: "name another file, or give --replace",
	convert.PromptFile: "name it as the domain's prompts, or with --prompts of `illustrator generate`",
	convert.PairsFile:  "`illustrator pairs import` makes a set of pairs of it",

	pipeline.InvalidPrompts: "compute them again with `illustrator prompt`",
	pipeline.OtherPrompts:   "prompts are made by `illustrator prompt`, with the CLIP of the domain that they are for",

	xla.NotInstalled: "",
	xla.OwnPlugin:    "name a PJRT plugin that works in --backend or $%s, or leave both out",
	xla.Broken:       "",
	xla.NotAPlugin: "give a PJRT plugin (a library with the function GetPjrtApi) built for this machine, or run " +
		"`illustrator setup` without --plugin",
	xla.OtherPlatform: "add --cuda for a CUDA plugin, and only for one",
	xla.CPUWheel:      "leave out --cuda, or give the CUDA plugin's .so",
	xla.WheelFails: "see what `illustrator doctor` says, or give another plugin with `illustrator setup --plugin " +
		"PATH`",
	xla.CPUPlatform: "get a PJRT CPU plugin for %s and run `illustrator setup --plugin PATH`",
	xla.CPUNoPip: "%s and run `illustrator setup` again, or run `%s` elsewhere and then `illustrator setup --plugin " +
		"FILE.whl` here",
	xla.CPUDownload: "check the network and run `illustrator setup` again, or run `%s` where there is a network and " +
		"then `illustrator setup --plugin FILE.whl` here",
	xla.CUDAPlatform: "leave out --cuda to run on the CPU",
	xla.OldDriver:    "update NVIDIA's driver, or run on the CPU (`illustrator setup`)",
	xla.CUDANoPip: "%s, or bring the files from a machine with a network (`illustrator setup --cuda=%[2]d --list` says " +
		"how) and run `illustrator setup --cuda=%[2]d --from FOLDER`",
	xla.CUDADownload: "check the network and run it again, which keeps what is there; or bring the files from a machine " +
		"with a network (`illustrator setup --cuda=%[1]d --list` says how) and run `illustrator setup --cuda=%[1]d --from " +
		"FOLDER`",
	xla.LackingWheels: "`illustrator setup --cuda=%d --list` lists the files and says how to bring them",
	xla.DamagedWheel:  "delete that file and bring it again: `illustrator setup --cuda=%d --list` says how",
	xla.CUDAFails:     "`illustrator doctor --device cuda` says what is wrong with the GPU or its driver",
}
