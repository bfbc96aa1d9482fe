package main

import (
	"math"
	"sort"
)

// Positive gaps by theorem: lower bounds of the primal that no dual can give, all for weight decay
// and three layers or more. `primal` is the proved upper bound.

func (p *Problem) theorem(name string, primal Interval) Interval {
	switch name {
	case "schatten":
		return p.schatten()
	case "shrinkage":
		return p.shrinkage()
	case "rank-one":
		return p.rankOneGap(primal)
	case "whitened-one-hot":
		return p.oneHot()
	}
	refuse("gap.theorem is %q, which is no theorem", name)
	return zero
}

// schatten: a linear network with ‖XA − Y‖ ≤ ε costs at least (L/2) Σ σ_i(A)^{2/L}. For any G, and
// G ≈ X† is a good one, G(XA) = GY + GE with ‖E‖ ≤ ε, so σ_i(A) ‖GX‖₂ ≥ σ_i(GY) − ‖G‖₂ ε.
func (p *Problem) schatten() Interval {
	if p.relu || p.beta != nil {
		refuse("the theorem schatten is for linear networks that interpolate")
	}
	g := pseudoInverse(p.x)
	stretch := spectralNorm(product(g, p.x))
	if stretch.lo.Sign() <= 0 {
		return zero
	}
	off := mul(spectralNorm(g), p.epsilon)
	sum := zero
	for _, s := range singularValues(product(g, p.y)) {
		sigma := positivePart(div(sub(s, off), stretch))
		sum = add(sum, powerOf(sigma, 2, p.depth))
	}
	return lower(div(mul(integer(p.depth), sum), two))
}

// shrinkage: P_β ≥ ½‖Y‖² + Σ_i min_s [½κs² − m_i s + β(L/2)s^{2/L}] with κ ≤ λ_min(XᵀX) and
// m_i ≥ σ_i(XᵀY), because ⟨XᵀY, A⟩ ≤ Σ σ_i(XᵀY) σ_i(A) and ‖XA‖² ≥ κ‖A‖².
func (p *Problem) shrinkage() Interval {
	if p.relu || p.beta == nil || p.loss.name() != "squared" {
		refuse("the theorem shrinkage is for linear networks with beta and squares")
	}
	kappa := zero
	if values := singularValues(p.x); len(values) == p.x.cols {
		kappa = lower(square(lower(values[len(values)-1])))
	}
	sum := div(squares(p.y), two)
	if kappa.lo.Sign() <= 0 {
		return zero
	}
	for _, m := range singularValues(product(transpose(p.x), p.y)) {
		sum = add(sum, p.leastShrunk(kappa, upper(m)))
	}
	return lower(sum)
}

// leastShrunk bounds min over s ≥ 0 of ½κs² − ms + β(L/2)s^{2/L} from below, nearly sharply: a guess
// on a fine grid, and slightly less than it proved by `above`. It is at most 0, at s = 0.
func (p *Problem) leastShrunk(kappa, m Interval) Interval {
	value := func(s Interval) Interval {
		return add(add(div(mul(kappa, square(s)), two), neg(mul(m, s))), p.weight(s))
	}
	last := upper(div(mul(two, m), kappa)) // beyond, ½κs² ≥ ms
	if last.hi.Sign() == 0 {
		return zero
	}
	// the larger root of κs − m + βs^{2/L−1} = 0 minimises, or 0 does: iterate from m/κ down
	k, target, b, n := near(kappa), near(m), near(*p.beta), float64(p.depth)
	s := target / k
	for i := 0; i < 200 && s > 0; i++ {
		s = (target - b*math.Pow(s, 2/n-1)) / k
	}
	guess := zero
	if s > 0 && !math.IsInf(s, 0) && !math.IsNaN(s) {
		guess = min(zero, value(exactly(s)))
	}
	tangents := func(at Interval) []Line { // ½κs² ≥ κ·at·s − ½κ·at²
		return []Line{{neg(div(mul(kappa, square(at)), two)), sub(mul(kappa, at), m)}}
	}
	size := add(div(mul(square(m), exactly(0.5)), kappa), exactly(math.SmallestNonzeroFloat64))
	for _, bits := range []int{46, 42, 38, 34, 30, 26, 20, 10} {
		bound := lower(sub(guess, mul(size, tiny(bits))))
		if above(bound, zero, last, p.weight, tangents, 20000) {
			return bound
		}
	}
	return neg(size)
}

