package main

// Branch and bound over the first layer of a three-layer standard ReLU network that interpolates
// two to four samples, or so many of them: cones of Gram matrices, each with multipliers that bound
// P₁ on it.

const mostCones = 50000

func (p *Problem) search(value any) Interval {
	if !p.relu || p.parallel || p.beta != nil || p.depth != 3 || !p.decays {
		refuse("a search is for standard ReLU networks of three layers that interpolate")
	}
	fields := asObject(value, "gap.search", "data splits leaves")
	if samples, given := fields["samples"]; given {
		p = p.some(asMatrix(samples, "gap.search.samples"))
	}
	n, k := p.samples(), p.targets()
	if n < 2 || n > 4 {
		refuse("a search is for two to four samples")
	}
	data := asMatrix(fields["data"], "gap.search.data")
	splits := asMatrix(fields["splits"], "gap.search.splits")
	leaves := asMatrix(fields["leaves"], "gap.search.leaves")
	triangle := n * (n + 1) / 2
	varying := leaves.cols == 2*triangle+triangle*n*k
	if data.rows != n || data.cols != n || splits.cols != 2 ||
		!varying && leaves.cols != 2*triangle+n*k {
		refuse("gap.search has matrices of other sizes")
	}
	if splits.rows > mostCones {
		refuse("gap.search has more than %d cones", mostCones)
	}
	for i := 0; i < n; i++ {
		for j := 0; j < i; j++ {
			if data.at(i, j).lo.Cmp(data.at(j, i).lo) != 0 {
				refuse("gap.search.data is not symmetric")
			}
		}
	}
	if !positive(combine(data, gram(transpose(p.x)), sub)) {
		refuse("gap.search.data does not exceed XXᵀ")
	}
	s := &searcher{p: p, splits: splits, leaves: leaves, dataInverse: inverse(data), varying: varying}
	var rays []Matrix
	for i := 0; i < n; i++ {
		for j := 0; j <= i; j++ {
			ray := newMatrix(n, n)
			size := mul(norm(Matrix{1, p.x.cols, p.x.entries[i*p.x.cols : (i+1)*p.x.cols]}),
				norm(Matrix{1, p.x.cols, p.x.entries[j*p.x.cols : (j+1)*p.x.cols]}))
			ray.set(i, j, size)
			ray.set(j, i, size)
			rays = append(rays, ray)
		}
	}
	s.visit(rays, 0)
	if s.row != splits.rows || s.leaf != leaves.rows {
		refuse("gap.search has more rows than its tree")
	}
	return lower(p.total(*s.least))
}

type searcher struct {
	p                           *Problem
	splits, leaves, dataInverse Matrix
	row, leaf                   int
	varying                     bool
	least                       *Interval
}

func (s *searcher) visit(rays []Matrix, depth int) {
	if s.row == s.splits.rows {
		refuse("gap.search.splits has fewer rows than its tree")
	}
	first, second := s.splits.at(s.row, 0), s.splits.at(s.row, 1)
	s.row++
	i, j := smallInteger(first), smallInteger(second)
	if i == -1 && j == -1 {
		s.judgeLeaf(rays)
		return
	}
	if i < 0 || j <= i || j >= len(rays) {
		refuse("gap.search.splits has a row that names no two rays")
	}
	if depth == 50 {
		refuse("gap.search.splits halves more than 50 times")
	}
	middle := scaled(combine(rays[i], rays[j], add), exactly(0.5))
	for _, replaced := range []int{j, i} {
		half := append([]Matrix(nil), rays...)
		half[replaced] = middle
		s.visit(half, depth+1)
	}
}

// smallInteger is a whole number between −2^20 and 2^20, or a refusal.
func smallInteger(x Interval) int {
	whole, _ := x.lo.Int64()
	if !x.lo.IsInt() || whole > 1<<20 || whole < -1<<20 {
		refuse("a number that must be whole is not")
	}
	return int(whole)
}

func (s *searcher) judgeLeaf(rays []Matrix) {
	if s.leaf == s.leaves.rows {
		refuse("gap.search.leaves has fewer rows than kept cones")
	}
	n, k := s.p.samples(), s.p.targets()
	triangle := n * (n + 1) / 2
	row := s.leaves.entries[s.leaf*s.leaves.cols : (s.leaf+1)*s.leaves.cols]
	s.leaf++
	m, h := symmetricOf(row[:triangle], n), symmetricOf(row[triangle:2*triangle], n)
	if !bounded(m, s.dataInverse) {
		refuse("gap.search.leaves has an M that is not proved")
	}
	var lambdas []Matrix
	for at := 2 * triangle; at < len(row); at += n * k {
		lambdas = append(lambdas, Matrix{n, k, row[at : at+n*k]})
	}
	for r, ray := range rays {
		mass := inner(m, ray)
		if mass.lo.Sign() <= 0 {
			refuse("gap.search.leaves has an M that is not positive on its cone")
		}
		if !s.varying {
			if !positive(combine(scaled(h, mass), ray, sub)) {
				refuse("gap.search.leaves has an H that does not exceed its cone")
			}
			continue
		}
		// h is K: 2K − KRK/⟨M, R⟩ bounds zzᵀ ⪯ G to first order.
		below := scaled(product(product(h, ray), h), div(exactly(1), mass))
		q := combine(scaled(h, exactly(2)), below, sub)
		if !bounded(gram(transpose(lambdas[r])), q) {
			refuse("gap.search.leaves has multipliers that are not proved")
		}
	}
	if !s.varying && (!positive(h) || !bounded(gram(transpose(lambdas[0])), inverse(h))) {
		refuse("gap.search.leaves has multipliers that are not proved")
	}
	for _, multipliers := range lambdas {
		value := sub(inner(multipliers, s.p.y), mul(s.p.epsilon, norm(multipliers)))
		value = lower(positivePart(value))
		if s.least == nil || value.lo.Cmp(s.least.lo) < 0 {
			s.least = &value
		}
	}
}

