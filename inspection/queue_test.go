package inspection

import (
	"slices"
	"testing"
)

// queueRecipe blocks holes, holds five scratches within 1 m and lets the rest be second.
func queueRecipe() Recipe {
	return Recipe{
		Name: "queue", Version: 1, EdgeMargin: 50, LongestGap: 500, GapGrade: Hold,
		Rules: []GradingRule{
			{ID: "holes", Classes: []DefectClass{"hole"}, Count: 1, Grade: Block},
			{ID: "scratches", Classes: []DefectClass{"scratch"}, Count: 5, Within: 1000, Grade: Hold},
			{ID: "long", MinLength: 300, Count: 1, Grade: Second},
		},
	}
}

func mapDefect(id DefectID, class DefectClass, conf float32, severity Severity, along MM) MapDefect {
	return MapDefect{
		ID: id, Side: Top, Class: class, Conf: conf, Severity: severity, HasImage: true,
		Rect: StripRect{Along: along, Across: MM(100 + 37*id), Length: 10, Width: 10},
	}
}

func TestQueueIsInTheOrderOfWhatAPersonMustSee(t *testing.T) {
	defects := []MapDefect{
		mapDefect(11, "scratch", 0.9, 1, 100),
		mapDefect(12, "scratch", 0.3, 1, 900), // unsure
		mapDefect(13, "stain", 0.99, 4, 500),  // critical
		mapDefect(14, "stain", 0.7, 3, 600),   // severe, the unsurest
		mapDefect(15, Unknown, 0, 1, 700),
		mapDefect(16, Unclassified, 0, 1, 800),
		mapDefect(17, "scratch", 0.8, 1, 5000), // decides, by more than the other
		mapDefect(18, "scratch", 0.4, 1, 5100), // decides, the less sure
		mapDefect(19, "hole", 0.95, 4, 9000),   // decides alone
		mapDefect(20, "scratch", 0.95, 1, 9100),
		mapDefect(21, "scratch", 0.1, 1, 9200), // no picture, decides nothing
		mapDefect(22, Unknown, 0, 1, 9300),     // larger than 15
	}
	defects[10].HasImage = false
	defects[11].Rect.Length = 400
	res := InspectionResult{Grade: Block, Trail: []RuleOutcome{
		{Rule: "scratches", Broken: true, Grade: Hold, Measured: 7, Limit: 5, Defects: []DefectID{17, 18}},
		{Rule: "holes", Broken: true, Grade: Block, Measured: 1, Limit: 1, Defects: []DefectID{19}},
		{Rule: "long", Broken: true, Grade: Second, Measured: 1, Limit: 1, Defects: []DefectID{20}}, // decides neither hold nor block
	}}
	q := NewCoilQueue(Strip{Length: 10_000, Width: 1500}, defects, res, queueRecipe(), DefaultReviewBelow)
	var got []DefectID
	reasons := map[DefectID][]QueueReason{}
	for _, w := range q.Waiting {
		got = append(got, q.ID(w))
		reasons[q.ID(w)] = w.Reasons()
	}
	if want := []DefectID{19, 18, 17, 22, 15, 16, 13, 14, 12, 11, 20}; !slices.Equal(got, want) {
		t.Errorf("the queue is %v, want %v", got, want)
	}
	for id, want := range map[DefectID][]QueueReason{
		19: {DecidesGrade, IsSevere}, 18: {DecidesGrade, LowConfidence}, 15: {NotKnown}, 16: {NotKnown}, 12: {LowConfidence}, 20: {NoneOfThese},
	} {
		if !slices.Equal(reasons[id], want) {
			t.Errorf("defect %d waits for %v, want %v", id, reasons[id], want)
		}
	}
	if q.Worst != Block {
		t.Errorf("the worst grade is %s", q.Worst)
	}
	// A coil that may leave has nothing that decides a hold.
	res.Grade = Second
	if q := NewCoilQueue(Strip{}, defects, res, queueRecipe(), DefaultReviewBelow); q.Waiting[0].Has(DecidesGrade) {
		t.Error("a defect decides the grade of a coil that is neither on hold nor blocked")
	}
}

