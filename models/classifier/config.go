// Package classifier names the attributes that are seen in a picture, to judge pictures by ground truth.
package classifier

// ModelType is the "model_type" of an attribute classifier's config.json.
const ModelType = "attribute_classifier"

// Config is an attribute classifier, as stored in config.json.
type Config struct {
	ModelType string `json:"model_type"`
	// ImageSize is the height and width of the pictures in pixels.
	ImageSize int `json:"image_size"`
	// Attributes names the logits' attributes, in order.
	Attributes []Attribute `json:"attributes"`
}

// Attribute is a property of a picture with its possible values.
type Attribute struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}
