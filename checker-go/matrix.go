package main

import "math/big"

// A Matrix has intervals for entries, row by row.
type Matrix struct {
	rows, cols int
	entries    []Interval
}

func newMatrix(rows, cols int) Matrix {
	m := Matrix{rows, cols, make([]Interval, rows*cols)}
	for i := range m.entries {
		m.entries[i] = zero
	}
	return m
}

func (m Matrix) at(i, j int) Interval     { return m.entries[i*m.cols+j] }
func (m Matrix) set(i, j int, x Interval) { m.entries[i*m.cols+j] = x }
func (m Matrix) sameShape(o Matrix) bool  { return m.rows == o.rows && m.cols == o.cols }

func build(rows, cols int, entry func(i, j int) Interval) Matrix {
	m := newMatrix(rows, cols)
	for i := 0; i < rows; i++ {
		for j := 0; j < cols; j++ {
			m.set(i, j, entry(i, j))
		}
	}
	return m
}

func transpose(m Matrix) Matrix {
	return build(m.cols, m.rows, func(i, j int) Interval { return m.at(j, i) })
}

func product(a, b Matrix) Matrix {
	if a.cols != b.rows {
		refuse("matrices of %dx%d and %dx%d cannot be multiplied", a.rows, a.cols, b.rows, b.cols)
	}
	return build(a.rows, b.cols, func(i, j int) Interval {
		sum := zero
		for l := 0; l < a.cols; l++ {
			x, y := a.at(i, l), b.at(l, j)
			if x.lo.Sign() == 0 && x.isPoint() || y.lo.Sign() == 0 && y.isPoint() {
				continue
			}
			sum = add(sum, mul(x, y))
		}
		return sum
	})
}

// gram is MᵀM, of the columns.
func gram(m Matrix) Matrix {
	g := newMatrix(m.cols, m.cols)
	for i := 0; i < m.cols; i++ {
		for j := 0; j <= i; j++ {
			sum := zero
			for l := 0; l < m.rows; l++ {
				if i == j {
					sum = add(sum, square(m.at(l, i)))
				} else {
					sum = add(sum, mul(m.at(l, i), m.at(l, j)))
				}
			}
			g.set(i, j, sum)
			g.set(j, i, sum)
		}
	}
	return g
}

func combine(a, b Matrix, f func(x, y Interval) Interval) Matrix {
	if !a.sameShape(b) {
		refuse("matrices of %dx%d and %dx%d do not match", a.rows, a.cols, b.rows, b.cols)
	}
	return build(a.rows, a.cols, func(i, j int) Interval { return f(a.at(i, j), b.at(i, j)) })
}

func apply(a Matrix, f func(x Interval) Interval) Matrix {
	return build(a.rows, a.cols, func(i, j int) Interval { return f(a.at(i, j)) })
}

func scaled(a Matrix, t Interval) Matrix {
	return apply(a, func(x Interval) Interval { return mul(t, x) })
}

func identity(n int) Matrix {
	return build(n, n, func(i, j int) Interval {
		if i == j {
			return one
		}
		return zero
	})
}

// inner is tr(AᵀB).
func inner(a, b Matrix) Interval {
	sum := zero
	if !a.sameShape(b) {
		refuse("matrices of %dx%d and %dx%d do not match", a.rows, a.cols, b.rows, b.cols)
	}
	for i := range a.entries {
		sum = add(sum, mul(a.entries[i], b.entries[i]))
	}
	return sum
}

// squares is ‖A‖_F².
func squares(a Matrix) Interval {
	sum := zero
	for _, x := range a.entries {
		sum = add(sum, square(x))
	}
	return sum
}

func norm(a Matrix) Interval { return sqrt(squares(a)) }

func withOnes(a Matrix) Matrix {
	return build(a.rows, a.cols+1, func(i, j int) Interval {
		if j == a.cols {
			return one
		}
		return a.at(i, j)
	})
}

func firstRows(a Matrix, rows int) Matrix { return Matrix{rows, a.cols, a.entries[:rows*a.cols]} }

// exactSum is the sum of points, as a fraction.
func exactSum(points []Interval) *big.Rat {
	sum := new(big.Rat)
	for _, x := range points {
		sum.Add(sum, x.rational())
	}
	return sum
}

func column(a Matrix, j int) []Interval {
	c := make([]Interval, a.rows)
	for i := range c {
		c[i] = a.at(i, j)
	}
	return c
}
