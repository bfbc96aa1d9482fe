package main

// The upper bound: what a network puts out, and what its weights cost.

// outputs is the sum of the branches on X, every one of `depth` layers.
func (p *Problem) outputsOf(branches [][]Matrix, depth int, parallel bool, name string) Matrix {
	if !parallel && len(branches) != 1 {
		refuse("%s has %d branches, a standard network has one", name, len(branches))
	}
	sum := newMatrix(p.samples(), p.targets())
	for _, layers := range branches {
		if len(layers) != depth {
			refuse("%s has %d layers, not %d", name, len(layers), depth)
		}
		if parallel && layers[depth-2].cols != 1 {
			refuse("%s has a branch that does not end in one neuron", name)
		}
		hidden := p.x
		for l, weights := range layers {
			if l > 0 && p.relu {
				hidden = apply(hidden, positivePart)
			}
			hidden = product(hidden, weights)
		}
		sum = combine(sum, hidden, add)
	}
	return sum
}

// layerSquares is ‖W_l‖² without the row of free biases.
func (p *Problem) layerSquares(layers []Matrix, l int) Interval {
	w := layers[l]
	if l == 0 && p.first == "free" {
		w = firstRows(w, w.rows-1)
	}
	return squares(w)
}

// regulariser is ½ Σ‖W‖², or ½ Σ‖W‖^L for power.
func (p *Problem) regulariser(branches [][]Matrix) Interval {
	sum := zero
	for _, layers := range branches {
		for l := range layers {
			cost := p.layerSquares(layers, l)
			if !p.decays {
				cost = root(power(cost, p.depth), 2)
			}
			sum = add(sum, cost)
		}
	}
	return div(sum, two)
}

// scaledValue is Σ_j Π_l ‖W_{l,j}‖, at least the gauge of the outputs.
func (p *Problem) scaledValue(branches [][]Matrix) Interval {
	sum := zero
	for _, layers := range branches {
		cost := one
		for l := range layers {
			cost = mul(cost, p.layerSquares(layers, l))
		}
		sum = add(sum, sqrt(cost))
	}
	return sum
}

// interpolates checks ‖f(X) − Y‖_F ≤ ε.
func (p *Problem) interpolates(f Matrix, name string) {
	if !atMost(squares(combine(f, p.y, sub)), square(p.epsilon)) {
		refuse("%s is not proved to interpolate within epsilon", name)
	}
}

// primal proves an upper bound of the optimum.
func (p *Problem) primal(value any) Interval {
	fields := asObject(value, "upper", "branches")
	branches := asBranches(fields["branches"], "upper.branches")
	f := p.outputsOf(branches, p.depth, p.parallel, "upper")
	biasCost := zero
	if given := fields["bias"]; given != nil {
		bias := asMatrix(given, "upper.bias")
		if p.outputs == "none" {
			refuse("upper.bias is given and the problem has none")
		}
		if bias.rows != 1 || bias.cols != p.targets() {
			refuse("upper.bias is not one row with an entry for each output")
		}
		f = build(f.rows, f.cols, func(i, j int) Interval { return add(f.at(i, j), bias.at(0, j)) })
		if p.outputs == "decayed" {
			biasCost = div(squares(bias), two)
		}
	}
	cost := p.regulariser(branches)
	if p.beta == nil {
		p.interpolates(f, "upper")
		return upper(cost)
	}
	return upper(add(p.loss.value(f, p.y), mul(*p.beta, add(cost, biasCost))))
}

// bidual proves an upper bound of the dual value: a parallel network of the same depth.
func (p *Problem) bidual(value any) Interval {
	fields := asObject(value, "gap.bidual", "branches")
	branches := asBranches(fields["branches"], "gap.bidual.branches")
	f := p.outputsOf(branches, p.depth, true, "gap.bidual")
	gauge := p.scaledValue(branches)
	if p.beta == nil {
		p.interpolates(f, "gap.bidual")
		return upper(p.total(gauge))
	}
	return upper(add(p.loss.value(f, p.y), p.weight(gauge)))
}
