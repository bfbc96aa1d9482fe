package main

import (
	"math"
	"math/big"
)

// Faces of the arrangement of the hyperplanes x_i·u = 0, or of an orthant, and what bounds a
// quadratic form over all of them.

// A Face is a cone {u = Uz : Tz > 0} on which branch outputs are the linear map `data` of z.
type Face struct {
	data   Matrix // φ(XUz) = data z
	gram   Matrix // ‖Uz‖² = zᵀ gram z
	strict Matrix // T
	factor [][]float64
}

// A guess of the unit vector of a face's span where the form is greatest, and of the form there.
type top struct {
	z     []float64
	value Interval
	in    bool // the guess looks as if it were in the closure of the face
}

// levelOver is an upper bound of max ‖Λᵀφ(Xu)‖ over the unit vectors of all faces, and not below
// the floor.
//
// A level c is proved face by face, from the form's values ‖Az‖² on the span of a face f. Either
// ‖Az‖² ≤ c²‖Uz‖² on the whole span: c² gram − AᵀA is positive definite. Or K = {z : ‖Az‖² >
// c²‖Uz‖²} is not empty; it is two opposite convex cones, or connected. It does not meet the
// boundary of f, which is lower faces, where c holds. So if neither w nor −w is in f for some w of
// K, no part of K is.
func levelOver(faces []Face, multipliers Matrix, floor Interval) Interval {
	forms, tops := make([]Matrix, len(faces)), make([]top, len(faces))
	squared := square(upper(floor))
	transposedMultipliers := transpose(multipliers)
	for i, f := range faces {
		forms[i] = product(transposedMultipliers, f.data)
		tops[i] = f.guess(forms[i])
		if tops[i].in {
			squared = max(squared, mul(tops[i].value, add(one, tiny(44))))
		}
	}
	for round := 0; round < 20; round++ {
		level := upper(squared)
		for i, f := range faces {
			if !f.below(forms[i], level, tops[i].z) {
				squared = max(squared, f.worst(forms[i], tops[i].value))
			}
		}
		if squared.hi.Cmp(level.hi) == 0 {
			return upper(sqrt(level))
		}
		squared = mul(squared, add(one, tiny(44)))
	}
	refuse("no level could be proved over the faces")
	return zero
}

// guess finds the top of ‖Az‖²/‖Uz‖² in float64.
func (f *Face) guess(form Matrix) top {
	n := f.gram.cols
	a, exponent := rough(form)
	l := f.factor // gram = LLᵀ
	// rows of A L⁻ᵀ
	for _, row := range a {
		for j := 0; j < n; j++ {
			for p := 0; p < j; p++ {
				row[j] -= row[p] * l[j][p]
			}
			row[j] /= l[j][j]
		}
	}
	values, vectors := singular(a)
	z := append([]float64(nil), vectors[0]...)
	for j := n - 1; j >= 0; j-- {
		for p := j + 1; p < n; p++ {
			z[j] -= l[p][j] * z[p]
		}
		z[j] /= l[j][j]
	}
	value := mul(relative(values[0], exponent), relative(values[0], exponent))
	return top{z, value, f.seemsIn(z, 1) || f.seemsIn(z, -1)}
}

func (f *Face) seemsIn(z []float64, sign float64) bool {
	strict, _ := rough(f.strict)
	for _, row := range strict {
		size := 0.0
		for j := range row {
			size += math.Abs(row[j] * z[j])
		}
		if sign*dot(row, z) < -1e-9*size {
			return false
		}
	}
	return true
}

