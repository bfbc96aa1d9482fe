package main

import "math"

// cones: the evidence is Λ alone. Where the faces are few they decide; else cones of u that cover
// the sphere are halved until ‖Λᵀφ(Xu)‖ ≤ c‖u‖ is proved on each, c a little above what is attained.
//
// On a cone of rays r_j, u = Σ a_j r_j with a ≥ 0, a sample of one sign on all rays is linear or
// zero. For any other, a kink, φ(x_i·u) is between θ_i x_i·u and its chord Σ a_j φ(x_i·r_j), which
// differ by Σ a_j w_ij. With one of them in the place of every kink F(u) becomes Ha, and
// ‖F(u)‖² ≤ aᵀGa, G = HᵀH + E + Eᵀ, E_jl = Σ_i max(0, s_i λ_i·H_j + ‖λ_i‖W_j) w_il, W_j = Σ_i ‖λ_i‖w_ij,
// s_i = 1 for θ and −1 for chords. (certificates.md, Cones, has the proof.)

const (
	fewCandidates   = 2000
	mostSphereCones = 60000
	mostBisections  = 120
	mostSphereDims  = 3 // beyond, cones as loose as these are too many
)

func (p *Problem) conesLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	x, charge := p.nearby(fields, m)
	return m, upper(add(directionsLevel(x, m), charge))
}

// directionsLevel bounds ‖Λᵀφ(Xu)‖ over all directions u, by faces or by cones.
func directionsLevel(x Rational, m Matrix) Interval {
	basis, _ := reduced(x, len(x[0]))
	if countRays(len(x), len(basis)) <= fewCandidates || len(x[0]) > mostSphereDims {
		return levelOver(facesOf(x), m, zero)
	}
	return coneLevel(x.intervals(), m)
}

// A sphere is what all cones share.
type sphere struct {
	x, m     Matrix     // rows x_i and λ_i
	lengths  []Interval // ‖λ_i‖
	xs, ms   [][]float64
	attained float64 // the largest ‖F(u)‖²/‖u‖² so far, slightly rounded
	level    Interval
	budget   int
}

func coneLevel(x, m Matrix) Interval {
	s := &sphere{x: x, m: m, budget: mostSphereCones}
	s.xs, s.ms = floats(x), floats(m)
	for i := 0; i < m.rows; i++ {
		s.lengths = append(s.lengths, norm(Matrix{1, m.cols, m.entries[i*m.cols : (i+1)*m.cols]}))
	}
	d := x.cols
	s.climb()
	all := make([]int, x.rows)
	for i := range all {
		all[i] = i
	}
	for signs := 0; signs < 1<<d; signs++ {
		rays := identity(d) // rays are rows
		for j := 0; j < d; j++ {
			if signs>>j&1 == 1 {
				rays.set(j, j, integer(-1))
			}
		}
		s.prove(rays, newMatrix(m.cols, d), all, 0)
	}
	return upper(sqrt(s.level))
}

func floats(m Matrix) [][]float64 {
	rows := make([][]float64, m.rows)
	for i := range rows {
		for j := 0; j < m.cols; j++ {
			rows[i] = append(rows[i], near(m.at(i, j)))
		}
	}
	return rows
}

// output is F(u) = Λᵀφ(Xu) in float64.
func (s *sphere) output(u []float64) []float64 {
	f := make([]float64, s.m.cols)
	for i, x := range s.xs {
		if t := dot(x, u); t > 0 {
			for l := range f {
				f[l] += t * s.ms[i][l]
			}
		}
	}
	return f
}

// try notes what is attained at u; the level is a little more.
func (s *sphere) try(u []float64) float64 {
	f := s.output(u)
	value := dot(f, f) / dot(u, u)
	if value > s.attained {
		s.attained = value
		s.level = mul(exactly(value), add(one, tiny(25)))
	}
	return value
}

// climb looks for a large value: from many directions by gradient, then by ever shorter steps.
func (s *sphere) climb() {
	d, seed := s.x.cols, uint64(1)
	draw := func() float64 {
		seed = seed*6364136223846793005 + 1442695040888963407
		return float64(seed>>11)/(1<<53) - 0.5
	}
	for start := 0; start < 40; start++ {
		u := make([]float64, d)
		for l := range u {
			u[l] = draw()
		}
		value, step := s.try(u), 0.5
		for tries := 0; tries < 3000 && step > 1e-10; tries++ {
			v := append([]float64(nil), u...)
			size := math.Sqrt(dot(u, u))
			for l := range v {
				v[l] += step * size * draw()
			}
			if next := s.try(v); next > value {
				u, value, step = v, next, 1.5*step
			} else {
				step *= 0.93
			}
		}
	}
}

