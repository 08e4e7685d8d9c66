package inspection

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// QueueReason says why a defect waits for a person.
type QueueReason string

// Reasons, in the order of the queue.
const (
	DecidesGrade  QueueReason = "decides_grade"  // the trail of a broken rule that gives hold or block names it
	NotKnown      QueueReason = "unknown"        // the model gave no class: unknown or unclassified
	IsSevere      QueueReason = "severe"         // severity 3 or 4
	LowConfidence QueueReason = "low_confidence" // below what the appliance is told
	Repeats       QueueReason = "repeats"        // the first of its kind at one place across, again and again along
	NoneOfThese   QueueReason = "other"
)

const (
	// DefaultReviewBelow is the confidence below which the model's answer wants a look, where the appliance is told no other.
	DefaultReviewBelow = 0.6
	// QueueDays is for how long a coil's defects wait. Of older coils that nobody decided, those that decide the grade stay.
	QueueDays = 7
)

// QueueReasons lists the reasons in the order of the queue.
func QueueReasons() []QueueReason {
	return []QueueReason{DecidesGrade, NotKnown, IsSevere, LowConfidence, Repeats, NoneOfThese}
}

// QueueQuery selects what waits. Zero fields select everything.
type QueueQuery struct {
	Coil   CoilID // only this coil, however old
	Reason QueueReason
	Cursor string
	Limit  int
}

// QueueItem is one defect that waits, with all that a person needs to decide.
type QueueItem struct {
	Defect  Defect        `json:"defect"`
	Reasons []QueueReason `json:"reasons"`
	// Rules are the broken ones whose trail names the defect.
	Rules []DecidedRule `json:"rules"`
	// Grade stands. Best and Worst bound what reviews of the coil's defects can still make of it.
	Grade Grade `json:"grade"`
	Best  Grade `json:"best_grade"`
	Worst Grade `json:"worst_grade"`
	// CanChange is false where no answer to this defect can change the coil's grade.
	CanChange bool         `json:"grade_can_change"`
	Picture   *PictureSize `json:"picture,omitempty"`
}

// DecidedRule is a broken rule that a defect helped to break. It holds again once Measured is below Limit.
type DecidedRule struct {
	Rule     string  `json:"rule"`
	Grade    Grade   `json:"grade"`
	Measured float64 `json:"measured"`
	Limit    float64 `json:"limit"`
}

// PictureSize is how much strip a defect's picture shows.
type PictureSize struct {
	Length MM `json:"length_mm"` // along
	Width  MM `json:"width_mm"`  // across
}

// QueuePage is one page of the queue. NextCursor is empty on the last.
type QueuePage struct {
	Items      []QueueItem
	Waiting    int                 // in the whole queue, whatever reason the page is of
	ByReason   map[QueueReason]int // a defect counts under each of its reasons
	NextCursor string
}

// Neighbour is a recorded defect beside the one that is looked at.
type Neighbour struct {
	Defect Defect `json:"defect"`
	// Distance is from the middle of the one to the middle of the other, along the strip; negative towards the head end.
	Distance MM `json:"distance_mm,omitempty"`
	// Similarity is that of the pictures to the model, 1 at most; absent for neighbours on the strip.
	Similarity float64 `json:"similarity,omitempty"`
}

// Waiting is a defect's place in the queue of its coil, the less the earlier. From the top bit on: 3 bits of the first
// reason, 21 of what orders within it, 32 of the defect's id less the coil's first, 8 with a bit for each reason.
type Waiting uint64

const (
	keyBits    = 21
	idBits     = 32
	reasonBits = 8
)

// Place orders defects over all coils; those at one place follow by their ids.
func (w Waiting) Place() int64 { return int64(w >> (idBits + reasonBits)) }

// Has reports whether the defect waits for the reason; the empty one holds for all.
func (w Waiting) Has(r QueueReason) bool {
	i := slices.Index(QueueReasons(), r)
	return r == "" || (i >= 0 && w&(1<<i) != 0)
}

// Reasons of the defect, the first being what gave it its place.
func (w Waiting) Reasons() (out []QueueReason) {
	for i, r := range QueueReasons() {
		if w&(1<<i) != 0 {
			out = append(out, r)
		}
	}
	return out
}