func TestOneOfEachRepeatGroupIsAskedFor(t *testing.T) {
	var defects []MapDefect
	add := func(across, along MM) DefectID {
		d := mapDefect(DefectID(len(defects)+1), "roll_mark", 0.9, 1, along)
		d.Rect.Across = across
		defects = append(defects, d)
		return d.ID
	}
	first := add(300, 100)
	defects[0].HasImage = false
	second := add(301, 1672)
	for i := range 8 { // one is missing
		if i != 4 {
			add(302, 100+MM(i+2)*1571+MM(i%3))
		}
	}
	for _, along := range []MM{100, 900, 950, 4000, 9000, 9020} { // not periodic
		add(700, along)
	}
	add(1000, 100)
	add(1000, 200)
	add(1000, 300) // too few
	var got []DefectID
	q := NewCoilQueue(Strip{Width: 1500}, defects, InspectionResult{Grade: Prime}, queueRecipe(), DefaultReviewBelow)
	for _, w := range q.Waiting {
		if w.Has(Repeats) {
			got = append(got, q.ID(w))
		}
	}
	if !slices.Equal(got, []DefectID{second}) {
		t.Errorf("of the repeats %v are asked for, want %d, the first of the group with a picture (%d has none)", got, second, first)
	}
	if ids := RepeatsOf(defects, second); len(ids) != 9 || ids[0] != first || ids[1] != second {
		t.Errorf("with %d repeat %v, want all 9 from %d on", second, ids, first)
	}
	if ids := RepeatsOf(defects, defects[len(defects)-1].ID); ids != nil {
		t.Errorf("with a single one repeat %v", ids)
	}
	// A mark that wanders over 20 mm, the border of two stretches, is still one group.
	defects = nil
	for i := range 8 {
		add(316+MM(i), 100+MM(i)*1571)
	}
	if ids := RepeatsOf(defects, defects[3].ID); len(ids) != 8 {
		t.Errorf("of 8 marks that wander %v are a group", ids)
	}
}

func TestGradeThatCanNoLongerChangeIsSaid(t *testing.T) {
	strip, r := Strip{Length: 10_000, Width: 1500, Sides: []Side{Top}}, queueRecipe()
	full := func(d MapDefect) Defect {
		return Defect{ID: d.ID, Side: d.Side, Rect: d.Rect, Class: d.Class, Conf: d.Conf, Area: d.Rect.Area()}
	}
	one := mapDefect(1, "scratch", 0.9, 1, 100)
	if q := NewCoilQueue(strip, []MapDefect{one}, InspectionResult{Grade: Prime}, r, DefaultReviewBelow); q.Worst != Block {
		t.Errorf("one defect that could be a hole: worst %s", q.Worst)
	}
	noHoles := r
	noHoles.Rules = r.Rules[1:]
	if q := NewCoilQueue(strip, []MapDefect{one}, InspectionResult{Grade: Prime}, noHoles, DefaultReviewBelow); q.Worst != Prime {
		t.Errorf("one short defect under rules on five and on long ones: worst %s", q.Worst)
	}
	var five []MapDefect
	for i := range 5 {
		five = append(five, mapDefect(DefectID(i+1), "stain", 0.9, 1, MM(400*i)))
	}
	if q := NewCoilQueue(strip, five, InspectionResult{Grade: Prime}, noHoles, DefaultReviewBelow); q.Worst != Prime {
		t.Errorf("five over 1.6 m under a rule on 1 m: worst %s", q.Worst)
	}
	for i := range five {
		five[i].Rect.Along /= 2
	}
	if q := NewCoilQueue(strip, five, InspectionResult{Grade: Prime}, noHoles, DefaultReviewBelow); q.Worst != Hold {
		t.Errorf("five within 0.8 m, if all were scratches: worst %s", q.Worst)
	}

	hole := full(mapDefect(2, "stain", 0.9, 1, 100))
	hole.Review = &Review{Class: "hole", By: "Kim"}
	best := BestGrade(DefectMap{Strip: strip, Defects: []Defect{hole}}, r)
	if best != Block {
		t.Fatalf("a hole that a person saw leaves %s", best)
	}
	if CanChange(full(one), strip, best, Block, r) {
		t.Error("a blocked coil is said to change by another defect")
	}
	if !CanChange(full(one), strip, Prime, Block, r) {
		t.Error("a defect that could be a hole is said to change nothing")
	}
	if CanChange(full(one), strip, Prime, Second, r) {
		t.Error("a short defect is said to break the rule on long ones")
	}
}
