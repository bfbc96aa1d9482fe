package main

import (
	"math"
	"math/big"
)

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

// deficit bounds max(0, −λ_min) of a symmetric matrix that may be large. A float64 Cholesky factor R
// of a slightly shifted matrix is a guess, and whatever it is RRᵀ has no negative eigenvalue: so
// −λ_min is at most the shift and the Frobenius norm of what RRᵀ misses. Inner products of n terms
// are off by at most γ = (n + 4)u/(1 − (n + 4)u) of their absolute terms, fused or not, and
// entries are near one, so that what underflows is far below `least`.
func deficit(a Matrix) Interval {
	n := a.rows
	values, exponent := rough(a)
	rounding := zero
	for i := range values {
		for j := range values[i] {
			rounding = add(rounding, square(sub(a.at(i, j), relative(values[i][j], exponent))))
		}
	}
	const unitRoundoff, safety, least = 1.2e-16, 1 + 1e-9, 1e-280
	gamma := float64(n+4) * unitRoundoff / (1 - float64(n+4)*unitRoundoff)
	shift := leastShift(values)
	r := factorOf(values, shift)
	if r == nil {
		return norm(a)
	}
	lengths := make([]float64, n)
	for i := range r {
		lengths[i] = math.Sqrt(dot(r[i], r[i])) * safety
	}
	missed := 0.0
	for i := range r {
		for j := 0; j <= i; j++ {
			entry := values[i][j]
			if i == j {
				entry += shift
			}
			left := math.Abs(entry - dot(r[i][:j+1], r[j][:j+1]))
			left += gamma*(lengths[i]*lengths[j]+math.Abs(entry)+left) + least
			if i == j {
				missed += left * left
			} else {
				missed += 2 * left * left
			}
		}
	}
	total := (shift + math.Sqrt(missed)) * safety
	return upper(add(sqrt(rounding), relative(total, exponent)))
}

// leastShift guesses the least shift with a Cholesky factor, by halving.
func leastShift(a [][]float64) float64 {
	low, high := 0.0, 1e-15
	for factorOf(a, high) == nil && high < 1e6 {
		low, high = high, 10*high
	}
	for step := 0; step < 40 && high-low > 1e-13; step++ {
		middle := (low + high) / 2
		if factorOf(a, middle) == nil {
			low = middle
		} else {
			high = middle
		}
	}
	return high
}

// factorOf is a float64 Cholesky factor of a + shift·I, or nil.
func factorOf(a [][]float64, shift float64) [][]float64 {
	r := make([][]float64, len(a))
	for i := range r {
		r[i] = make([]float64, len(a))
		for j := 0; j <= i; j++ {
			sum := a[i][j] - dot(r[i][:j], r[j][:j])
			if i > j {
				r[i][j] = sum / r[j][j]
				continue
			}
			if sum += shift; !(sum > 0) {
				return nil
			}
			r[i][i] = math.Sqrt(sum)
		}
	}
	return r
}