// below proves the level on this face, given that it holds on its boundary.
func (f *Face) below(form Matrix, level Interval, z []float64) bool {
	difference := combine(scaled(f.gram, level), gram(form), sub)
	if positive(difference) {
		return true
	}
	w := newMatrix(len(z), 1)
	for j, x := range z {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return false
		}
		w.set(j, 0, exactly(x))
	}
	form2 := squares(product(form, w))
	if form2.hi.Sign() == 0 && squares(form).hi.Sign() == 0 {
		return true // the form vanishes, and no level is negative
	}
	if !less(mul(level, inner(w, product(f.gram, w))), form2) {
		return false
	}
	outside, oppositeOutside := false, false
	for _, x := range product(f.strict, w).entries {
		outside = outside || x.hi.Sign() <= 0
		oppositeOutside = oppositeOutside || x.lo.Sign() >= 0
	}
	return outside && oppositeOutside
}

// worst bounds the form on the whole span.
func (f *Face) worst(form Matrix, guess Interval) Interval {
	g := gram(form)
	for _, bits := range slacks {
		t := mul(guess, add(one, tiny(bits)))
		if positive(combine(scaled(f.gram, t), g, sub)) {
			return t
		}
	}
	refuse("the form on a face could not be bounded")
	return zero
}

// cholesky is a guess of L with gram = LLᵀ.
func cholesky(m Matrix) [][]float64 {
	l := unit(m.rows)
	for i := range l {
		for j := 0; j <= i; j++ {
			sum := near(m.at(i, j))
			for p := 0; p < j; p++ {
				sum -= l[i][p] * l[j][p]
			}
			if i == j {
				l[i][i] = math.Sqrt(sum)
			} else {
				l[i][j] = sum / l[j][j]
			}
		}
	}
	return l
}

var mostRays = big.NewInt(20000)

const (
	mostFaces = 50000
	mostWork  = 2000000000
)

// facesOf enumerates all faces of the arrangement but {0}, within the span of the rows, which is
// all that outputs depend on. Every face is a composition of rays: the signs of the first that are
// not zero. A ray is the null space of rows that leave one dimension.
func facesOf(x Rational) []Face {
	basis := independentRows(x)
	r, n := len(basis), len(x)
	if r == 0 {
		return nil
	}
	coordinates := x.times(basis) // x_i·(basisᵀ z)
	signs := map[string]bool{}
	var found []string
	keep := func(s string) {
		if !signs[s] {
			signs[s] = true
			found = append(found, s)
			if len(found) > mostFaces {
				leave("an arrangement of more than %d faces", mostFaces)
			}
		}
	}
	for _, ray := range rays(coordinates, r) {
		plus, minus := make([]byte, n), make([]byte, n)
		for i := range coordinates {
			sign := dotRational(coordinates[i], ray).Sign()
			plus[i], minus[i] = byte(1+sign), byte(1-sign)
		}
		keep(string(plus))
		keep(string(minus))
	}
	rayCount := len(found)
	for done := 0; done < len(found); done++ {
		if len(found)*rayCount > mostWork/n {
			leave("an arrangement of too many faces")
		}
		for _, ray := range found[:rayCount] {
			keep(compose(found[done], ray))
		}
	}
	faces := make([]Face, 0, len(found))
	for _, s := range found {
		faces = append(faces, faceOf(s, coordinates, basis))
	}
	return faces
}

func compose(first, second string) string {
	s := []byte(first)
	for i := range s {
		if s[i] == 1 {
			s[i] = second[i]
		}
	}
	return string(s)
}

// rays are the directions, up to sign, in which independent rows that leave one dimension vanish.
func rays(coordinates Rational, r int) Rational {
	if count := new(big.Int).Binomial(int64(len(coordinates)), int64(r-1)); count.Cmp(mostRays) > 0 {
		leave("an arrangement of more than %v candidate rays", mostRays)
	}
	var all Rational
	var choose func(chosen Rational, from int)
	choose = func(chosen Rational, from int) {
		if len(chosen) == r-1 {
			if null := nullSpace(chosen, r); len(null) == 1 {
				all = append(all, null[0])
			}
			return
		}
		for i := from; i < len(coordinates); i++ {
			choose(append(chosen[:len(chosen):len(chosen)], coordinates[i]), i+1)
		}
	}
	choose(nil, 0)
	return all
}

