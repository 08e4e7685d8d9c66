package rollmark

import (
	"cmp"
	"math"
	"slices"
)

// falsePerSide is how many marks chance may make on one side of a coil: one in 100 coils for the two sides. Each lane is paid for by the
// number of lanes tried so far, which bounds their sum by falsePerSide * (1 + ln lanes) whatever the strip is like; what is measured on
// made coils lies below falsePerSide itself (docs/benchmarks.md), since the lanes of one scratch are hardly different trials.
const falsePerSide = 0.005

// Two families of chains are tried beside each other, and both against the periods of the table and against all: a share of
// falsePerSide is spent on each. A class is weak evidence: a mark may be called another at each turn, but few defects of a lane
// are of one class unless something made them so.
const (
	anyClass = iota
	oneClass
	classShare = 0.15
	tableShare = 0.8
	openShare  = 1 - tableShare
	// leastSquare is that of the residuals, in σ² a turn: places are whole pixels.
	leastSquare = 0.1
	// toleranceDeviations is how far from its place a defect is taken for a mark.
	toleranceDeviations = 3.0
)

// Chains of three, four, five, and six and more marks each have their share, and their own count of the lanes that hold as many defects:
// on strip with few defects hardly a lane holds four.
const (
	leastLevel = 3
	mostLevel  = 6
)

func levelShare(k int) float64 {
	return [...]float64{0.1, 0.6, 0.2, 0.1}[k-leastLevel]
}

// hit is a point at a place of a chain: how many turns back from the newest.
type hit struct {
	turn  int
	along float64
}

// chain is a candidate for a mark.
type chain struct {
	hits    []hit
	line    fit
	density float64 // of the lane, the chain's own included, 1/mm
	chance  float64 // corrected: to be compared with falsePerSide
}

// fit is a straight line through places: along = at - turn * period.
type fit struct {
	at, period float64
	mean, sxx  float64 // of the turns
	n          int
	square     float64 // of the residuals, mm²
}

func fitLine(h []hit) fit {
	f := fit{n: len(h)}
	n := float64(len(h))
	var my float64
	for _, p := range h {
		f.mean += float64(p.turn) / n
		my += p.along / n
	}
	var sxy float64
	for _, p := range h {
		dx := float64(p.turn) - f.mean
		f.sxx += dx * dx
		sxy += dx * (p.along - my)
	}
	f.period = -sxy / f.sxx
	f.at = my + f.period*f.mean
	for _, p := range h {
		r := p.along - f.place(p.turn)
		f.square += r * r
	}
	return f
}

// place is where the line has a turn, mm along.
func (f *fit) place(turn int) float64 { return f.at - float64(turn)*f.period }

// spread is the deviation of a new place at a turn from the line, in those of one place.
func (f *fit) spread(turn int) float64 {
	d := float64(turn) - f.mean
	return math.Sqrt(1 + 1/float64(f.n) + d*d/f.sxx)
}

// unsure is the deviation of the period, mm.
func (f *fit) unsure() float64 { return sigma(f.period) / math.Sqrt(f.sxx) }

// seek looks for a chain that ends at p. It takes the chain's points for the finding it becomes.
func (s *side) seek(p point) (point, bool) {
	s.gather(p)
	var best chain
	for family, lane := range [...][]point{anyClass: s.lane, oneClass: s.same} {
		if len(lane) < 2 {
			continue
		}
		share := 1 - classShare
		if family == oneClass {
			share = classShare
		}
		var price [mostLevel + 1]float64
		for k := leastLevel; k <= mostLevel; k++ {
			if len(lane)+1 >= k {
				s.tried[family][k]++
			}
			price[k] = float64(s.tried[family][k]) / share / levelShare(k)
		}
		if c, ok := s.best(p, lane, &price); ok && (best.hits == nil || c.chance < best.chance) {
			best = c
		}
	}
	if best.hits == nil || len(s.findings) >= maxFindings {
		return p, false
	}
	p.taken = true
	s.take(best, p)
	s.begin(best, p)
	return p, true
}

