// Package teach learns from pictures of a plant's own strip, without labels, what is normal there: how high a
// detector's limits must lie, and which looks of its texture a model takes for defects. What it learned is a
// version that never changes, is tied to one model, and is only used once a person activates it.
package teach
