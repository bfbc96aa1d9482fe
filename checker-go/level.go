package main

import "math"

// From multipliers Λ and an upper bound c of c_L(Λ) to a lower bound of the dual value.

// A Cut is what one Λ proves: the loss of outputs F of gauge γ is at least g(θΛ) − θcγ. For squares
// g(θΛ) = θt − ½θ²q for all θ ≥ 0; for another loss g is g(Λ) and θ is one.
type Cut struct {
	multipliers Matrix
	level       Interval // c
	t, q, g     Interval
}

// cut reads one piece of evidence and what it says of the loss.
func (p *Problem) cut(value any) Cut {
	m, level := p.levelOf(value)
	if !m.sameShape(p.y) {
		refuse("the multipliers are not of the shape of Y")
	}
	c := Cut{multipliers: m, level: level, t: inner(m, p.y), q: squares(m)}
	sums := zero
	for j := 0; j < m.cols; j++ {
		switch p.outputs {
		case "free":
			if exactSum(column(m, j)).Sign() != 0 {
				refuse("a column of the multipliers does not sum to zero")
			}
		case "decayed":
			sum := zero
			for _, x := range column(m, j) {
				sum = add(sum, x)
			}
			sums = add(sums, square(sum))
		}
	}
	if p.beta != nil {
		lost := div(sums, *p.beta) // what a decayed bias of the outputs may gain, twice
		c.q = add(c.q, lost)
		if p.loss.name() != "squared" {
			c.g = sub(p.loss.dual(m, p.y), div(lost, two))
		}
	}
	return c
}

// scaledDual is D of an interpolation problem, D₁ ≥ D.
func (p *Problem) scaledDual(c Cut) Interval {
	most := sub(c.t, mul(p.epsilon, sqrt(squares(c.multipliers))))
	if most.lo.Sign() <= 0 {
		return zero
	}
	return lower(div(most, upper(c.level)))
}

// dual proves a lower bound of the dual value; where pieces of a sum are bounded it proves the one
// that is claimed, or refuses.
func (p *Problem) dual(value any, claimed Interval) (total, scaledValue Interval) {
	if value == nil {
		return zero, zero
	}
	levels := p.beta != nil && p.decays && p.depth > 2
	if fields, ok := value.(object); ok && fields["kind"] == "levels" || levels {
		if !levels {
			refuse("lower of kind levels is for weight decay with beta at depth 3 or more")
		}
		return p.levels(value, claimed), zero
	}
	c := p.cut(value)
	if p.beta == nil {
		d := p.scaledDual(c)
		return lower(p.total(d)), d
	}
	// the greatest θ with θc ≤ βL/2
	limit := div(mul(*p.beta, integer(p.depth)), two)
	theta := 1.0
	if p.loss.name() == "squared" {
		theta = near(div(c.t, max(c.q, exactly(math.SmallestNonzeroFloat64))))
	}
	if most := near(div(limit, max(c.level, exactly(math.SmallestNonzeroFloat64)))); theta > most {
		theta = most
	}
	for ; theta > 0; theta *= 1 - 1e-15 {
		if atMost(mul(exactly(theta), upper(c.level)), limit) {
			break
		}
	}
	if theta <= 0 || math.IsInf(theta, 0) {
		return zero, zero
	}
	return lower(max(zero, p.conjugate(c, exactly(theta)))), zero
}

// conjugate is g(θΛ), less what a decayed bias of the outputs may gain.
func (p *Problem) conjugate(c Cut, theta Interval) Interval {
	if p.loss.name() == "squared" {
		return sub(mul(theta, c.t), div(mul(square(theta), c.q), two))
	}
	value := p.loss.dual(scaled(c.multipliers, theta), p.y)
	charge := sub(c.q, squares(c.multipliers))
	return sub(value, div(mul(square(theta), max(charge, zero)), two))
}

const (
	mostCuts     = 200
	mostPieces   = 200000
	mostHalvings = 60
)

// levels proves that β(L/2)γ^{2/L} + E(γ) ≥ claimed for every gauge γ ≥ 0. On an interval of γ the
// power is concave and a cut of E is linear, so the two ends decide; intervals are halved until
// some cut, or none, is enough. Beyond some γ the power suffices.
func (p *Problem) levels(value any, claimed Interval) Interval {
	fields := asObject(value, "lower", "kind evidence")
	asString(fields["kind"], "lower.kind", "levels")
	list := asList(fields["evidence"], "lower.evidence")
	if len(list) < 1 || len(list) > mostCuts {
		refuse("lower.evidence has %d pieces, not 1 to %d", len(list), mostCuts)
	}
	var cuts []Cut
	for _, evidence := range list {
		cuts = append(cuts, p.cut(evidence))
	}
	if claimed.lo.Sign() <= 0 {
		return zero
	}
	last := one
	for atMost(claimed, p.weight(mul(last, tiny(1)))) {
		last = mul(last, tiny(1))
	}
	for !atMost(claimed, p.weight(last)) {
		last = mul(last, two)
	}
	concave := func(gamma Interval) Interval { return p.weight(gamma) }
	tangents := func(gamma Interval) []Line { return p.tangents(cuts, gamma) }
	if !above(claimed, zero, last, concave, tangents, mostPieces) {
		refuse("claimed.dual is not proved by the levels of its %d multipliers", len(cuts))
	}
	return claimed
}

// tangents are cuts that are near the greatest at γ.
func (p *Problem) tangents(cuts []Cut, gamma Interval) []Line {
	lines := []Line{{zero, zero}}
	best, most := -1, 0.0
	for i, c := range cuts {
		var value float64
		if p.loss.name() == "squared" {
			slack := math.Max(0, near(sub(c.t, mul(c.level, gamma))))
			value = slack / near(sqrt(c.q)) * slack / near(sqrt(c.q)) / 2
		} else {
			value = near(sub(c.g, mul(c.level, gamma)))
		}
		if value > most {
			best, most = i, value
		}
	}
	if best < 0 {
		return lines
	}
	c := cuts[best]
	if p.loss.name() != "squared" {
		return append(lines, Line{c.g, neg(c.level)})
	}
	theta := lower(div(positivePart(sub(c.t, mul(c.level, gamma))), c.q))
	return append(lines, Line{p.conjugate(c, theta), neg(mul(theta, c.level))})
}

// A Line is start + slope·s.
type Line struct{ start, slope Interval }

func (l Line) at(s Interval) Interval { return add(l.start, mul(l.slope, s)) }

// above proves concave(s) + convex(s) ≥ target on [a, b], where tangents(m) are lines below the
// convex function.
func above(target, a, b Interval, concave func(Interval) Interval,
	tangents func(Interval) []Line, budget int) bool {
	type piece struct {
		a, b, atA, atB Interval
		halvings       int
	}
	open := []piece{{a, b, concave(a), concave(b), 0}}
	for len(open) > 0 {
		x := open[len(open)-1]
		if budget--; budget < 0 || x.halvings > mostHalvings {
			return false
		}
		open = open[:len(open)-1]
		middle := lower(div(add(x.a, x.b), two))
		proved := false
		for _, line := range tangents(middle) {
			if atMost(target, add(x.atA, line.at(x.a))) && atMost(target, add(x.atB, line.at(x.b))) {
				proved = true
				break
			}
		}
		if proved {
			continue
		}
		value := concave(middle)
		open = append(open,
			piece{x.a, middle, x.atA, value, x.halvings + 1},
			piece{middle, x.b, value, x.atB, x.halvings + 1})
	}
	return true
}
