package main

// A Loss is a convex function of outputs and its conjugate g (theory §10).
type Loss interface {
	name() string
	value(outputs, targets Matrix) Interval
	// dual is g(Λ); it refuses Λ outside of its domain.
	dual(multipliers, targets Matrix) Interval
}

func readLoss(value any, targets Matrix) Loss {
	if value == nil {
		return squared{}
	}
	fields := asObject(value, "problem.loss", "kind")
	kind := asString(fields["kind"], "problem.loss.kind",
		"squared", "huber", "quantile", "hinge", "logistic", "cross-entropy")
	if kind == "huber" || kind == "quantile" {
		asObject(value, "problem.loss", "parameter")
		fields.nothingElse("problem.loss", "kind parameter")
		t := exactly(asNumber(fields["parameter"], "problem.loss.parameter"))
		if !less(zero, t) || kind == "quantile" && !less(t, one) {
			refuse("problem.loss.parameter is out of range")
		}
		if kind == "huber" {
			return huber{t}
		}
		return quantile{t}
	}
	fields.nothingElse("problem.loss", "kind")
	switch kind {
	case "hinge", "logistic":
		for _, y := range targets.entries {
			if abs(y).lo.Cmp(one.lo) != 0 {
				refuse("problem.Y has targets other than 1 and -1")
			}
		}
		if kind == "hinge" {
			return hinge{}
		}
		return logistic{}
	case "cross-entropy":
		for i := 0; i < targets.rows; i++ {
			some := false
			for j := 0; j < targets.cols; j++ {
				if targets.at(i, j).lo.Sign() < 0 {
					refuse("problem.Y has a negative target")
				}
				some = some || targets.at(i, j).lo.Sign() > 0
			}
			if !some {
				refuse("problem.Y has a row of zeros")
			}
		}
		return crossEntropy{}
	}
	return squared{}
}

// entrywise sums f over pairs of entries.
func entrywise(a, b Matrix, f func(x, y Interval) Interval) Interval {
	sum := zero
	for _, x := range combine(a, b, f).entries {
		sum = add(sum, x)
	}
	return sum
}

func within(x, low, high Interval) {
	if !atMost(low, x) || !atMost(x, high) {
		refuse("a multiplier is outside of the domain of the loss")
	}
}

type squared struct{}

func (squared) name() string { return "squared" }
func (squared) value(f, y Matrix) Interval {
	return div(squares(combine(f, y, sub)), two)
}
func (squared) dual(m, y Matrix) Interval {
	return sub(inner(m, y), div(squares(m), two))
}

type huber struct{ delta Interval }

func (huber) name() string { return "huber" }
func (h huber) value(f, y Matrix) Interval {
	return entrywise(f, y, func(f, y Interval) Interval {
		// ½r² up to δ and δ|r| − ½δ² beyond, with s = min(|r|, δ): ½s² + δ(|r| − s)
		r := abs(sub(y, f))
		s := min(r, h.delta)
		return add(div(square(s), two), mul(h.delta, positivePart(sub(r, h.delta))))
	})
}
func (h huber) dual(m, y Matrix) Interval {
	for _, x := range m.entries {
		within(abs(x), zero, h.delta)
	}
	return squared{}.dual(m, y)
}

type quantile struct{ q Interval }

func (quantile) name() string { return "quantile" }
func (l quantile) value(f, y Matrix) Interval {
	return entrywise(f, y, func(f, y Interval) Interval {
		r := sub(y, f)
		return max(mul(l.q, r), mul(sub(l.q, one), r))
	})
}
func (l quantile) dual(m, y Matrix) Interval {
	for _, x := range m.entries {
		if !atMost(x, l.q) || !atMost(sub(l.q, one), x) {
			refuse("a multiplier is outside of the domain of the loss")
		}
	}
	return inner(m, y)
}

type hinge struct{}

func (hinge) name() string { return "hinge" }
func (hinge) value(f, y Matrix) Interval {
	return entrywise(f, y, func(f, y Interval) Interval { return positivePart(sub(one, mul(y, f))) })
}
func (hinge) dual(m, y Matrix) Interval {
	return entrywise(m, y, func(m, y Interval) Interval {
		alpha := mul(m, y)
		within(alpha, zero, one)
		return alpha
	})
}

type logistic struct{}

func (logistic) name() string { return "logistic" }
func (logistic) value(f, y Matrix) Interval {
	return entrywise(f, y, func(f, y Interval) Interval {
		// log(1 + e^t) = max(t, 0) + log(1 + e^−|t|), increasing in t
		softplus := func(t Interval) Interval {
			return add(positivePart(t), log(add(one, exp(neg(abs(t))))))
		}
		t := neg(mul(y, f))
		return enclose(softplus(lower(t)).lo, softplus(upper(t)).hi)
	})
}
func (logistic) dual(m, y Matrix) Interval {
	return entrywise(m, y, func(m, y Interval) Interval {
		alpha := mul(m, y)
		within(alpha, zero, one)
		return add(entropy(alpha), entropy(sub(one, alpha)))
	})
}

// entropy is −α log α, which is 0 at 0. For an interval that touches zero it is between 0 and 1.
func entropy(alpha Interval) Interval {
	if alpha.lo.Sign() <= 0 {
		if alpha.hi.Sign() == 0 {
			return zero
		}
		return Interval{zero.lo, one.hi}
	}
	return neg(mul(alpha, log(alpha)))
}

type crossEntropy struct{}

func (crossEntropy) name() string { return "cross-entropy" }
func (crossEntropy) value(f, y Matrix) Interval {
	sum := zero
	for i := 0; i < f.rows; i++ {
		top, mass := lower(f.at(i, 0)), zero
		for j := 0; j < f.cols; j++ {
			top = lower(max(top, f.at(i, j)))
			mass = add(mass, y.at(i, j))
		}
		exponentials := zero
		for j := 0; j < f.cols; j++ {
			exponentials = add(exponentials, exp(sub(f.at(i, j), top)))
			sum = sub(sum, mul(y.at(i, j), f.at(i, j)))
		}
		sum = add(sum, mul(mass, add(top, log(exponentials))))
	}
	return sum
}
func (crossEntropy) dual(m, y Matrix) Interval {
	sum := zero
	for i := 0; i < m.rows; i++ {
		if exactSum(m.entries[i*m.cols:(i+1)*m.cols]).Sign() != 0 {
			refuse("a row of the multipliers does not sum to zero")
		}
		mass := zero
		for j := 0; j < m.cols; j++ {
			mass = add(mass, y.at(i, j))
		}
		for j := 0; j < m.cols; j++ {
			share := sub(y.at(i, j), m.at(i, j))
			if share.lo.Sign() < 0 {
				refuse("a multiplier is outside of the domain of the loss")
			}
			// π log(s/π) = s · entropy(π/s)
			sum = add(sum, mul(mass, entropy(div(share, mass))))
		}
	}
	return sum
}
