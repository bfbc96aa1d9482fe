package main

// Evidence for two layers of ReLU: the faces of the data's arrangement.

// nearby reads X′, a matrix or the factors of one, and what it costs to argue about it instead.
func (p *Problem) nearby(fields object, multipliers Matrix) (Rational, Interval) {
	value, ok := fields["X"]
	if !ok {
		return rationalOf(p.x), zero
	}
	var x Rational
	if factors, ok := value.([]any); ok {
		if len(factors) < 1 || len(factors) > 2 {
			refuse("lower.X is no list of one or two factors")
		}
		x = rationalOf(asMatrix(factors[0], "lower.X[0]"))
		if len(factors) == 2 {
			second := rationalOf(asMatrix(factors[1], "lower.X[1]"))
			if len(x[0]) != len(second) {
				refuse("the factors in lower.X cannot be multiplied")
			}
			x = x.times(second.transposed())
		}
	} else {
		x = rationalOf(asMatrix(value, "lower.X"))
	}
	if len(x) != p.samples() || len(x[0]) != p.features() {
		refuse("lower.X is not of the shape of problem.X")
	}
	return x, upper(mul(norm(multipliers), p.distance(x.intervals())))
}

// faces: c² is the largest of ‖ΛᵀDXu‖² over all faces.
func (p *Problem) facesLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	x, charge := p.nearby(fields, m)
	return m, add(levelOver(facesOf(x), m, zero), charge)
}

// shifts: with free biases c = max_i c(Λ; X − 1x_iᵀ) over the rows of X.
func (p *Problem) shiftsLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	by := asString(fields["by"], "lower.by", "faces", "cones", "whitened")
	if p.first != "free" {
		refuse("evidence of kind shifts is for free biases of the first layer")
	}
	x := rationalOf(p.x)
	seen := map[string]bool{}
	level, orthant := zero, zero
	if by == "whitened" {
		orthant = orthantLevel(m, nil)
	}
	for _, origin := range x {
		key := ""
		for _, coordinate := range origin {
			key += coordinate.String() + " "
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		shifted := newRational(len(x), len(origin)-1)
		for i := range shifted {
			for j := range shifted[i] {
				shifted[i][j].Sub(x[i][j], origin[j])
			}
		}
		if by == "whitened" {
			level = max(level, mul(spectralNorm(shifted.intervals()), orthant))
		} else {
			level = max(level, directionsLevel(shifted, m))
		}
	}
	return m, upper(level)
}
