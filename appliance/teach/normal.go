package teach

import (
	"cmp"
	"math"
	"slices"

	"github.com/coilsight/coilsight/inference"
)

const (
	// unsure is the confidence in a defect class up to which what recurs may overrule the model without being asked.
	unsure = 0.9
	// apart is the share of the way to a defect that a prototype's radius may take.
	apart = 0.75
	// lanes is how many parts the strip's width is divided into to see where a look occurs.
	lanes = 16
	// A look of the strip's texture has so many neighbours, on so many pictures and this share of them, in as many
	// lanes as this if they were filled evenly.
	leastMembers, leastPictures = 8, 4
	leastPictureShare           = 0.05
	leastLanes                  = 4
	// A place across the strip is fixed where one lane holds so many times what the others do on average, and no
	// fewer than so many regions: chance does that once in 100,000 lanes.
	fixedTimes, fixedMembers = 5, 8
	// mostCompared bounds the regions that are compared with one another: some seconds.
	mostCompared = 4000
	// narrowest is the share of the reach below which a radius that defects cut down is worth nothing.
	narrowest = 0.3
)

// Recurring is a look that comes back at one place across the strip, or at one distance along it: a mark of a roll
// or a guide, and no texture.
type Recurring struct {
	Region  Region  `json:"region"`  // one of them
	Across  float64 `json:"across"`  // 0 at the left edge, 1 at the right
	Members int     `json:"members"` // regions seen
	// EveryLines is the distance along in scan lines; 0 where none was found or the pictures do not continue
	// one another.
	EveryLines float64 `json:"every_lines,omitempty"`
}

// look is a prototype with the evidence for it.
type look struct {
	inference.Prototype
	members  int
	pictures int
	example  int // index of the region nearest to it
}

// recur finds the looks that recur all over the strip. reach is how near two regions must be to be taken for the
// same look; along gives a region's scan line where pictures continue one another, else nil. defects are features
// that are never normal.
func recur(regions []Region, pictures int, reach float32, defects [][]float32, along func(*Region) float64) (looks []look, fixed []Recurring) {
	near := neighbours(regions, reach)
	open := make([]bool, len(regions)) // not yet held by a look
	for i := range open {
		open[i] = true
	}
	asked := make([]bool, len(regions)) // was the middle of something that was no look
	for len(looks) < inference.MostPrototypes {
		best, most := -1, leastMembers-1
		for i := range regions {
			if asked[i] || !open[i] {
				continue
			}
			n := 0
			for _, j := range near[i] {
				if open[j] {
					n++
				}
			}
			if n > most {
				best, most = i, n
			}
		}
		if best < 0 {
			break
		}
		asked[best] = true
		var members []int32
		for _, j := range near[best] {
			if open[j] {
				members = append(members, j)
			}
		}
		members, marks := withoutFixed(regions, members, along)
		for _, m := range marks {
			for _, j := range m.members {
				open[j] = false
				defects = append(defects, regions[j].Features)
			}
			fixed = append(fixed, m.Recurring)
		}
		if !spread(regions, members, pictures) {
			continue
		}
		l := middle(regions, members)
		if l.Radius = kept(l.Prototype, defects, reach); l.Radius == 0 {
			continue
		}
		looks = append(looks, l)
		for i := range regions {
			if open[i] && inference.Distance(regions[i].Features, l.Features) <= l.Radius {
				open[i] = false
			}
		}
	}
	// Marks that were found late hold for all looks.
	looks = slices.DeleteFunc(looks, func(l look) bool { return kept(l.Prototype, defects, reach) == 0 })
	for i := range looks {
		looks[i].Radius = kept(looks[i].Prototype, defects, reach)
	}
	return looks, fixed
}

// kept is the radius that the defects leave to a prototype; 0 where it is not worth anything any more.
func kept(p inference.Prototype, defects [][]float32, reach float32) float32 {
	r := p.Radius
	for _, d := range defects {
		r = min(r, apart*inference.Distance(p.Features, d))
	}
	if r < narrowest*reach {
		return 0
	}
	return r
}

// neighbours lists for each region those whose features lie within reach, itself among them.
func neighbours(regions []Region, reach float32) [][]int32 {
	out := make([][]int32, len(regions))
	for i := range regions {
		out[i] = append(out[i], int32(i))
		for j := range i {
			if inference.Distance(regions[i].Features, regions[j].Features) <= reach {
				out[i] = append(out[i], int32(j))
				out[j] = append(out[j], int32(i))
			}
		}
	}
	return out
}