// CoilQueue is what waits of a coil that has ended, before anybody reviewed anything.
type CoilQueue struct {
	First   DefectID // of the coil
	Waiting []Waiting
	// Worst is the worst grade that answers could give the coil, whatever was said already.
	Worst Grade
}

// ID is the defect at a place of the queue.
func (q CoilQueue) ID(w Waiting) DefectID {
	return q.First + DefectID(w>>reasonBits&(1<<idBits-1))
}

// NewCoilQueue orders the defects of a coil that has ended, given in order of their ids. A defect without a picture waits
// only where it decides the grade: nobody could judge it, but the rule rests on it. below is the confidence below which the model's
// answer wants a look.
func NewCoilQueue(s Strip, defects []MapDefect, res InspectionResult, r Recipe, below float32) CoilQueue {
	var q CoilQueue
	if len(defects) == 0 {
		q.Worst = res.Grade
		return q
	}
	q.First = defects[0].ID
	excess := decisive(res)
	repeats := repeated(defects)
	for i := range defects {
		d := &defects[i]
		over, decides := excess[d.ID]
		if !d.HasImage && !decides {
			continue
		}
		q.Waiting = append(q.Waiting, waiting(d, d.ID-q.First, over, decides, repeats[d.ID], below))
	}
	slices.Sort(q.Waiting)
	q.Worst = worst(s, defects, res.Grade, r)
	return q
}

// behindRule puts what broke a rule that gives a lesser grade than the coil has behind what broke those that gave it.
const behindRule = 512

// decisive gives for each defect that decides a hold or block by how many its rule is over the limit, the least of several.
func decisive(res InspectionResult) map[DefectID]float64 {
	out := map[DefectID]float64{}
	if res.Grade != Hold && res.Grade != Block {
		return out
	}
	for _, o := range res.Trail {
		if !o.Broken || o.Grade.rank() < Hold.rank() {
			continue
		}
		for _, id := range o.Defects {
			over := min(o.Measured-o.Limit, behindRule-1)
			if o.Grade != res.Grade {
				over += behindRule
			}
			if before, ok := out[id]; !ok || over < before {
				out[id] = over
			}
		}
	}
	return out
}

// waiting gives a defect its place: where few answers turn the rule first, then what the model is least sure of.
func waiting(d *MapDefect, offset DefectID, over float64, decides, repeats bool, below float32) Waiting {
	unknown := d.Class == Unknown || d.Class == Unclassified
	holds := [...]bool{decides, unknown, d.Severity >= SevereFrom, !unknown && d.Conf < below, repeats, false}
	var reasons uint
	for i, yes := range holds {
		if yes {
			reasons |= 1 << i
		}
	}
	if reasons == 0 {
		reasons = 1 << (len(holds) - 1)
	}
	first := bits.TrailingZeros(reasons)
	var key uint64
	switch QueueReasons()[first] {
	case DecidesGrade:
		key = uint64(max(over, 0))<<11 | share(d.Conf, 11)
	case NotKnown: // the larger first, those that the model never saw last
		size := min(math.Log2(float64(d.Rect.Area())+1)/32, 1)
		key = 1<<20 - 1 - share(float32(size), 20)
		if d.Class == Unclassified {
			key |= 1 << 20
		}
	case IsSevere:
		key = uint64(4-min(d.Severity, 4))<<20 | share(d.Conf, 20)
	default:
		key = share(d.Conf, keyBits)
	}
	return Waiting(uint64(first)<<(keyBits+idBits+reasonBits) | key<<(idBits+reasonBits) | uint64(offset)<<reasonBits | uint64(reasons))
}

// share is a number of 0 to 1 in so many bits.
func share(v float32, bits int) uint64 {
	return uint64(min(max(float64(v), 0), 1) * float64(uint64(1)<<bits-1))
}

// A group of repeats is what a mark on a roll leaves.
const (
	repeatAcross = MM(20) // defects of a group lie in one stretch of this width
	leastRepeats = 4      // fewer are chance
	repeatSlack  = 0.05   // of the period
)

// repeated gives the first of each group that repeats.
func repeated(defects []MapDefect) map[DefectID]bool {
	out := map[DefectID]bool{}
	for _, g := range repeatGroups(defects) {
		if first := slices.IndexFunc(g, func(d *MapDefect) bool { return d.HasImage }); first >= 0 {
			out[g[first].ID] = true
		}
	}
	return out
}

