package main

import (
	"math"
	"math/big"
)

// Roots, exponentials and logarithms: a guess in ordinary arithmetic, widened until multiplication
// proves that it encloses the value.

// tiny widens a guess relative to its size.
func tiny(bits int) Interval { return exactly(math.Ldexp(1, -bits)) }

// power is x^n for a whole n ≥ 0.
func power(x Interval, n int) Interval {
	if n == 0 {
		return one
	}
	half := power(x, n/2)
	if n%2 == 0 {
		return mul(half, half)
	}
	return mul(mul(half, half), x)
}

func sqrt(x Interval) Interval { return root(x, 2) }

// root is the q-th root of a number that is known not to be negative.
func root(x Interval, q int) Interval {
	if x.hi.Sign() < 0 {
		refuse("the root of a negative number")
	}
	if q == 1 {
		return enclose(max(lower(x), zero).lo, x.hi)
	}
	_, hi := rootOfPoint(x.hi, q)
	if x.lo.Sign() <= 0 {
		return enclose(zero.lo, hi)
	}
	lo, _ := rootOfPoint(x.lo, q)
	return enclose(lo, hi)
}

// rootOfPoint returns a lower and an upper bound of the q-th root of x ≥ 0.
func rootOfPoint(x *big.Float, q int) (*big.Float, *big.Float) {
	if x.Sign() == 0 {
		return zero.lo, zero.lo
	}
	mantissa := new(big.Float)
	exponent := x.MantExp(mantissa)
	shift := exponent % q
	m, _ := mantissa.Float64()
	guess := new(big.Float).SetPrec(precision).SetFloat64(math.Pow(math.Ldexp(m, shift), 1/float64(q)))
	guess.SetMantExp(guess, (exponent-shift)/q)
	for step := 0; step < 4; step++ { // Newton: r ← r + (x/r^(q−1) − r)/q
		r := new(big.Float).SetPrec(precision).Copy(guess)
		t := new(big.Float).SetPrec(precision).Copy(x)
		for i := 1; i < q; i++ {
			t.Quo(t, r)
		}
		t.Sub(t, r)
		t.Quo(t, new(big.Float).SetInt64(int64(q)))
		guess.Add(guess, t)
	}
	point, value := Interval{guess, guess}, Interval{x, x}
	if r := power(point, q); r.isPoint() && r.lo.Cmp(x) == 0 {
		return guess, guess
	}
	for bits := precision - 8; bits > 20; bits -= 8 {
		lo := mul(point, sub(one, tiny(bits)))
		hi := mul(point, add(one, tiny(bits)))
		if atMost(power(upper(lo), q), value) && atMost(value, power(lower(hi), q)) {
			return lo.lo, hi.hi
		}
	}
	refuse("a root that could not be enclosed")
	return nil, nil
}

// rational power x^(p/q) of x ≥ 0
func powerOf(x Interval, p, q int) Interval {
	x = enclose(max(lower(x), zero).lo, max(upper(x), zero).hi)
	return root(power(x, p), q)
}

// exp is increasing, so its ends are those of the argument.
func exp(x Interval) Interval {
	lo := expOfPoint(lower(x))
	if x.isPoint() {
		return lo
	}
	return enclose(lo.lo, expOfPoint(upper(x)).hi)
}

func expOfPoint(x Interval) Interval {
	if x.lo.Sign() < 0 {
		if less(x, integer(-100000)) {
			return Interval{zero.lo, div(one, expOfPoint(integer(100000))).hi}
		}
		return div(one, expOfPoint(neg(x)))
	}
	if less(integer(1000000), x) {
		refuse("the exponential of a number beyond 10^6")
	}
	halvings := 8
	for t := near(x); t > 1; t /= 2 {
		halvings++
	}
	x = mul(x, tiny(halvings)) // below 2^-7
	term, sum := one, one
	for i := 1; i <= 24; i++ {
		term = div(mul(term, x), integer(i))
		sum = add(sum, term)
	}
	sum = add(sum, Interval{zero.lo, term.hi}) // the rest of the series is less than its last term
	for ; halvings > 0; halvings-- {
		sum = mul(sum, sum)
	}
	return sum
}

// log of a positive number, increasing as well.
func log(x Interval) Interval {
	if x.lo.Sign() <= 0 {
		refuse("the logarithm of a number that may not be positive")
	}
	lo := logOfPoint(lower(x))
	if x.isPoint() {
		return lo
	}
	return enclose(lo.lo, logOfPoint(upper(x)).hi)
}

func logOfPoint(x Interval) Interval {
	mantissa := new(big.Float)
	exponent := x.lo.MantExp(mantissa)
	m, _ := mantissa.Float64()
	y := exactly(math.Log(m) + float64(exponent)*math.Ln2)
	for step := 0; step < 3; step++ { // Newton: y ← y + x exp(−y) − 1
		y = lower(add(y, sub(mul(x, exp(neg(y))), one)))
	}
	for bits := precision - 30; bits > 20; bits -= 8 {
		wide := mul(max(one, abs(y)), tiny(bits))
		lo, hi := lower(sub(y, wide)), upper(add(y, wide))
		if atMost(exp(lo), x) && atMost(x, exp(hi)) {
			return enclose(lo.lo, hi.hi)
		}
	}
	refuse("a logarithm that could not be enclosed")
	return zero
}
