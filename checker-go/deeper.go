package main

// More layers that cost less: a network, or one whose layers share nothing, of scaled value U < D.

func (p *Problem) deeperValue(value any) Interval {
	fields := asObject(value, "deeper", "depth")
	depth := asInteger(fields["depth"], "deeper.depth", p.depth+1, mostLayers)
	if p.beta != nil {
		refuse("deeper is for interpolation")
	}
	path := fields["path"]
	if path == nil {
		network := asBranches(fields["branches"], "deeper.branches")
		p.interpolates(p.outputsOf(network, depth, true, "deeper"), "deeper")
		return upper(p.scaledValue(network))
	}
	if !p.relu || p.targets() != 1 {
		refuse("deeper.path is for ReLU networks with one output")
	}
	f, gain := p.mixture(path, depth)
	p.interpolates(f, "deeper.path")
	return upper(gain)
}

// mixture is Σ_j m_j φ(z_j) and its gain Σ_j |m_j| g_j: z_j = Xu_j has the gain ‖u_j‖, and another
// mixture its own.
func (p *Problem) mixture(value any, depth int) (Matrix, Interval) {
	if depth < 2 {
		refuse("deeper.path has more layers than deeper.depth")
	}
	fields := asObject(value, "deeper.path", "mixture inputs")
	weights := asMatrix(fields["mixture"], "deeper.path.mixture")
	if weights.cols != 1 {
		refuse("deeper.path.mixture is no column")
	}
	var inputs []Matrix
	var gains []Interval
	if list, ok := fields["inputs"].([]any); ok {
		for _, deeper := range list {
			f, gain := p.mixture(deeper, depth-1)
			inputs, gains = append(inputs, f), append(gains, gain)
		}
	} else {
		u := asMatrix(fields["inputs"], "deeper.path.inputs")
		z := product(p.x, u)
		for j := 0; j < u.cols; j++ {
			inputs = append(inputs, Matrix{z.rows, 1, column(z, j)})
			gains = append(gains, norm(Matrix{u.rows, 1, column(u, j)}))
		}
	}
	if len(inputs) != weights.rows {
		refuse("deeper.path.mixture does not have a weight for each input")
	}
	f, gain := newMatrix(p.samples(), 1), zero
	for j, z := range inputs {
		m := weights.at(j, 0)
		f = combine(f, scaled(apply(z, positivePart), m), add)
		gain = add(gain, mul(abs(m), gains[j]))
	}
	return f, gain
}
