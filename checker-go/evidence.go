package main

// Kinds of evidence: each proves an upper bound of c_L(Λ) = max ‖Λᵀv‖ over branch outputs v.

// levelOf reads one piece of evidence and returns Λ and the bound.
func (p *Problem) levelOf(value any) (Matrix, Interval) {
	fields, ok := value.(object)
	if !ok {
		refuse("lower is no object")
	}
	kind, _ := fields["kind"].(string)
	if p.first == "free" && kind != "shifts" {
		refuse("free biases of the first layer take evidence of kind shifts, not %q", kind)
	}
	var judge func(*Problem, object) (Matrix, Interval)
	var required string
	relu, least, most := true, 2, mostLayers
	switch kind {
	case "linear":
		judge, relu = (*Problem).linearLevel, false
	case "faces":
		judge, most = (*Problem).facesLevel, 2
	case "cones":
		judge, most = (*Problem).conesLevel, 2
	case "tree":
		judge, required, least = (*Problem).treeLevel, "mu", 3
	case "rank-one":
		judge, required = (*Problem).rankOneLevel, "c a"
	case "whitened":
		judge = (*Problem).whitenedLevel
	case "shifts":
		judge, required, most = (*Problem).shiftsLevel, "by", 2
	case "outputs":
		return p.outputsLevel(fields)
	case "shared":
		judge, required, least = (*Problem).sharedLevel, "splits mu eta", 3
	case "cover":
		judge, required, least, most = (*Problem).coverLevel, "splits mu", 3, 3
	case "moments":
		judge, required, most = (*Problem).momentsLevel, "scale level blocks", 2
	case "layers":
		leave("evidence of kind %s", kind)
	default:
		refuse("lower.kind is %q, which is no kind of evidence", kind)
	}
	asObject(value, "lower", "kind multipliers "+required)
	if p.relu != relu {
		refuse("evidence of kind %s is not for this activation", kind)
	}
	if p.depth < least || p.depth > most {
		refuse("evidence of kind %s is not for depth %d", kind, p.depth)
	}
	return judge(p, fields)
}

func (p *Problem) multipliers(fields object) Matrix {
	m := asMatrix(fields["multipliers"], "lower.multipliers")
	if !m.sameShape(p.y) {
		refuse("lower.multipliers is %dx%d, and problem.Y %dx%d", m.rows, m.cols, p.y.rows, p.y.cols)
	}
	return m
}

// linear: V_L = {Xw : ‖w‖ ≤ 1}, so c = ‖XᵀΛ‖₂.
func (p *Problem) linearLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	return m, spectralNorm(product(transpose(p.x), m))
}

// rank-one: V_L is in ‖a‖ conv{0, c₊, c₋} for X′ = c aᵀ, and networks are 1-Lipschitz in X.
func (p *Problem) rankOneLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	c, a := p.rankOneData(fields)
	plus := product(transpose(m), apply(c, positivePart))
	minus := product(transpose(m), apply(c, func(x Interval) Interval { return positivePart(neg(x)) }))
	level := mul(norm(a), max(norm(plus), norm(minus)))
	return m, upper(add(level, mul(norm(m), p.distance(product(c, transpose(a))))))
}

func (p *Problem) rankOneData(fields object) (c, a Matrix) {
	c, a = asMatrix(fields["c"], "lower.c"), asMatrix(fields["a"], "lower.a")
	if c.rows != p.samples() || c.cols != 1 || a.rows != p.features() || a.cols != 1 {
		refuse("lower.c and lower.a are no columns of the sizes of problem.X")
	}
	return c, a
}

// distance is ‖X − X′‖_F.
func (p *Problem) distance(nearby Matrix) Interval { return norm(combine(p.x, nearby, sub)) }

// outputs: Λ = λqᵀ has c(Λ) = ‖q‖ c(λ), and inner is evidence for λ.
func (p *Problem) outputsLevel(fields object) (Matrix, Interval) {
	asObject(fields, "lower", "kind direction inner")
	q := asMatrix(fields["direction"], "lower.direction")
	if q.rows != p.targets() || q.cols != 1 {
		refuse("lower.direction is no column with an entry for each output")
	}
	if inner, ok := fields["inner"].(object); ok && inner["kind"] == "outputs" {
		refuse("lower.inner is of kind outputs itself")
	}
	scalar := *p
	scalar.y = newMatrix(p.samples(), 1)
	m, level := scalar.levelOf(fields["inner"])
	return product(m, transpose(q)), upper(mul(norm(q), level))
}
