package main

// shared: for data in the plane and one output. The argument of tree holds for each Gram matrix G of
// the first layer by itself, so every child of the root may have regions of G of its own, with their
// own μ's; a leaf a has (aᵀGa)^½, bounded by weak duality with multipliers η of the half-spaces.

// A halfSpace is ⟨sign·(bbᵀ − ccᵀ), G⟩ ≤ sign·h.
type halfSpace struct {
	b, c    Matrix
	h       Interval
	flipped bool
}

// An arc is a cone of neurons between neighbouring rays r and s, on which φ(Xu) = D X u.
type arc struct {
	data, r, s Matrix // DX (n×2); r, s (2×1)
}

func (p *Problem) sharedLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	if m.cols != 1 || p.features() != 2 {
		refuse("evidence of kind shared is for one output and data in the plane")
	}
	x, charge := p.nearby(fields, m)
	n := p.samples()
	s := &shared{
		tree:   newTree(fields, n),
		splits: asMatrix(fields["splits"], "lower.splits"),
		eta:    asMatrix(fields["eta"], "lower.eta"),
		arcs:   arcsOf(x),
		layer:  p.depth - 1,
		square: zero,
	}
	if s.splits.cols != 2*n+1 {
		refuse("lower.splits does not have columns b, c, h")
	}
	children(m, func(w Matrix, subset map[int]bool) { s.visit(w, subset, nil) })
	s.tree.end()
	if s.row != s.splits.rows || s.leaf != s.eta.rows {
		refuse("lower.splits or lower.eta has more rows than its regions")
	}
	return m, upper(add(sqrt(s.square), charge))
}

type shared struct {
	tree        *Tree
	splits, eta Matrix
	arcs        []arc
	layer       int
	row, leaf   int
	square      Interval // c²
}

const mostHalfSpaces = 200

func (s *shared) visit(w Matrix, subset map[int]bool, region []halfSpace) {
	if s.row == s.splits.rows || len(region) > mostHalfSpaces {
		refuse("lower.splits has fewer rows than its regions, or more than %d half-spaces", mostHalfSpaces)
	}
	n := w.rows
	row := s.splits.entries[s.row*s.splits.cols : (s.row+1)*s.splits.cols]
	s.row++
	cut := false
	for _, x := range row {
		cut = cut || x.lo.Sign() != 0
	}
	if !cut {
		s.tree.visit(s.tree.child(w, subset), s.layer, func(a Matrix) { s.judgeLeaf(a, region) })
		return
	}
	half := halfSpace{b: Matrix{n, 1, row[:n]}, c: Matrix{n, 1, row[n : 2*n]}, h: row[2*n]}
	for _, flipped := range []bool{false, true} {
		half.flipped = flipped
		s.visit(w, subset, append(region[:len(region):len(region)], half))
	}
}

// judgeLeaf: aᵀGa ≤ Σ η_j h_j + max(0, max φ(Xu)ᵀQφ(Xu)) over unit u, Q = aaᵀ − Σ η_j H_j.
func (s *shared) judgeLeaf(a Matrix, region []halfSpace) {
	if s.leaf == s.eta.rows {
		refuse("lower.eta has fewer rows than leaves")
	}
	sum := zero
	weights := make([]Interval, len(region))
	for j, half := range region {
		weights[j] = zero
		if j < s.eta.cols {
			weights[j] = max(s.eta.at(s.leaf, j), zero)
		}
		if half.flipped {
			weights[j] = neg(weights[j])
		}
		sum = add(sum, mul(weights[j], half.h))
	}
	s.leaf++
	most := zero
	for _, arc := range s.arcs {
		form := outer(arc.data, a)
		for j, half := range region {
			if weights[j].lo.Sign() == 0 {
				continue
			}
			difference := combine(outer(arc.data, half.b), outer(arc.data, half.c), sub)
			form = combine(form, scaled(difference, weights[j]), sub)
		}
		most = max(most, arc.bound(form))
	}
	s.square = max(s.square, upper(add(sum, most)))
}

// outer is gg ᵀ with g = (DX)ᵀa.
func outer(data, a Matrix) Matrix { return gram(transpose(product(transpose(data), a))) }

// bound is at least uᵀFu for the unit u of the arc. With t the larger value at the ends, all
// coefficients of t‖u‖² − uᵀFu in u = αr + βs are non-negative where t r·s ≥ rᵀFs; else it is the
// largest eigenvalue.
func (c arc) bound(form Matrix) Interval {
	at := func(x, y Matrix) Interval { return inner(x, product(form, y)) }
	t := upper(max(div(at(c.r, c.r), inner(c.r, c.r)), div(at(c.s, c.s), inner(c.s, c.s))))
	if atMost(at(c.r, c.s), mul(t, inner(c.r, c.s))) {
		return t
	}
	mean := div(add(form.at(0, 0), form.at(1, 1)), two)
	half := div(sub(form.at(0, 0), form.at(1, 1)), two)
	return upper(add(mean, sqrt(add(square(half), square(form.at(0, 1))))))
}

// arcsOf are the cells of the arrangement, each with the two rays that its signs agree with.
func arcsOf(x Rational) []arc {
	basis, _ := reduced(x, 2)
	if len(basis) != 2 {
		refuse("evidence of kind shared is for data of rank two")
	}
	var arcs []arc
	faces := facesOf(x)
	for _, cell := range faces { // a cell's span is the plane in its own coordinates
		if cell.gram.cols != 2 {
			continue
		}
		var ends []Matrix
		for _, ray := range faces {
			if ray.gram.cols == 1 && agrees(ray.signs, cell.signs) {
				direction := ray.span
				if ray.strict.at(0, 0).hi.Sign() < 0 { // the other side of the line
					direction = apply(direction, neg)
				}
				ends = append(ends, direction)
			}
		}
		if len(ends) != 2 {
			refuse("an arc without two ends")
		}
		arcs = append(arcs, arc{cell.data, ends[0], ends[1]})
	}
	return arcs
}

// agrees says whether a face is in the closure of another.
func agrees(lower, higher string) bool {
	for i := range lower {
		if lower[i] != 1 && lower[i] != higher[i] {
			return false
		}
	}
	return true
}