// rankOneGap: on X′ = c aᵀ a network puts out c₊y₊ᵀ + c₋y₋ᵀ, and
// P₁‖a‖ ≥ min_τ (σ₁^{2/m} + σ₂^{2/m})^{m/2}, m = L − 1, where σ₁², σ₂² are the roots of
// x² − (A²(1+τ²) + B²(1+τ⁻²))x + κ²A²(1+τ²)B²(1+τ⁻²); A, B, κ may be replaced by less.
func (p *Problem) rankOneGap(primal Interval) Interval {
	if !p.relu || p.parallel || p.beta != nil {
		refuse("the theorem rank-one is for standard ReLU networks that interpolate")
	}
	c, a := nearestRankOne(p.x)
	plus := apply(c, positivePart)
	minus := apply(c, func(x Interval) Interval { return positivePart(neg(x)) })
	if squares(plus).lo.Sign() <= 0 || squares(minus).lo.Sign() <= 0 {
		refuse("the theorem rank-one needs samples on both sides of zero")
	}
	// networks worth considering have a product of norms of at most (2P/L)^{L/2}
	norms := powerOf(div(mul(two, upper(primal)), integer(p.depth)), p.depth, 2)
	off := add(p.epsilon, mul(p.distance(product(c, transpose(a))), norms))
	yPlus := scaled(product(transpose(p.y), plus), div(one, squares(plus)))
	yMinus := scaled(product(transpose(p.y), minus), div(one, squares(minus)))
	offPlus, offMinus := upper(div(off, norm(plus))), upper(div(off, norm(minus)))
	lengthA := lower(positivePart(sub(norm(yPlus), offPlus)))
	lengthB := lower(positivePart(sub(norm(yMinus), offMinus)))
	if lengthA.lo.Sign() == 0 || lengthB.lo.Sign() == 0 {
		return zero
	}
	// an upper bound of y₊·y₋ and so of the cosine, and a lower one of κ²
	dotProduct := add(inner(yPlus, yMinus), add(mul(offPlus, norm(yMinus)),
		add(mul(offMinus, norm(yPlus)), mul(offPlus, offMinus))))
	kappa2 := one
	if dotProduct.hi.Sign() > 0 {
		cosine := upper(div(upper(dotProduct), mul(lengthA, lengthB)))
		kappa2 = lower(positivePart(sub(one, square(cosine))))
		if less(one, cosine) {
			kappa2 = zero
		}
	}
	least := p.leastOverSplits(square(lengthA), square(lengthB), kappa2)
	half := div(integer(p.depth), two)
	return lower(div(mul(half, least), powerOf(norm(a), 2, p.depth)))
}

// nearestRankOne has a longest row of X for a and projects the rows on it; any c and a would do.
func nearestRankOne(x Matrix) (c, a Matrix) {
	longest, square := 0, zero
	for i := 0; i < x.rows; i++ {
		if s := squares(Matrix{1, x.cols, x.entries[i*x.cols : (i+1)*x.cols]}); less(square, s) {
			longest, square = i, s
		}
	}
	if square.lo.Sign() <= 0 {
		refuse("the theorem rank-one needs data other than zero")
	}
	a = Matrix{x.cols, 1, x.entries[longest*x.cols : (longest+1)*x.cols]}
	return apply(product(x, a), func(t Interval) Interval { return lower(div(t, square)) }), a
}

// leastOverSplits bounds min_τ H, H = (σ₁^{2/m} + σ₂^{2/m})^{m/L}, which is convex in log τ. Where
// H(τ/r) ≥ H(τ) ≤ H(τr) the minimum is between, above the chords continued: 2H(τ) − max of both.
func (p *Problem) leastOverSplits(a2, b2, kappa2 Interval) Interval {
	m := p.depth - 1
	h := func(tau Interval) Interval {
		t2 := square(tau)
		a := mul(a2, add(one, t2))
		b := mul(b2, add(one, div(one, t2)))
		half := div(add(a, b), two)
		last := mul(kappa2, mul(a, b))
		x1 := add(half, sqrt(max(sub(square(half), last), zero)))
		x2 := div(last, x1)
		return powerOf(add(root(x1, m), root(max(x2, zero), m)), m, p.depth)
	}
	// golden section in log τ, around where both lengths balance
	centre := math.Log(math.Sqrt(near(sqrt(div(b2, a2)))))
	low, high := centre-30, centre+30
	value := func(u float64) float64 { return near(h(exactly(math.Exp(u)))) }
	const golden = 0.6180339887498949
	x1, x2 := high-golden*(high-low), low+golden*(high-low)
	v1, v2 := value(x1), value(x2)
	for i := 0; i < 60; i++ {
		if v1 < v2 {
			high, x2, v2 = x2, x1, v1
			x1 = high - golden*(high-low)
			v1 = value(x1)
		} else {
			low, x1, v1 = x1, x2, v2
			x2 = low + golden*(high-low)
			v2 = value(x2)
		}
	}
	tau := exactly(math.Exp((low + high) / 2))
	best := zero
	middle := h(tau)
	for bits := 24; bits > 0; bits-- {
		r := add(one, tiny(bits))
		left, right := h(div(tau, r)), h(mul(tau, r))
		if atMost(middle, left) && atMost(middle, right) {
			best = max(best, lower(sub(mul(two, middle), max(left, right))))
			break
		}
	}
	return best
}

// oneHot: P₁ ≥ (1 − ε) max_T (2/|T|)^{(L−2)/2} (Σ_T n_k^{1/L})^{L/2} / ‖X‖₂ over sets T of classes.
func (p *Problem) oneHot() Interval {
	if !p.relu || p.parallel || p.beta != nil {
		refuse("the theorem whitened-one-hot is for standard ReLU networks that interpolate")
	}
	counts := make([]int, p.targets())
	for i := 0; i < p.samples(); i++ {
		ones := 0
		for j := range counts {
			y := p.y.at(i, j)
			switch {
			case y.lo.Cmp(one.lo) == 0:
				ones++
				counts[j]++
			case y.lo.Sign() != 0:
				refuse("problem.Y is not one-hot")
			}
		}
		if ones != 1 {
			refuse("problem.Y is not one-hot")
		}
	}
	sort.Sort(sort.Reverse(sort.IntSlice(counts)))
	best, sum := zero, zero
	for i, n := range counts { // of the sets with as many classes the largest classes are best
		if n == 0 {
			break
		}
		sum = add(sum, root(integer(n), p.depth))
		if i == 0 {
			continue
		}
		share := sqrt(power(div(two, integer(i+1)), p.depth-2))
		best = max(best, mul(share, sqrt(power(sum, p.depth))))
	}
	p1 := div(mul(positivePart(sub(one, p.epsilon)), best), spectralNorm(p.x))
	return lower(p.total(p1))
}