func lane(r *Region) int { return min(int(r.Across*lanes), lanes-1) }

// mark is a fixed place with the regions there.
type mark struct {
	Recurring
	members []int32
}

// withoutFixed takes out what comes back at a fixed place across or distance along.
func withoutFixed(regions []Region, members []int32, along func(*Region) float64) (rest []int32, marks []mark) {
	var by [lanes][]int32
	for _, j := range members {
		l := lane(&regions[j])
		by[l] = append(by[l], j)
	}
	for _, in := range by {
		every := 0.0
		if along != nil {
			at := make([]float64, len(in))
			for i, j := range in {
				at[i] = along(&regions[j])
			}
			every = period(at)
		}
		others := float64(len(members)-len(in)) / (lanes - 1)
		crowded := len(in) >= fixedMembers && float64(len(in)) > fixedTimes*others && countPictures(regions, in) >= leastPictures
		if every == 0 && !crowded {
			rest = append(rest, in...)
			continue
		}
		m := mark{members: in, Recurring: Recurring{Region: regions[in[0]], Members: len(in), EveryLines: every}}
		for _, j := range in {
			m.Across += regions[j].Across / float64(len(in))
		}
		marks = append(marks, m)
	}
	return rest, marks
}

// period is the distance at which most positions come back; 0 where they do not. A turn of which nothing was seen
// counts as a multiple, up to 5.
func period(at []float64) float64 {
	const (
		least   = 5    // distances that tell something
		agreed  = 0.8  // share of them that must be a multiple
		within  = 0.02 // of the distance; chance has 4 % of it
		longest = 5
	)
	slices.Sort(at)
	var steps []float64
	for i := 1; i < len(at); i++ {
		if d := at[i] - at[i-1]; d > inference.CropSize { // nearer ones are parts of the same mark
			steps = append(steps, d)
		}
	}
	if len(steps) < least {
		return 0
	}
	slices.Sort(steps)
	base, fit := steps[len(steps)/4], 0
	for _, d := range steps {
		if n := math.Round(d / base); n <= longest && math.Abs(d-n*base) <= within*base*n {
			fit++
		}
	}
	if float64(fit) < agreed*float64(len(steps)) {
		return 0
	}
	return base
}

func countPictures(regions []Region, members []int32) int {
	seen := map[int]bool{}
	for _, j := range members {
		seen[regions[j].Picture] = true
	}
	return len(seen)
}

// spread tells whether regions lie all over the strip.
func spread(regions []Region, members []int32, pictures int) bool {
	if len(members) < leastMembers {
		return false
	}
	if n := countPictures(regions, members); n < leastPictures || float64(n) < leastPictureShare*float64(pictures) {
		return false
	}
	var in [lanes]float64
	for _, j := range members {
		in[lane(&regions[j])]++
	}
	entropy := 0.0
	for _, n := range in {
		if p := n / float64(len(members)); p > 0 {
			entropy -= p * math.Log(p)
		}
	}
	return math.Exp(entropy) >= leastLanes
}

// middle is the prototype of some regions; its radius takes in all but the farthest twentieth of them.
func middle(regions []Region, members []int32) look {
	sum := make([]float32, len(regions[members[0]].Features))
	for _, j := range members {
		for k, v := range regions[j].Features {
			sum[k] += v
		}
	}
	l := look{
		Prototype: inference.Prototype{Features: inference.UnitFeatures(nil, sum), AtMost: unsure},
		members:   len(members), pictures: countPictures(regions, members),
	}
	type far struct {
		region   int32
		distance float32
	}
	var all []far
	for _, j := range members {
		all = append(all, far{j, inference.Distance(regions[j].Features, l.Features)})
	}
	slices.SortFunc(all, func(a, b far) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.region, b.region))
	})
	l.example, l.Radius = int(all[0].region), all[len(all)*19/20].distance
	return l
}

// thinned takes at most so many of the regions, evenly.
func thinned(regions []Region, most int) []Region {
	if len(regions) <= most {
		return regions
	}
	out := make([]Region, most)
	for i := range out {
		out[i] = regions[i*len(regions)/most]
	}
	return out
}