// gather fills lane and same with the free points about p, from the newest back, one of those that lie together. Both stay empty where p
// itself lies together with another.
func (s *side) gather(p point) {
	s.lane, s.same = s.lane[:0], s.same[:0]
	from, _ := slices.BinarySearchFunc(s.points, p.along-s.reach(), func(q point, v float64) int { return cmp.Compare(q.along, v) })
	last, lastSame := p.along, p.along
	for i := len(s.points) - 1; i >= from && len(s.lane) < maxLane; i-- {
		q := s.points[i]
		if q.taken || math.Abs(q.across-p.across) > laneHalf {
			continue
		}
		if d := math.Abs(q.along - p.along); d < apart && q.class == p.class {
			s.lane, s.same = s.lane[:0], s.same[:0]
			return
		}
		if math.Abs(q.along-last) >= apart && math.Abs(q.along-p.along) >= apart {
			s.lane = append(s.lane, q)
			last = q.along
		}
		if q.class == p.class && math.Abs(q.along-lastSame) >= apart {
			s.same = append(s.same, q)
			lastSame = q.along
		}
	}
}

// best is the chain of a lane through p that chance makes least easily.
func (s *side) best(p point, lane []point, price *[mostLevel + 1]float64) (best chain, ok bool) {
	var of [2*places - 1]hit
	var off [2*places - 1]float64
	var hits [places]hit
	for j := range lane {
		far := math.Abs(p.along - lane[j].along)
		for m := 1; m < places; m++ {
			period := far / float64(m)
			if period < leastPeriod {
				break
			}
			if period > s.longest || p.length > longShare*period || (period > mostPeriod*1.001 && len(s.named(period, 3)) == 0) {
				continue
			}
			sd := sigma(period)
			signed := m
			if lane[j].along > p.along {
				signed = -m
			}
			for k := range off {
				off[k] = math.Inf(1)
			}
			for i := range lane {
				q := &lane[i]
				back := (p.along - q.along) / period
				if back > places-0.5 {
					break // the lane is sorted: the rest lies farther back
				}
				turns := math.Round(back)
				if turns == 0 || turns <= -places || q.length > longShare*period {
					continue
				}
				a := turns / float64(signed)
				r := math.Abs(back-turns) * period
				if w := toleranceDeviations * sd; r*r > w*w*(1+a*a+(1-a)*(1-a)) {
					continue
				}
				if k := int(turns) + places - 1; r < off[k] {
					off[k], of[k] = r, hit{int(turns), q.along}
				}
			}
			nearer := false
			for _, v := range off[places : places-1+m] {
				nearer = nearer || !math.IsInf(v, 1)
			}
			if nearer {
				continue // the chain was tried from that turn
			}
			// Chains of each length through p: the nearest turns first, so that one stray point far back spoils nothing.
			n := 0
			hits[n] = hit{0, p.along}
			n++
			for k := places - 2; k >= 0; k-- { // those that came before p though they lie behind it
				if !math.IsInf(off[k], 1) {
					hits[n] = of[k]
					n++
				}
			}
			ahead := 0
			for _, h := range hits[:n] {
				ahead = min(ahead, h.turn)
			}
			for k := places; k < len(off) && k-(places-1)-ahead < places; k++ {
				if math.IsInf(off[k], 1) || n >= places {
					continue
				}
				hits[n] = of[k]
				n++
				if n < 3 {
					continue
				}
				if c, possible := s.judge(hits[:n], lane, price[min(n, mostLevel)]); possible && (!ok || c.chance < best.chance) {
					best, ok = c, true
					s.kept = append(s.kept[:0], hits[:n]...)
				}
			}
		}
	}
	if !ok || best.chance > falsePerSide {
		return best, false
	}
	best.hits = slices.Clone(s.kept)
	return best, true
}

