package main

import (
	"fmt"
	"math/big"
)

// cover: h(q) = c₃(Λq) is convex, even and homogeneous. On the cone of q₁ … q_k it is at most qᵀw
// for the w with q_iᵀw = h(q_i), so c₃(Λ) is at most the largest ‖w‖ over cones that cover all q.

func (p *Problem) coverLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	k := p.targets()
	if k < 2 || k > 4 {
		refuse("evidence of kind cover is for two to four outputs")
	}
	x, charge := p.nearby(fields, m)
	c := &cover{
		multipliers: m,
		splits:      asMatrix(fields["splits"], "lower.splits"),
		tree:        newTree(fields, p.samples()),
		faces:       facesOf(x),
		stretch:     spectralNorm(x.intervals()),
		levels:      map[string]Interval{},
		level:       zero,
	}
	if c.splits.cols != 4 {
		refuse("lower.splits does not have four columns")
	}
	for signs := 0; signs < 1<<(k-1); signs++ { // + before −, the last output fastest
		rays := newRational(k, k)
		for i := range rays {
			rays[i][i].SetInt64(1)
			if i > 0 && signs>>(k-1-i)&1 == 1 {
				rays[i][i].SetInt64(-1)
			}
		}
		c.visit(rays, 0)
	}
	if c.row != c.splits.rows {
		refuse("lower.splits has more rows than its cones")
	}
	c.tree.end()
	return m, upper(add(c.level, charge))
}

type cover struct {
	multipliers, splits Matrix
	tree                *Tree
	faces               []Face
	stretch             Interval // ‖X′‖₂
	levels              map[string]Interval
	row                 int
	level               Interval
}

func (c *cover) visit(rays Rational, depth int) {
	if c.row == c.splits.rows || depth > 200 {
		refuse("lower.splits has fewer rows than its cones, or more than 200 halvings of one")
	}
	for _, ray := range rays { // first uses, in cones that are cut as well
		c.levelAt(ray)
	}
	var split [4]int
	for l := range split {
		split[l] = smallInteger(c.splits.at(c.row, l))
	}
	c.row++
	i, j, p, r := split[0], split[1], split[2], split[3]
	if i == -1 && j == -1 && p == 0 && r == 0 {
		c.keep(rays)
		return
	}
	if i < 0 || j < 0 || i >= len(rays) || j >= len(rays) || i == j || p < 1 || r < 1 {
		refuse("lower.splits has a row that splits no cone")
	}
	middle := newRational(1, len(rays))[0]
	for l := range middle {
		middle[l].Add(new(big.Rat).Mul(big.NewRat(int64(p), 1), rays[i][l]),
			new(big.Rat).Mul(big.NewRat(int64(r), 1), rays[j][l]))
	}
	for _, replaced := range []int{i, j} {
		half := append(Rational(nil), rays...)
		half[replaced] = middle
		c.visit(half, depth+1)
	}
}

// keep bounds h on a cone by ‖w‖.
func (c *cover) keep(rays Rational) {
	k := len(rays)
	system := newRational(k, 2*k)
	levels := newMatrix(k, 1)
	for i := range rays {
		copy(system[i], rays[i])
		system[i][k+i].SetInt64(1)
		levels.set(i, 0, c.levelAt(rays[i]))
	}
	solved, pivots := reduced(system, 2*k)
	if pivots[k-1] != k-1 {
		refuse("lower.splits has a cone that is flat")
	}
	inverse := make(Rational, k)
	for i := range inverse {
		inverse[i] = solved[i][k:]
	}
	c.level = upper(max(c.level, norm(product(inverse.intervals(), levels))))
}

// levelAt is h(q) for a direction of whole numbers, by its tree at the float64 product Λq.
func (c *cover) levelAt(direction []*big.Rat) Interval {
	q := newMatrix(len(direction), 1)
	sign := 0
	for l, x := range direction {
		if sign == 0 {
			sign = x.Sign()
		}
		q.set(l, 0, fraction(new(big.Rat).Mul(x, big.NewRat(int64(sign), 1))))
	}
	key := ""
	for _, x := range q.entries {
		key += fmt.Sprint(near(x), " ")
	}
	if level, known := c.levels[key]; known {
		return level
	}
	exact := product(c.multipliers, q)
	rounded := apply(exact, func(x Interval) Interval { return exactly(nearest(x)) })
	level := zero
	c.tree.visit(rounded, 3, func(leaf Matrix) { level = levelOver(c.faces, leaf, level) })
	off := mul(norm(combine(exact, rounded, sub)), c.stretch)
	c.levels[key] = upper(add(level, off))
	return c.levels[key]
}

func nearest(x Interval) float64 {
	f, _ := new(big.Float).SetPrec(53).SetMode(big.ToNearestEven).Set(x.lo).Float64()
	return f
}
