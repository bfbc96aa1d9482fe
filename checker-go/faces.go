package main

import "math"

// What bounds a quadratic form over all faces of an arrangement, or of an orthant.

// A Face is a cone {u = Uz : Tz > 0} on which branch outputs are the linear map `data` of z.
type Face struct {
	data   Matrix // φ(XUz) = data z
	gram   Matrix // ‖Uz‖² = zᵀ gram z
	strict Matrix // T
	factor [][]float64
	signs  string // of the x_i·u: 0, 1, 2 for below, at and above zero
	span   Matrix // U
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