func faceOf(signs string, coordinates, basis Rational) Face {
	var vanishing Rational
	for i := range coordinates {
		if signs[i] == 1 {
			vanishing = append(vanishing, coordinates[i])
		}
	}
	span := nullSpace(vanishing, len(basis))
	directions := span.times(basis.transposed()) // rows: vectors u
	for i := range span {                        // of length near one, by powers of two
		size := dotRational(directions[i], directions[i])
		scale := new(big.Rat).SetInt64(1)
		half, twice := big.NewRat(1, 2), big.NewRat(2, 1)
		exponent := (size.Num().BitLen() - size.Denom().BitLen()) / 2
		for ; exponent > 0; exponent-- {
			scale.Mul(scale, half)
		}
		for ; exponent < 0; exponent++ {
			scale.Mul(scale, twice)
		}
		for _, row := range [][]*big.Rat{span[i], directions[i]} {
			for _, x := range row {
				x.Mul(x, scale)
			}
		}
	}
	values := coordinates.times(span).intervals() // x_i·u for the columns u of the span
	dims := len(span)
	data := newMatrix(len(signs), dims)
	var strict []Interval
	for i := range coordinates {
		for j := 0; j < dims; j++ {
			switch signs[i] {
			case 2:
				data.set(i, j, values.at(i, j))
				strict = append(strict, values.at(i, j))
			case 0:
				strict = append(strict, neg(values.at(i, j)))
			}
		}
	}
	g := directions.times(directions).intervals()
	return Face{data, g, Matrix{len(strict) / dims, dims, strict}, cholesky(g)}
}

// orthantFaces are the cones {v ≥ 0} of all supports.
func orthantFaces(n int) []Face {
	var faces []Face
	for support := 1; support < 1<<n; support++ {
		data := newMatrix(n, 0)
		var members []int
		for i := 0; i < n; i++ {
			if support>>i&1 == 1 {
				members = append(members, i)
			}
		}
		data = newMatrix(n, len(members))
		for j, i := range members {
			data.set(i, j, one)
		}
		eye := identity(len(members))
		faces = append(faces, Face{data, eye, eye, unit(len(members))})
	}
	return faces
}

// nearby reads X′, a matrix or the factors of one, and what it costs to argue about it instead.
func (p *Problem) nearby(fields object, multipliers Matrix) (Rational, Interval) {
	value, ok := fields["X"]
	if !ok {
		return rationalOf(p.x), zero
	}
	var x Rational
	if factors, ok := value.([]any); ok {
		if len(factors) < 1 || len(factors) > 2 {
			refuse("lower.X is no list of one or two factors")
		}
		x = rationalOf(asMatrix(factors[0], "lower.X[0]"))
		if len(factors) == 2 {
			second := rationalOf(asMatrix(factors[1], "lower.X[1]"))
			if len(x[0]) != len(second) {
				refuse("the factors in lower.X cannot be multiplied")
			}
			x = x.times(second.transposed())
		}
	} else {
		x = rationalOf(asMatrix(value, "lower.X"))
	}
	if len(x) != p.samples() || len(x[0]) != p.features() {
		refuse("lower.X is not of the shape of problem.X")
	}
	return x, upper(mul(norm(multipliers), p.distance(x.intervals())))
}

// faces: c² is the largest of ‖ΛᵀDXu‖² over all faces.
func (p *Problem) facesLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	x, charge := p.nearby(fields, m)
	return m, add(levelOver(facesOf(x), m, zero), charge)
}

// cones: the evidence is Λ alone, and any proof of its level will do; this judge enumerates faces.
func (p *Problem) conesLevel(fields object) (Matrix, Interval) {
	return p.facesLevel(fields)
}