// prove bounds ‖F‖² on a cone by the level, halving; linear is what samples above it add to F, and
// kinks are those that may change sign.
func (s *sphere) prove(rays, linear Matrix, kinks []int, depth int) {
	if s.budget--; s.budget < 0 || depth > mostBisections {
		leave("a sphere of more than %d cones", mostSphereCones)
	}
	d := rays.rows
	centre := make([]float64, d)
	rows := floats(rays)
	for _, ray := range rows {
		size := math.Sqrt(dot(ray, ray))
		for l := range centre {
			centre[l] += ray[l] / size
		}
		s.try(ray)
	}
	s.try(centre)
	var left []int
	values := map[int][]Interval{}
	for _, i := range kinks {
		row := Matrix{d, 1, s.x.entries[i*d : (i+1)*d]}
		at := product(rays, row).entries
		above, below := true, true
		for _, t := range at {
			above = above && t.lo.Sign() >= 0
			below = below && t.hi.Sign() <= 0
		}
		switch {
		case below:
		case above:
			lambda := Matrix{1, s.m.cols, s.m.entries[i*s.m.cols : (i+1)*s.m.cols]}
			linear = combine(linear, product(transpose(lambda), transpose(row)), add)
		default:
			left = append(left, i)
			values[i] = at
		}
	}
	if s.below(rays, linear, left, values, centre) {
		return
	}
	first, second, longest := 0, 1, -1.0
	for i := range rows {
		for j := 0; j < i; j++ {
			cosine := dot(rows[i], rows[j]) / math.Sqrt(dot(rows[i], rows[i])*dot(rows[j], rows[j]))
			if length := 1 - cosine; length > longest {
				first, second, longest = j, i, length
			}
		}
	}
	for _, replaced := range []int{first, second} {
		half := Matrix{d, d, append([]Interval(nil), rays.entries...)}
		for l := 0; l < d; l++ {
			half.set(replaced, l, mul(add(rays.at(first, l), rays.at(second, l)), exactly(0.5)))
		}
		s.prove(half, linear, left, depth+1)
	}
}

// below: level·r_j·r_l − G_jl is positive definite, or is so without its positive entries off the
// diagonal.
func (s *sphere) below(rays, linear Matrix, kinks []int, values map[int][]Interval, centre []float64) bool {
	d, k := rays.rows, s.m.cols
	theta, chord := s.slopes(linear, kinks, centre)
	h := product(linear, transpose(rays)) // k×d
	mass := make([]Interval, d)
	for j := range mass {
		mass[j] = zero
	}
	w := make([][]Interval, len(kinks))
	for c, i := range kinks {
		w[c] = make([]Interval, d)
		for j, t := range values[i] {
			straight := mul(theta[c], t)
			w[c][j] = sub(positivePart(t), straight)
			mass[j] = add(mass[j], mul(s.lengths[i], w[c][j]))
			if chord[c] {
				straight = positivePart(t)
			}
			for l := 0; l < k; l++ {
				h.set(l, j, add(h.at(l, j), mul(s.m.at(i, l), straight)))
			}
		}
	}
	g := gram(h)
	for c, i := range kinks {
		for j := 0; j < d; j++ {
			along := zero
			for l := 0; l < k; l++ {
				along = add(along, mul(s.m.at(i, l), h.at(l, j)))
			}
			if chord[c] {
				along = neg(along)
			}
			along = positivePart(add(along, mul(s.lengths[i], mass[j])))
			if along.hi.Sign() == 0 {
				continue
			}
			for l := 0; l < d; l++ {
				e := mul(along, w[c][l])
				g.set(j, l, add(g.at(j, l), e))
				g.set(l, j, add(g.at(l, j), e))
			}
		}
	}
	room := combine(scaled(gram(transpose(rays)), upper(s.level)), g, sub)
	if positive(room) {
		return true
	}
	return positive(build(d, d, func(i, j int) Interval {
		if i != j {
			return min(room.at(i, j), zero)
		}
		return room.at(i, j)
	}))
}

// slopes guesses θ and which kinks take their chord: θ of the shortest gradient at the centre for
// those that pull back, λ_i·F < 0, and chords for the others.
func (s *sphere) slopes(linear Matrix, kinks []int, centre []float64) ([]Interval, []bool) {
	f := s.output(centre)
	gradient := make([]float64, len(centre))
	for l, row := range floats(linear) {
		for j := range gradient {
			gradient[j] += f[l] * row[j]
		}
	}
	pull, theta, chord := make([]float64, len(kinks)), make([]float64, len(kinks)), make([]bool, len(kinks))
	for c, i := range kinks {
		pull[c] = dot(s.ms[i], f)
		chord[c] = pull[c] >= 0
		theta[c] = 0.5
		if dot(s.xs[i], centre) > 0 && chord[c] {
			theta[c] = 1
		} else if chord[c] {
			theta[c] = 0
		}
		for j := range gradient {
			gradient[j] += theta[c] * pull[c] * s.xs[i][j]
		}
	}
	for sweep := 0; sweep < 30; sweep++ {
		for c, i := range kinks {
			x := s.xs[i]
			curvature := pull[c] * dot(x, x)
			if chord[c] || curvature == 0 {
				continue
			}
			next := math.Min(1, math.Max(0, theta[c]-dot(gradient, x)/curvature))
			for j := range gradient {
				gradient[j] += (next - theta[c]) * pull[c] * x[j]
			}
			theta[c] = next
		}
	}
	chosen := make([]Interval, len(kinks))
	for c := range chosen {
		if !(theta[c] >= 0 && theta[c] <= 1) {
			theta[c] = 0.5
		}
		chosen[c] = exactly(theta[c])
	}
	return chosen, chord
}
