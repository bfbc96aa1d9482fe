package main

import "math/big"

// Exact linear algebra on small matrices of fractions.

type Rational [][]*big.Rat

func newRational(rows, cols int) Rational {
	m := make(Rational, rows)
	for i := range m {
		m[i] = make([]*big.Rat, cols)
		for j := range m[i] {
			m[i][j] = new(big.Rat)
		}
	}
	return m
}

func rationalOf(m Matrix) Rational {
	r := newRational(m.rows, m.cols)
	for i := range r {
		for j := range r[i] {
			r[i][j] = m.at(i, j).rational()
		}
	}
	return r
}

func (m Rational) intervals() Matrix {
	return build(len(m), len(m[0]), func(i, j int) Interval { return fraction(m[i][j]) })
}

func dotRational(a, b []*big.Rat) *big.Rat {
	sum, term := new(big.Rat), new(big.Rat)
	for i := range a {
		sum.Add(sum, term.Mul(a[i], b[i]))
	}
	return sum
}

// times is ABᵀ: inner products of the rows.
func (m Rational) times(o Rational) Rational {
	r := newRational(len(m), len(o))
	for i := range m {
		for j := range o {
			r[i][j] = dotRational(m[i], o[j])
		}
	}
	return r
}

func (m Rational) transposed() Rational {
	t := newRational(len(m[0]), len(m))
	for i := range m {
		for j := range m[i] {
			t[j][i] = m[i][j]
		}
	}
	return t
}

// reduced is the reduced echelon form of some rows, with the column of each pivot.
func reduced(rows Rational, cols int) (Rational, []int) {
	m := newRational(len(rows), cols)
	for i := range rows {
		for j := range rows[i] {
			m[i][j].Set(rows[i][j])
		}
	}
	var pivots []int
	for j := 0; j < cols && len(pivots) < len(m); j++ {
		p := len(pivots)
		i := p
		for i < len(m) && m[i][j].Sign() == 0 {
			i++
		}
		if i == len(m) {
			continue
		}
		m[p], m[i] = m[i], m[p]
		inverse := new(big.Rat).Inv(m[p][j])
		for l := range m[p] {
			m[p][l].Mul(m[p][l], inverse)
		}
		for r := range m {
			if r == p || m[r][j].Sign() == 0 {
				continue
			}
			factor, term := new(big.Rat).Set(m[r][j]), new(big.Rat)
			for l := range m[r] {
				m[r][l].Sub(m[r][l], term.Mul(factor, m[p][l]))
			}
		}
		pivots = append(pivots, j)
	}
	return m[:len(pivots)], pivots
}

// nullSpace has a basis, as rows, of what is orthogonal to all rows.
func nullSpace(rows Rational, cols int) Rational {
	m, pivots := reduced(rows, cols)
	isPivot := make([]bool, cols)
	for _, j := range pivots {
		isPivot[j] = true
	}
	var basis Rational
	for free := 0; free < cols; free++ {
		if isPivot[free] {
			continue
		}
		v := newRational(1, cols)[0]
		v[free].SetInt64(1)
		for i, j := range pivots {
			v[j].Neg(m[i][free])
		}
		basis = append(basis, v)
	}
	return basis
}

// straighten takes from each row of span what points along earlier ones, roughly, where two are
// nearly parallel: their span stays, and rounding does less harm. directions are the same vectors
// in other coordinates.
func straighten(span, directions Rational) {
	for i := range span {
		for j := 0; j < i; j++ {
			along := dotRational(directions[i], directions[j])
			length := dotRational(directions[j], directions[j])
			cosine2 := new(big.Rat).Quo(new(big.Rat).Mul(along, along), length)
			cosine2.Quo(cosine2, dotRational(directions[i], directions[i]))
			if cosine2.Cmp(big.NewRat(9, 10)) < 0 {
				continue
			}
			share, _ := new(big.Rat).Quo(along, length).Float64()
			q := new(big.Rat).SetFloat64(share)
			if q == nil {
				continue
			}
			for _, m := range []Rational{span, directions} {
				for l := range m[i] {
					m[i][l] = new(big.Rat).Sub(m[i][l], new(big.Rat).Mul(q, m[j][l]))
				}
			}
		}
	}
}