// judge is the chance of a chain times its price; it is not possible where nothing that is tried has its period.
func (s *side) judge(hits []hit, lane []point, price float64) (c chain, possible bool) {
	c.line = fitLine(hits)
	lo, hi := hits[0], hits[0]
	for _, h := range hits {
		if h.turn < lo.turn {
			lo = h
		}
		if h.turn > hi.turn {
			hi = h
		}
	}
	over := hi.turn - lo.turn + 1
	period := c.line.period
	if over > places || over < 3 || commonStep(hits) > 1 {
		return c, false // marks at each second turn alone are those of twice the period
	}
	from, to := hi.along-period/2, lo.along+period/2
	count := 1 // the newest is not in the lane
	for i := range lane {
		if lane[i].along >= from && lane[i].along <= to {
			count++
		}
	}
	c.chance = math.Inf(1)
	c.density = float64(count) / (float64(over) * period)
	if period >= leastPeriod && period <= mostPeriod {
		c.chance = chance(len(hits), over, &c.line, count, mostPeriod-leastPeriod) / openShare
	}
	if len(s.rolls) > 0 && len(s.named(period, c.line.unsure())) > 0 {
		c.chance = min(c.chance, chance(len(hits), over, &c.line, count, s.tableMM+4*c.line.unsure()*float64(len(s.rolls)))/tableShare)
	}
	c.chance *= price
	return c, !math.IsInf(c.chance, 1)
}

// chance is the expected number of chains at least as exact as this one that end at a given defect of a lane, if the other count-1
// defects of the stretch that the chain takes up lay in it at random, and periods of a range (mm) were tried. What lies in the lane is
// taken as given, so a scratch in many pieces is no evidence by being dense.
//
// k random points at given turns of an unknown place and period span a space of k dimensions, of which place and period take
// two; with S the sum of the turns' squares about their mean, an area da dT of these measures sqrt(k S) da dT there. The k-2
// others are the residuals: those of at most R deviations fill a ball of volume V(k-2) (R sigma)^(k-2). A stretch of length L
// with the newest point fixed holds (count-1)(count-2)...(count-k+1) / L^(k-1) chains of the others a unit of this space, so the number is
//
//	(count-1)! / (count-k)! / L^(k-1) * range * sqrt(k S) * V(k-2) (R sigma)^(k-2)
//
// times the ways in which k-2 of the over-2 turns between may be marked, and by 2 for each turn without a mark and once more, since
// chains with none, one, two, ... missing share the budget by halves. To bound the expected number of chance events, in place of
// a probability for each, is the a contrario method: Desolneux, Moisan, Morel, "Meaningful Alignments", IJCV 40 (2000).
func chance(k, over int, line *fit, count int, periods float64) float64 {
	sd := sigma(line.period)
	square := max(line.square/(sd*sd), leastSquare*float64(k-2))
	free := float64(k - 2)
	gamma, _ := math.Lgamma(free/2 + 1)
	ways := 1.0
	for i := count - k + 1; i < count; i++ {
		ways *= float64(i)
	}
	ln := math.Log(ways) - float64(k-1)*math.Log((float64(over)-0.5)*line.period) + math.Log(periods) + 0.5*math.Log(float64(k)*line.sxx) +
		free/2*math.Log(math.Pi*square) - gamma + free*math.Log(sd) +
		float64(over-k+1)*math.Ln2 + math.Log(binomial(over-2, k-2))
	return math.Exp(ln)
}

// commonStep is the greatest number of turns of which all distances between the hits are multiples.
func commonStep(hits []hit) int {
	step := 0
	for _, h := range hits[1:] {
		a, b := step, h.turn-hits[0].turn
		for b != 0 {
			a, b = b, a%b
		}
		step = max(a, -a)
	}
	return step
}

func binomial(n, k int) float64 {
	b := 1.0
	for i := range k {
		b = b * float64(n-i) / float64(i+1)
	}
	return b
}