// some is the problem of some samples only, whose numbers increase.
func (p *Problem) some(samples Matrix) *Problem {
	var x, y []Interval
	d, k, before := p.x.cols, p.targets(), -1
	for _, entry := range samples.entries {
		i := smallInteger(entry)
		if i <= before || i >= p.samples() {
			refuse("gap.search.samples has numbers that are no samples, or do not increase")
		}
		x = append(x, p.x.entries[i*d:(i+1)*d]...)
		y = append(y, p.y.entries[i*k:(i+1)*k]...)
		before = i
	}
	part := *p
	part.x, part.y = Matrix{len(samples.entries), d, x}, Matrix{len(samples.entries), k, y}
	return &part
}

func symmetricOf(lowerTriangle []Interval, n int) Matrix {
	m := newMatrix(n, n)
	at := 0
	for i := 0; i < n; i++ {
		for j := 0; j <= i; j++ {
			m.set(i, j, lowerTriangle[at])
			m.set(j, i, lowerTriangle[at])
			at++
		}
	}
	return m
}

// bounded proves φ(z)ᵀMφ(z) ≤ zᵀQz for all z with a positive entry: where z has the signs σ the
// difference is |z|ᵀC|z|, and C is positive definite or copositive.
func bounded(m, q Matrix) bool {
	n := m.rows
	for signs := 1; signs < 1<<n; signs++ {
		isPlus := func(i int) bool { return signs>>i&1 == 1 }
		c := build(n, n, func(i, j int) Interval {
			x := q.at(i, j)
			if isPlus(i) != isPlus(j) {
				return neg(x)
			}
			if isPlus(i) {
				return sub(x, m.at(i, j))
			}
			return x
		})
		if !positive(c) && !copositive(c) {
			return false
		}
	}
	return true
}

// copositive proves aᵀCa > 0 for all a ≥ 0 but zero: if it holds for principal submatrices of one
// row less, it does where the determinant is positive or an entry of the adjugate negative.
func copositive(c Matrix) bool {
	n := c.rows
	sets := make([][][]int, n+1)
	for mask := 1; mask < 1<<n; mask++ {
		var set []int
		for i := 0; i < n; i++ {
			if mask>>i&1 == 1 {
				set = append(set, i)
			}
		}
		sets[len(set)] = append(sets[len(set)], set)
	}
	for size := 1; size <= n; size++ {
		for _, set := range sets[size] {
			if determinant(c, set, set).lo.Sign() <= 0 && (size == 1 || !bentAdjugate(c, set)) {
				return false
			}
		}
	}
	return true
}

// bentAdjugate says whether an entry of the adjugate of a principal submatrix is negative.
func bentAdjugate(c Matrix, set []int) bool {
	for a := range set {
		for b := range set {
			entry := determinant(c, without(set, a), without(set, b))
			if (a+b)%2 == 1 {
				entry = neg(entry)
			}
			if entry.hi.Sign() < 0 {
				return true
			}
		}
	}
	return false
}

func without(set []int, place int) []int {
	return append(append([]int(nil), set[:place]...), set[place+1:]...)
}

// determinant of some rows and columns, by the first of the rows.
func determinant(c Matrix, rows, columns []int) Interval {
	if len(rows) == 1 {
		return c.at(rows[0], columns[0])
	}
	sum := zero
	for b, column := range columns {
		term := mul(c.at(rows[0], column), determinant(c, rows[1:], without(columns, b)))
		if b%2 == 1 {
			term = neg(term)
		}
		sum = add(sum, term)
	}
	return sum
}

// inverse of a small positive definite matrix, by elimination without pivots.
func inverse(m Matrix) Matrix {
	n := m.rows
	rest := Matrix{n, n, append([]Interval(nil), m.entries...)}
	result := identity(n)
	for p := 0; p < n; p++ {
		pivot := rest.at(p, p)
		for i := 0; i < n; i++ {
			if i == p {
				continue
			}
			factor := div(rest.at(i, p), pivot)
			for j := 0; j < n; j++ {
				rest.set(i, j, sub(rest.at(i, j), mul(factor, rest.at(p, j))))
				result.set(i, j, sub(result.at(i, j), mul(factor, result.at(p, j))))
			}
		}
	}
	for i := 0; i < n; i++ {
		for j := 0; j < n; j++ {
			result.set(i, j, div(result.at(i, j), rest.at(i, i)))
		}
	}
	return result
}
