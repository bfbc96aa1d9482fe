package main

import (
	"math"
	"math/big"
)

// Guesses in float64. Nothing here is proved or relied on: a bad guess costs a proof, never truth.

// rough is the matrix in float64 divided by 2^exponent, so that its largest entry is near one.
func rough(m Matrix) (values [][]float64, exponent int) {
	exponent = math.MinInt32
	for _, x := range m.entries {
		for _, end := range []*big.Float{x.lo, x.hi} {
			if end.Sign() != 0 && end.MantExp(nil) > exponent {
				exponent = end.MantExp(nil)
			}
		}
	}
	if exponent == math.MinInt32 {
		exponent = 0
	}
	values = make([][]float64, m.rows)
	for i := range values {
		values[i] = make([]float64, m.cols)
		for j := range values[i] {
			x := m.at(i, j)
			middle := new(big.Float).SetPrec(80).Add(x.lo, x.hi)
			values[i][j], _ = middle.SetMantExp(middle, -exponent-1).Float64()
		}
	}
	return values, exponent
}

func transposed(a [][]float64) [][]float64 {
	t := make([][]float64, len(a[0]))
	for j := range t {
		t[j] = make([]float64, len(a))
		for i := range a {
			t[j][i] = a[i][j]
		}
	}
	return t
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i := range a {
		sum += a[i] * b[i]
	}
	return sum
}

// orthogonalise turns the columns, given as rows of c, until they are orthogonal (one-sided
// Jacobi), and does the same to the rows of v: c of A and v = I become AV and V, transposed.
func orthogonalise(c, v [][]float64) {
	for sweep := 0; sweep < 60; sweep++ {
		turned := false
		for i := range c {
			for j := i + 1; j < len(c); j++ {
				a, b, g := dot(c[i], c[i]), dot(c[j], c[j]), dot(c[i], c[j])
				if math.Abs(g) <= 1e-16*math.Sqrt(a*b) || g == 0 {
					continue
				}
				turned = true
				zeta := (b - a) / (2 * g)
				t := math.Copysign(1, zeta) / (math.Abs(zeta) + math.Hypot(1, zeta))
				cos := 1 / math.Hypot(1, t)
				sin := cos * t
				for _, pair := range [][2][]float64{{c[i], c[j]}, {v[i], v[j]}} {
					for l := range pair[0] {
						x, y := pair[0][l], pair[1][l]
						pair[0][l], pair[1][l] = cos*x-sin*y, sin*x+cos*y
					}
				}
			}
		}
		if !turned {
			return
		}
	}
}

// singular guesses singular values, decreasing, and right singular vectors (as rows).
func singular(a [][]float64) (values []float64, vectors [][]float64) {
	c, v := transposed(a), unit(len(a[0]))
	orthogonalise(c, v)
	values = make([]float64, len(c))
	for i := range c {
		values[i] = math.Sqrt(dot(c[i], c[i]))
	}
	for i := range values { // few of them: selection sort
		best := i
		for j := i; j < len(values); j++ {
			if values[j] > values[best] {
				best = j
			}
		}
		values[i], values[best] = values[best], values[i]
		v[i], v[best] = v[best], v[i]
	}
	return values, v
}

func unit(n int) [][]float64 {
	v := make([][]float64, n)
	for i := range v {
		v[i] = make([]float64, n)
		v[i][i] = 1
	}
	return v
}

// pseudoInverse guesses X†, leaving out directions that are 10^-11 of the largest.
func pseudoInverse(x Matrix) Matrix {
	a, exponent := rough(x)
	values, vectors := singular(a)
	inverse := newMatrix(x.cols, x.rows)
	result := make([][]float64, x.cols)
	for i := range result {
		result[i] = make([]float64, x.rows)
	}
	for l, s := range values {
		if s <= 1e-11*values[0] {
			continue
		}
		for r := range a {
			u := dot(a[r], vectors[l]) / s
			for i := range result {
				result[i][r] += vectors[l][i] * u / s
			}
		}
	}
	for i := range result {
		for j, r := range result[i] {
			f := down().SetMantExp(down().SetFloat64(r), -exponent)
			inverse.set(i, j, Interval{f, f})
		}
	}
	return inverse
}
