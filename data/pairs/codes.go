package pairs

import "illustrator/internal/fault"

// Codes of errors that a program's commands correct.
const (
	NoSet           fault.Code = "pairs.no_set"           // the folder does not exist
	NotASet         fault.Code = "pairs.not_a_set"        // the folder has no manifest
	InvalidManifest fault.Code = "pairs.invalid_manifest" // of a set
	Empty           fault.Code = "pairs.empty"            // the set has no rows
	Damaged         fault.Code = "pairs.damaged"          // a shard cannot be read. Args: the folder
	DamagedShard    fault.Code = "pairs.damaged_shard"    // the shard to continue is damaged. Args: the folder
	OtherMeta       fault.Code = "pairs.other_meta"       // of other networks or settings. Args: the set's domain
	SharedSeeds     fault.Code = "pairs.shared_seeds"     // two sets have the same seeds
	InUse           fault.Code = "pairs.in_use"           // another process writes to the folder
	OtherFiles      fault.Code = "pairs.other_files"      // the folder to write holds files of others
	ManyShards      fault.Code = "pairs.many_shards"      // more than a set may have
	Gaps            fault.Code = "pairs.gaps"             // the set cannot grow
)
