package metrics

import "strings"

// labels are the full names of metrics, by their keys. A key of which another is the beginning comes first.
var labels = []struct{ key, label string }{
	{"clip_similarity", "CLIP similarity (cosine)"},
	{"clip_score_torchmetrics", "CLIPScore of torchmetrics"},
	{"clip_score", "CLIPScore"},
	{"r_precision_1_of_", "R-precision, 1 of "},
	{"r_precision", "R-precision"},
	{"attribute_accuracy", "named attributes found"},
	{"others_kept", "other attributes kept"},
	{"origin_similarity", "CLIP similarity with the origin (cosine)"},
	{"lpips_diversity", "diversity (LPIPS)"},
	{"diversity", "diversity (CLIP cosine distance)"},
	{"vendi_score", "Vendi score"},
	{"input_similarity", "similarity of the mapper's input and its picture (cosine)"},
	{"z_distance", "Fréchet distance of z from N(0, I)"},
	{"z_mean", "mean of z"},
	{"z_std", "standard deviation of z"},
	{"fid", "Fréchet distance (FID)"},
	{"kid_whole", "kernel distance of whole sets (KID)"},
	{"kid", "kernel distance (KID)"},
	{"cmmd", "maximum mean discrepancy (CMMD)"},
	{"seconds_per_picture", "seconds per picture"},
	{"gradients_per_picture", "gradient evaluations per picture"},
	{"training_seconds", "training time in seconds"},
}

// Label is the full name of the metric that a key names, such as "named attributes found (limited)" of
// "attribute_accuracy (limited)". Of a key that has no other name it is the key in words.
func Label(key string) string {
	for _, l := range labels {
		if rest, is := strings.CutPrefix(key, l.key); is {
			return l.label + rest
		}
	}
	return strings.ReplaceAll(key, "_", " ")
}
