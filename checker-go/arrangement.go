package main

import "math/big"

// The faces of the arrangement of the hyperplanes x_i·u = 0, enumerated exactly.

const (
	mostRays  = 20000 // candidates
	mostFaces = 50000
	mostWork  = 2000000000
)

// facesOf enumerates all faces of the arrangement but {0}, within the span of the rows, which is
// all that outputs depend on. Every face is a composition of rays: the signs of the first that are
// not zero. A ray is the null space of rows that leave one dimension.
func facesOf(x Rational) []Face {
	basis, _ := reduced(x, len(x[0]))
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

// countRays is how many sets of r − 1 rows there are, or very many.
func countRays(rows, r int) int {
	count := new(big.Int).Binomial(int64(rows), int64(r-1))
	if !count.IsInt64() || count.Int64() > 1<<40 {
		return 1 << 40
	}
	return int(count.Int64())
}

// rays are the directions, up to sign, in which independent rows that leave one dimension vanish.
func rays(coordinates Rational, r int) Rational {
	if countRays(len(coordinates), r) > mostRays {
		leave("an arrangement of more than %d candidate rays", mostRays)
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
	straighten(span, directions)
	for i := range span { // of length near one, by powers of two
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
	return Face{data, g, Matrix{len(strict) / dims, dims, strict}, cholesky(g), signs, transpose(directions.intervals())}
}
