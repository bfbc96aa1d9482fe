package main

// kernel: boxes of spectra s₁ ≤ … ≤ s_k of the kernel of a linear network. The primal is the least
// Σ v_aᵀT(s_a)v_a, T(s) = ½Yᵀ(I + rXXᵀ)⁻¹Y + β(L−1)/2·s I, r = s^{L−1}/β, and a box proves
// tr Z + Σ μ_a where T(s) exceeds Z + μ_a I on its a-th interval.

func (p *Problem) kernel(value any) Interval {
	if p.relu || p.beta == nil || p.loss.name() != "squared" {
		refuse("a kernel is for linear networks with beta and squares")
	}
	fields := asObject(value, "gap.kernel", "splits leaves")
	kn := &kernel{
		p:      p,
		splits: asMatrix(fields["splits"], "gap.kernel.splits"),
		leaves: asMatrix(fields["leaves"], "gap.kernel.leaves"),
		h:      gram(p.x),
		xy:     product(transpose(p.x), p.y),
		slope:  div(mul(*p.beta, integer(p.depth-1)), two),
	}
	kn.start = scaled(gram(p.y), exactly(0.5))
	k := p.targets()
	if kn.splits.cols != 2 || kn.leaves.cols != k*(k+1)/2+k {
		refuse("gap.kernel has matrices of other sizes")
	}
	if kn.splits.rows > 2*mostBoxes {
		refuse("gap.kernel has more than %d boxes", mostBoxes)
	}
	x, exponent := rough(p.x)
	kn.values, kn.vectors = singular(x)
	kn.exponent = exponent
	box := make([]segment, k)
	for a := range box {
		box[a] = segment{zero, nil}
	}
	kn.visit(box)
	if kn.row != kn.splits.rows || kn.leaf != kn.leaves.rows {
		refuse("gap.kernel has more rows than its boxes")
	}
	return lower(*kn.least)
}

const mostBoxes = 50000

// A segment of one s; without an end it is unbounded.
type segment struct {
	from Interval
	to   *Interval
}

type kernel struct {
	p              *Problem
	splits, leaves Matrix
	h, xy, start   Matrix // XᵀX, XᵀY, ½YᵀY
	slope          Interval
	values         []float64 // of X, and its right singular vectors: guesses
	exponent       int
	vectors        [][]float64
	row, leaf      int
	least          *Interval
}

func (kn *kernel) visit(box []segment) {
	if kn.row == kn.splits.rows {
		refuse("gap.kernel.splits has fewer rows than its boxes")
	}
	a, t := smallInteger(kn.splits.at(kn.row, 0)), kn.splits.at(kn.row, 1)
	kn.row++
	if a == -1 && t.lo.Sign() == 0 {
		kn.keep(box)
		return
	}
	if a < 0 || a >= len(box) || !less(box[a].from, t) || box[a].to != nil && !less(t, *box[a].to) {
		refuse("gap.kernel.splits has a row that cuts no box")
	}
	below, beyond := append([]segment(nil), box...), append([]segment(nil), box...)
	for b := range box {
		if b <= a && (box[b].to == nil || less(t, *box[b].to)) {
			below[b].to = &t
		}
		if b >= a && less(box[b].from, t) {
			beyond[b].from = t
		}
	}
	kn.visit(below)
	kn.visit(beyond)
}

func (kn *kernel) keep(box []segment) {
	if kn.leaf == kn.leaves.rows {
		refuse("gap.kernel.leaves has fewer rows than kept boxes")
	}
	k := len(box)
	row := kn.leaves.entries[kn.leaf*kn.leaves.cols : (kn.leaf+1)*kn.leaves.cols]
	kn.leaf++
	z := symmetricOf(row[:k*(k+1)/2], k)
	value := zero
	for a, s := range box {
		mu := row[k*(k+1)/2+a]
		value = add(value, add(z.at(a, a), mu))
		level := combine(z, scaled(identity(k), mu), add)
		// beyond this s the second term of T suffices
		enough := upper(div(norm(level), kn.slope))
		to := enough
		if s.to != nil {
			to = min(to, *s.to)
		}
		if less(s.from, to) && !kn.exceeds(level, s.from, upper(to)) {
			refuse("gap.kernel.leaves has a Z that is not proved")
		}
	}
	if kn.least == nil || value.lo.Cmp(kn.least.lo) < 0 {
		kn.least = &value
	}
}

// exceeds proves T(s) ≻ level for s in [from, to], halving.
func (kn *kernel) exceeds(level Matrix, from, to Interval) bool {
	type piece struct {
		from, to Interval
		halvings int
	}
	open := []piece{{from, to, 0}}
	for len(open) > 0 {
		x := open[len(open)-1]
		open = open[:len(open)-1]
		if x.halvings > 100 {
			return false
		}
		middle := div(x.to, integer(8)) // between 0 and to
		if x.from.lo.Sign() > 0 {
			middle = sqrt(mul(x.from, x.to))
		}
		middle = lower(middle)
		if kn.planeExceeds(level, x.from, x.to, middle) {
			continue
		}
		if !less(x.from, middle) || !less(middle, x.to) {
			return false
		}
		open = append(open, piece{x.from, middle, x.halvings + 1}, piece{middle, x.to, x.halvings + 1})
	}
	return true
}

func (kn *kernel) rate(s Interval) Interval { return div(power(s, kn.p.depth-1), *kn.p.beta) }

// planeExceeds: ½Yᵀ(I + rXXᵀ)⁻¹Y ⪰ ½YᵀY − ½MᵀHM − ½r RᵀR, R = XᵀY − HM, for all r and any M, and s
// is above its chord as a function of r. Both are linear in r, so the two ends decide.
func (kn *kernel) planeExceeds(level Matrix, from, to, middle Interval) bool {
	m := kn.best(kn.rate(middle))
	hm := product(kn.h, m)
	constant := combine(kn.start, scaled(product(transpose(m), hm), exactly(0.5)), sub)
	steep := scaled(gram(combine(kn.xy, hm, sub)), exactly(0.5))
	for _, s := range []Interval{from, to} {
		value := combine(constant, scaled(steep, kn.rate(s)), sub)
		value = combine(value, scaled(identity(level.rows), mul(kn.slope, s)), add)
		if !positive(combine(value, level, sub)) {
			return false
		}
	}
	return true
}

// best guesses M = (H + I/r)⁻¹ XᵀY; any M proves something.
func (kn *kernel) best(rate Interval) Matrix {
	v := build(kn.p.features(), len(kn.vectors), func(i, l int) Interval { return exactly(kn.vectors[l][i]) })
	turned := product(transpose(v), kn.xy)
	shrunk := build(turned.rows, turned.cols, func(l, j int) Interval {
		sigma := relative(kn.values[l], kn.exponent)
		return lower(div(mul(rate, turned.at(l, j)), add(one, mul(rate, square(sigma)))))
	})
	return apply(product(v, shrunk), lower)
}
