package main

// Evidence in which outputs are any v ≥ 0 of bounded length: the faces are those of the orthant.

// whitened: V_L is in {v ≥ 0 : ‖v‖ ≤ ‖X‖₂}.
func (p *Problem) whitenedLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	return m, upper(mul(spectralNorm(p.x), orthantLevel(m, fields["split"])))
}

const mostSupports = 12 // samples

// orthantLevel bounds max ‖Λᵀv‖ over v ≥ 0, ‖v‖ ≤ 1: by all supports, or by λ_max(ΛΛᵀ + S)^½ for a
// non-negative S, which is given or cancels negative entries.
func orthantLevel(m Matrix, split any) Interval {
	if split == nil && m.rows <= mostSupports {
		return levelOver(orthantFaces(m.rows), m, zero)
	}
	form := gram(transpose(m))
	if split == nil {
		return upper(sqrt(largest(apply(form, positivePart))))
	}
	s := asMatrix(split, "lower.split")
	if !s.sameShape(form) {
		refuse("lower.split is not square with a row for each sample")
	}
	for _, x := range s.entries {
		if x.lo.Sign() < 0 {
			refuse("lower.split has a negative entry")
		}
	}
	symmetric := build(s.rows, s.cols, func(i, j int) Interval {
		return div(add(s.at(i, j), s.at(j, i)), two)
	})
	level := upper(sqrt(largest(combine(form, symmetric, add))))
	if m.rows <= mostSupports {
		return levelOver(orthantFaces(m.rows), m, zero)
	}
	return level
}

// orthantFaces are the cones {v ≥ 0} of all supports.
func orthantFaces(n int) []Face {
	var faces []Face
	for support := 1; support < 1<<n; support++ {
		data := newMatrix(n, 0)
		var members []int
		for i := 0; i < n; i++ {
			if support>>i&1 == 1 {
				members = append(members, i)
			}
		}
		data = newMatrix(n, len(members))
		for j, i := range members {
			data.set(i, j, one)
		}
		eye := identity(len(members))
		faces = append(faces, Face{data, eye, eye, unit(len(members)), "", data})
	}
	return faces
}
