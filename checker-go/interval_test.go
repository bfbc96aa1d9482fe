package main

import (
	"math"
	"math/big"
	"math/rand"
	"testing"
)

// What an interval should hold is computed in fractions, or follows from an inverse function.

func holds(x Interval, value *big.Rat) bool {
	lo, _ := x.lo.Rat(nil)
	hi, _ := x.hi.Rat(nil)
	return lo.Cmp(value) <= 0 && value.Cmp(hi) <= 0
}

func some(draw *rand.Rand) *big.Rat {
	return big.NewRat(draw.Int63n(2000)-1000, draw.Int63n(1000)+1)
}

// around is an interval that holds the value.
func around(draw *rand.Rand, value *big.Rat) Interval {
	width := big.NewRat(draw.Int63n(2), draw.Int63n(1000)+1)
	low, high := fraction(new(big.Rat).Sub(value, width)), fraction(new(big.Rat).Add(value, width))
	return enclose(low.lo, high.hi)
}

func TestArithmeticHoldsTheFraction(t *testing.T) {
	draw := rand.New(rand.NewSource(1))
	for i := 0; i < 5000; i++ {
		a, b := some(draw), some(draw)
		x, y := around(draw, a), around(draw, b)
		if !holds(add(x, y), new(big.Rat).Add(a, b)) || !holds(sub(x, y), new(big.Rat).Sub(a, b)) ||
			!holds(mul(x, y), new(big.Rat).Mul(a, b)) || !holds(square(x), new(big.Rat).Mul(a, a)) ||
			!holds(abs(x), new(big.Rat).Abs(a)) {
			t.Fatalf("%v and %v", a, b)
		}
		if y.lo.Sign() > 0 || y.hi.Sign() < 0 {
			if !holds(div(x, y), new(big.Rat).Quo(a, b)) {
				t.Fatalf("%v / %v", a, b)
			}
		}
	}
}

func TestRootsExponentialsAndLogarithmsAreTightAndRight(t *testing.T) {
	draw := rand.New(rand.NewSource(2))
	for i := 0; i < 300; i++ {
		value := new(big.Rat).Abs(some(draw))
		value.Add(value, big.NewRat(1, 1000))
		x := fraction(value)
		q := 2 + draw.Intn(49)
		r := root(x, q)
		if !holds(power(r, q), value) || near(sub(upper(r), lower(r))) > 1e-40 {
			t.Fatalf("root %d of %v", q, value)
		}
		if !holds(exp(log(x)), value) || !holds(log(exp(div(x, integer(100)))), new(big.Rat).Quo(value, big.NewRat(100, 1))) {
			t.Fatalf("exp and log of %v", value)
		}
		if math.Abs(near(log(x))-math.Log(near(x))) > 1e-12 || near(sub(upper(log(x)), lower(log(x)))) > 1e-35 {
			t.Fatalf("log of %v", value)
		}
	}
	if s := sqrt(integer(9)); !s.isPoint() || near(s) != 3 {
		t.Fatal("the root of nine is three")
	}
}

func randomMatrix(draw *rand.Rand, rows, cols int) Matrix {
	return build(rows, cols, func(i, j int) Interval { return exactly(float64(draw.Intn(9) - 4)) })
}

func TestLevelsOverFacesAreLeastUpperBounds(t *testing.T) {
	draw := rand.New(rand.NewSource(3))
	for i := 0; i < 40; i++ {
		x, m := randomMatrix(draw, 5, 2+i%2), randomMatrix(draw, 5, 1+i%3)
		s := &sphere{xs: floats(x), ms: floats(m), x: x, m: m}
		s.climb()
		if s.attained == 0 {
			continue
		}
		proved, attained := near(levelOver(facesOf(rationalOf(x)), m, zero)), math.Sqrt(s.attained)
		if proved < attained*(1-1e-12) || proved > attained*(1+1e-6) {
			t.Fatalf("proved %v, attained %v", proved, attained)
		}
		if cones := near(coneLevel(x, m)); cones < attained*(1-1e-12) || cones > attained*(1+1e-6) {
			t.Fatalf("by cones %v, attained %v", cones, attained)
		}
	}
}

func TestDeficitsAndSingularValues(t *testing.T) {
	draw := rand.New(rand.NewSource(4))
	for i := 0; i < 50; i++ {
		a := randomMatrix(draw, 6, 4)
		values := singularValues(a)
		sum := zero
		for _, s := range values {
			sum = add(sum, square(s))
		}
		if gap := near(abs(sub(sum, squares(a)))); gap > 1e-6 {
			t.Fatalf("squares of singular values are off by %v", gap)
		}
		top := square(values[0])
		off := deficit(shifted(gram(a), div(top, two))) // −λ_min of λ₁/2 − G is λ₁/2
		if less(off, lower(div(top, two))) || near(off) > near(top)*0.5000001 {
			t.Fatalf("a deficit of %v for %v", near(off), near(top)/2)
		}
	}
}
