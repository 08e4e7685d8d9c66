package inspection

// RegionKind tells which measure of the detector found a region.
type RegionKind uint8

// Kinds of regions.
const (
	SpotRegion  RegionKind = iota // small, dark or bright against its surroundings
	LineRegion                    // long and thin along the rolling direction
	PatchRegion                   // an area that differs in brightness or texture
)

func (k RegionKind) String() string {
	switch k {
	case SpotRegion:
		return "spot"
	case LineRegion:
		return "line"
	case PatchRegion:
		return "patch"
	}
	return "unknown"
}

// RegionOfInterest is a rectangle of a frame, in pixels from its top left, where the strip does not
// look like the strip around it.
type RegionOfInterest struct {
	X, Y, Width, Height int
	PeakX, PeakY        int        // pixel where the response is strongest; inside the rectangle
	Kind                RegionKind // the measure that responded most
	Bright              bool       // brighter than its surroundings
	Score               float32    // response over the detection threshold; 1 just fires
	Area                int        // pixels that responded, at most Width*Height
}

// StripEdges says where the strip lies in a frame. Left and Right are pixels across, Right
// exclusive, averaged over the lines that show strip; FirstLine and LastLine (exclusive) bound those
// lines. Present is false for a frame without strip.
type StripEdges struct {
	Present             bool
	Left, Right         float64
	FirstLine, LastLine int
}

// UnscreenedLines are the scan lines [From, To) of a frame in which nothing was looked for.
type UnscreenedLines struct {
	From, To int
	Cause    string
}

// Screening is what a detector saw in one frame. It is reused from frame to frame: a detector
// truncates and appends.
type Screening struct {
	Edges   StripEdges
	Regions []RegionOfInterest
	// Unscreened lines, in order and apart from each other: where no strip shows, and at the rims of a head
	// or tail end.
	Unscreened []UnscreenedLines
	// Means holds one byte for each block of 8 x 8 pixels (BlockColumns a row): a picture of the
	// frame at an eighth of its size, after flat field.
	Means                   []byte
	BlockColumns, BlockRows int
}

// Classification is a model's verdict on one region.
type Classification struct {
	Class      DefectClass `json:"class"`
	Confidence float32     `json:"confidence"` // calibrated probability of Class, 0 to 1
	Look       Look        `json:"-"`
}

// certainResponse is the response above which a region is there whatever a model says: 1,000 m of good
// simulated strip, ragged ends included, gave 16.6 at most.
const certainResponse = 20

// Verdict is what a model's answer on the region comes to. A model may reject a faint region as plain strip;
// one that stands out as nothing on good strip does is unknown instead.
func (r RegionOfInterest) Verdict(answer Classification) Classification {
	if answer.Class == NoDefect && r.Score >= certainResponse {
		return Classification{Class: Unknown}
	}
	return answer
}
