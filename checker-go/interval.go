package main

import "math/big"

// precision is the number of bits of every end of an interval.
const precision = 200

// An Interval holds a real number between its ends. Every operation rounds the lower end down and
// the upper end up, so what is proved of all numbers between them is proved of the true one.
type Interval struct{ lo, hi *big.Float }

func down() *big.Float { return new(big.Float).SetPrec(precision).SetMode(big.ToNegativeInf) }
func up() *big.Float   { return new(big.Float).SetPrec(precision).SetMode(big.ToPositiveInf) }

var zero, one, two = exactly(0), exactly(1), exactly(2)

// exactly is the float64 x itself; x is finite.
func exactly(x float64) Interval { f := down().SetFloat64(x); return Interval{f, f} }

func integer(n int) Interval { f := down().SetInt64(int64(n)); return Interval{f, f} }

func fraction(x *big.Rat) Interval { return enclose(down().SetRat(x), up().SetRat(x)) }

// enclose makes a point of two equal ends.
func enclose(lo, hi *big.Float) Interval {
	if lo.IsInf() || hi.IsInf() {
		refuse("a number beyond the range of the arithmetic")
	}
	if lo.Cmp(hi) == 0 {
		return Interval{lo, lo}
	}
	return Interval{lo, hi}
}

func (a Interval) isPoint() bool { return a.lo == a.hi }

// rational is the exact value of a point.
func (a Interval) rational() *big.Rat {
	if !a.isPoint() {
		refuse("a number that must be exact is not")
	}
	r, _ := a.lo.Rat(nil)
	return r
}

func add(a, b Interval) Interval {
	lo := down().Add(a.lo, b.lo)
	if a.isPoint() && b.isPoint() && lo.Acc() == big.Exact {
		return enclose(lo, lo)
	}
	return enclose(lo, up().Add(a.hi, b.hi))
}

func neg(a Interval) Interval {
	lo := down().Neg(a.hi)
	if a.isPoint() {
		return Interval{lo, lo}
	}
	return Interval{lo, up().Neg(a.lo)}
}

func sub(a, b Interval) Interval { return add(a, neg(b)) }

func mul(a, b Interval) Interval {
	switch {
	case a.lo.Sign() == 0 && a.hi.Sign() == 0 || b.lo.Sign() == 0 && b.hi.Sign() == 0:
		return zero
	case a.isPoint() && b.isPoint():
		lo := down().Mul(a.lo, b.lo)
		if lo.Acc() == big.Exact {
			return enclose(lo, lo)
		}
		return enclose(lo, up().Mul(a.lo, b.lo))
	case a.hi.Sign() <= 0:
		return neg(mul(neg(a), b))
	case b.hi.Sign() <= 0:
		return neg(mul(a, neg(b)))
	case a.lo.Sign() >= 0 && b.lo.Sign() >= 0:
		return enclose(down().Mul(a.lo, b.lo), up().Mul(a.hi, b.hi))
	case a.lo.Sign() >= 0:
		return enclose(down().Mul(a.hi, b.lo), up().Mul(a.hi, b.hi))
	case b.lo.Sign() >= 0:
		return enclose(down().Mul(a.lo, b.hi), up().Mul(a.hi, b.hi))
	}
	lo, hi := down().Mul(a.lo, b.hi), up().Mul(a.lo, b.lo)
	if other := down().Mul(a.hi, b.lo); other.Cmp(lo) < 0 {
		lo = other
	}
	if other := up().Mul(a.hi, b.hi); other.Cmp(hi) > 0 {
		hi = other
	}
	return enclose(lo, hi)
}

// square is at least zero, which mul(a, a) need not know.
func square(a Interval) Interval { return mul(abs(a), abs(a)) }

func abs(a Interval) Interval {
	if a.lo.Sign() >= 0 {
		return a
	}
	if a.hi.Sign() <= 0 {
		return neg(a)
	}
	return Interval{zero.lo, max(a, neg(a)).hi}
}

func div(a, b Interval) Interval {
	if b.lo.Sign() <= 0 && b.hi.Sign() >= 0 {
		refuse("division by a number that may be zero")
	}
	if b.hi.Sign() < 0 {
		a, b = neg(a), neg(b)
	}
	lo, hi := b.hi, b.lo
	if a.lo.Sign() < 0 {
		lo = b.lo
	}
	if a.hi.Sign() < 0 {
		hi = b.hi
	}
	return enclose(down().Quo(a.lo, lo), up().Quo(a.hi, hi))
}

func max(a, b Interval) Interval {
	lo, hi := a.lo, a.hi
	if b.lo.Cmp(lo) > 0 {
		lo = b.lo
	}
	if b.hi.Cmp(hi) > 0 {
		hi = b.hi
	}
	return enclose(lo, hi)
}

func min(a, b Interval) Interval { return neg(max(neg(a), neg(b))) }

// positivePart is φ.
func positivePart(a Interval) Interval { return max(a, zero) }

// Comparisons hold for every pair of numbers in the two intervals.
func less(a, b Interval) bool   { return a.hi.Cmp(b.lo) < 0 }
func atMost(a, b Interval) bool { return a.hi.Cmp(b.lo) <= 0 }

func lower(a Interval) Interval { return Interval{a.lo, a.lo} }
func upper(a Interval) Interval { return Interval{a.hi, a.hi} }

// near is a float64 close to a, for guesses and messages only.
func near(a Interval) float64 { f, _ := a.lo.Float64(); return f }