// tree: V_L is in φ(conv(±V_{L−1})), and νᵀφ(z) ≤ max over S of (ν_S − μ)ᵀz for any 0 ≤ μ ≤ ν⁻.
func (p *Problem) treeLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	if m.cols != 1 {
		refuse("evidence of kind tree is for one output")
	}
	x, charge := p.nearby(fields, m)
	mu := asMatrix(fields["mu"], "lower.mu")
	if mu.cols != m.rows {
		refuse("lower.mu does not have an entry for each sample")
	}
	faces := facesOf(x)
	level, row := zero, 0
	var visit func(node Matrix, depth int)
	visit = func(node Matrix, depth int) {
		if depth == 2 {
			level = levelOver(faces, node, level)
			return
		}
		for _, w := range []Matrix{node, apply(node, neg)} {
			var positives []int
			for i, x := range w.entries {
				if x.lo.Sign() > 0 {
					positives = append(positives, i)
				}
			}
			for mask := 0; len(positives) > 60 || mask < 1<<len(positives); mask++ {
				if row == mu.rows {
					refuse("lower.mu has fewer rows than the tree")
				}
				child := newMatrix(m.rows, 1)
				for i, x := range w.entries { // −μ, in its box
					child.set(i, 0, neg(min(max(mu.at(row, i), zero), positivePart(neg(x)))))
				}
				for bit, i := range positives {
					if mask>>bit&1 == 1 {
						child.set(i, 0, w.at(i, 0))
					}
				}
				row++
				visit(child, depth-1)
			}
		}
	}
	visit(m, p.depth)
	if row != mu.rows {
		refuse("lower.mu has more rows than the tree")
	}
	return m, add(level, charge)
}

// whitened: V_L is in {v ≥ 0 : ‖v‖ ≤ ‖X‖₂}.
func (p *Problem) whitenedLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	return m, upper(mul(spectralNorm(p.x), orthantLevel(m, fields["split"])))
}

const mostSupports = 12 // samples

// orthantLevel bounds max ‖Λᵀv‖ over v ≥ 0, ‖v‖ ≤ 1: by all supports, or by λ_max(ΛΛᵀ + S)^½ for a
// non-negative S, which is given or cancels negative entries.
func orthantLevel(m Matrix, split any) Interval {
	if split == nil && m.rows <= mostSupports {
		return levelOver(orthantFaces(m.rows), m, zero)
	}
	form := gram(transpose(m))
	if split == nil {
		return upper(sqrt(largest(apply(form, positivePart))))
	}
	s := asMatrix(split, "lower.split")
	if !s.sameShape(form) {
		refuse("lower.split is not square with a row for each sample")
	}
	for _, x := range s.entries {
		if x.lo.Sign() < 0 {
			refuse("lower.split has a negative entry")
		}
	}
	symmetric := build(s.rows, s.cols, func(i, j int) Interval {
		return div(add(s.at(i, j), s.at(j, i)), two)
	})
	level := upper(sqrt(largest(combine(form, symmetric, add))))
	if m.rows <= mostSupports {
		return levelOver(orthantFaces(m.rows), m, zero)
	}
	return level
}

// shifts: with free biases c = max_i c(Λ; X − 1x_iᵀ) over the rows of X.
func (p *Problem) shiftsLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	by := asString(fields["by"], "lower.by", "faces", "cones", "whitened")
	if p.first != "free" {
		refuse("evidence of kind shifts is for free biases of the first layer")
	}
	x := rationalOf(p.x)
	seen := map[string]bool{}
	level, orthant := zero, zero
	if by == "whitened" {
		orthant = orthantLevel(m, nil)
	}
	for _, origin := range x {
		key := ""
		for _, coordinate := range origin {
			key += coordinate.String() + " "
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		shifted := newRational(len(x), len(origin)-1)
		for i := range shifted {
			for j := range shifted[i] {
				shifted[i][j].Sub(x[i][j], origin[j])
			}
		}
		if by == "whitened" {
			level = max(level, mul(spectralNorm(shifted.intervals()), orthant))
		} else {
			level = max(level, levelOver(facesOf(shifted), m, level))
		}
	}
	return m, upper(level)
}
