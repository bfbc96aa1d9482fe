package main

import "math/big"

// Eigenvalues by Sylvester's law of inertia: where the pivots of A = LDLᵀ have proved signs, A has
// as many negative eigenvalues as there are negative pivots.

// negatives counts the negative eigenvalues of a symmetric matrix, of which the lower triangle is
// read; ok is false where a pivot has no proved sign.
func negatives(a Matrix) (count int, ok bool) {
	return eliminate(a, false)
}

// positive says whether the matrix is proved positive definite.
func positive(a Matrix) bool {
	_, ok := eliminate(a, true)
	return ok
}

func eliminate(a Matrix, stopAtNegative bool) (count int, ok bool) {
	n := a.rows
	rest := Matrix{n, n, append([]Interval(nil), a.entries...)}
	for p := 0; p < n; p++ {
		pivot := rest.at(p, p)
		switch {
		case pivot.lo.Sign() > 0:
		case pivot.hi.Sign() < 0 && !stopAtNegative:
			count++
		default:
			return count, false
		}
		for i := p + 1; i < n; i++ {
			if x := rest.at(i, p); x.isPoint() && x.lo.Sign() == 0 {
				continue
			}
			factor := div(rest.at(i, p), pivot)
			for j := p + 1; j <= i; j++ {
				rest.set(i, j, sub(rest.at(i, j), mul(factor, rest.at(j, p))))
			}
		}
	}
	return count, true
}

func shifted(a Matrix, t Interval) Matrix { // tI − A
	return build(a.rows, a.cols, func(i, j int) Interval {
		if i == j {
			return sub(t, a.at(i, j))
		}
		return neg(a.at(i, j))
	})
}

// slacks are what a guess is widened by, relative to the largest eigenvalue, until it is proved.
var slacks = []int{50, 46, 42, 36, 30, 20, 10, 3, 0}

func relative(value float64, exponent int) Interval {
	f := down().SetMantExp(down().SetFloat64(value), exponent)
	return Interval{f, f}
}

// largest is an upper bound of the largest eigenvalue of a symmetric positive semidefinite matrix.
func largest(a Matrix) Interval {
	guess, exponent := rough(a)
	values, _ := singular(guess)
	for _, bits := range slacks {
		t := mul(relative(values[0], exponent), add(one, tiny(bits)))
		if positive(shifted(a, t)) {
			return t
		}
	}
	trace := zero
	for i := 0; i < a.rows; i++ {
		trace = add(trace, max(a.at(i, i), zero))
	}
	return upper(trace)
}

// spectralNorm is an upper bound of ‖A‖₂.
func spectralNorm(a Matrix) Interval {
	if a.rows < a.cols {
		a = transpose(a)
	}
	return upper(sqrt(largest(gram(a))))
}

// singularValues encloses all singular values, decreasing; there are as many as the shorter side.
func singularValues(a Matrix) []Interval {
	if a.rows < a.cols {
		a = transpose(a)
	}
	g := gram(a)
	guess, exponent := rough(a)
	values, _ := singular(guess)
	top := mul(relative(values[0], exponent), add(one, tiny(20)))
	enclosed := make([]Interval, len(values))
	for i, value := range values {
		enclosed[i] = Interval{zero.lo, singularBound(g, i, relative(value, exponent), top, true)}
		if lo := singularBound(g, i, relative(value, exponent), top, false); lo != nil {
			enclosed[i] = enclose(lo, enclosed[i].hi)
		}
	}
	return enclosed
}

// singularBound proves an upper or a lower bound of the i-th singular value, i from 0, near the
// guess: at most i eigenvalues of the Gram matrix exceed t², or at least i + 1 do. Where none near
// is proved it is the trace, or nothing.
func singularBound(g Matrix, i int, guess, top Interval, above bool) *big.Float {
	for _, scale := range []Interval{guess, top} {
		for _, bits := range slacks {
			step := mul(scale, tiny(bits))
			t := sub(guess, step)
			if above {
				t = add(guess, step)
			}
			if t.lo.Sign() <= 0 {
				continue
			}
			count, ok := negatives(shifted(g, square(t)))
			if ok && above && count <= i {
				return upper(t).hi
			}
			if ok && !above && count > i {
				return lower(t).lo
			}
		}
	}
	if above {
		trace := zero
		for l := 0; l < g.rows; l++ {
			trace = add(trace, max(g.at(l, l), zero))
		}
		return sqrt(trace).hi
	}
	return nil
}