// RepeatsOf are the defects of a coil that repeat with one of them along the strip, itself among them, in order along the strip; none
// where it does not repeat.
func RepeatsOf(defects []MapDefect, id DefectID) (ids []DefectID) {
	for _, g := range repeatGroups(defects) {
		if !slices.ContainsFunc(g, func(d *MapDefect) bool { return d.ID == id }) {
			continue
		}
		for _, d := range g {
			ids = append(ids, d.ID)
		}
	}
	return ids
}

// repeatGroups are the groups of one class, side and place across whose distances along are alike, each in order along the strip. A
// defect is in one group at most.
func repeatGroups(defects []MapDefect) (out [][]*MapDefect) {
	type place struct {
		class DefectClass
		side  Side
		half  int // stretches begin each half of their width, so that no group lies on the border of all of them
	}
	groups := map[place][]*MapDefect{}
	for i := range defects {
		d := &defects[i]
		if d.Class == Unclassified {
			continue
		}
		half := int(math.Floor(float64((d.Rect.Across + d.Rect.Width/2) / (repeatAcross / 2))))
		for _, h := range []int{half, half - 1} {
			groups[place{d.Class, d.Side, h}] = append(groups[place{d.Class, d.Side, h}], d)
		}
	}
	var steps []MM
	for _, g := range groups {
		if len(g) < leastRepeats {
			continue
		}
		slices.SortFunc(g, func(a, b *MapDefect) int {
			return cmp.Or(cmp.Compare(a.Rect.Along, b.Rect.Along), cmp.Compare(a.ID, b.ID))
		})
		steps = steps[:0]
		for i := range g[1:] {
			steps = append(steps, g[i+1].Rect.Along-g[i].Rect.Along)
		}
		if alike(steps) {
			out = append(out, g)
		}
	}
	// Of two that share a defect the larger one counts.
	slices.SortFunc(out, func(a, b []*MapDefect) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a[0].ID, b[0].ID), cmp.Compare(a[len(a)-1].ID, b[len(b)-1].ID))
	})
	taken := map[DefectID]bool{}
	return slices.DeleteFunc(out, func(g []*MapDefect) bool {
		if slices.ContainsFunc(g, func(d *MapDefect) bool { return taken[d.ID] }) {
			return true
		}
		for _, d := range g {
			taken[d.ID] = true
		}
		return false
	})
}

// alike reports whether three quarters of the steps are one length, or twice it where a repeat was missed.
func alike(steps []MM) bool {
	sorted := slices.Sorted(slices.Values(steps))
	period := sorted[len(sorted)/2]
	fit := 0
	for _, s := range steps {
		if k := math.Round(float64(s / period)); (k == 1 || k == 2) && math.Abs(float64(s)-k*float64(period)) <= repeatSlack*float64(period) {
			fit++
		}
	}
	return period > 0 && 4*fit >= 3*len(steps)
}

// worst is the worst grade that a coil has or could get if people gave its defects the worst classes.
func worst(s Strip, defects []MapDefect, grade Grade, r Recipe) Grade {
	along, v := make([]MM, 0, len(defects)), r.view(s)
	for _, q := range r.Rules {
		if grade.rank() >= q.Grade.rank() {
			continue
		}
		along = along[:0]
		for i := range defects {
			d := &defects[i]
			if q.fits(d.Side, d.Rect, d.Rect.Area(), v) {
				along = append(along, d.Rect.Along)
			}
		}
		slices.Sort(along)
		for i := q.Count - 1; i < len(along); i++ {
			if q.Within <= 0 || along[i]-along[i-q.Count+1] <= q.Within {
				grade = q.Grade
				break
			}
		}
	}
	return grade
}

// BestGrade is the grade that a coil keeps whatever is said of the defects that nobody reviewed yet: m holds those that
// somebody did, and the gaps.
func BestGrade(m DefectMap, r Recipe) Grade { return GradeMap(Reviewed(m, r), r).Grade }

// CanChange reports whether an answer to d can change a grade that lies between best and worst: some rule between
// them could count it.
func CanChange(d Defect, s Strip, best, worst Grade, r Recipe) bool {
	return slices.ContainsFunc(r.Rules, func(q GradingRule) bool {
		return q.Grade.rank() > best.rank() && q.Grade.rank() <= worst.rank() && q.fits(d.Side, d.Rect, d.Area, r.view(s))
	})
}
