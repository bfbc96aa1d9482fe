package main

// tree: V_L is in φ(conv(±V_{L−1})) for layers that share nothing, and there
// νᵀφ(z) ≤ max over S of (ν_S − μ)ᵀz for any 0 ≤ μ ≤ ν⁻, S among the positive entries of ν.

func (p *Problem) treeLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	if m.cols != 1 {
		refuse("evidence of kind tree is for one output")
	}
	x, charge := p.nearby(fields, m)
	t := newTree(fields, p.samples())
	faces := facesOf(x)
	level := zero
	t.visit(m, p.depth, func(leaf Matrix) { level = levelOver(faces, leaf, level) })
	t.end()
	return m, upper(add(level, charge))
}

// A Tree reads the rows of μ, depth first.
type Tree struct {
	mu  Matrix
	row int
}

func newTree(fields object, samples int) *Tree {
	mu := asMatrix(fields["mu"], "lower.mu")
	if mu.cols != samples {
		refuse("lower.mu does not have an entry for each sample")
	}
	if mu.rows > mostTreeRows {
		refuse("lower.mu has more than %d rows", mostTreeRows)
	}
	return &Tree{mu: mu}
}

const mostTreeRows = 200000

// visit goes down from a node of one layer to the leaves of layer two.
func (t *Tree) visit(node Matrix, layer int, leaf func(Matrix)) {
	if layer == 2 {
		leaf(node)
		return
	}
	children(node, func(w Matrix, subset map[int]bool) {
		t.visit(t.child(w, subset), layer-1, leaf)
	})
}

// children are named by w = ν, then −ν, and the subsets of the positive entries of w.
func children(node Matrix, each func(w Matrix, subset map[int]bool)) {
	for _, w := range []Matrix{node, apply(node, neg)} {
		var positives []int
		for i, x := range w.entries {
			if x.lo.Sign() > 0 {
				positives = append(positives, i)
			}
		}
		for mask := 0; len(positives) > 40 || mask < 1<<len(positives); mask++ {
			subset := map[int]bool{}
			for bit, i := range positives {
				subset[i] = mask>>bit&1 == 1
			}
			each(w, subset)
		}
	}
}

// child is w_S − μ, with the next row of μ moved into its box.
func (t *Tree) child(w Matrix, subset map[int]bool) Matrix {
	if t.row == t.mu.rows {
		refuse("lower.mu has fewer rows than the tree")
	}
	child := newMatrix(w.rows, 1)
	for i, x := range w.entries {
		if x.lo.Sign() < 0 {
			child.set(i, 0, neg(min(max(t.mu.at(t.row, i), zero), neg(x))))
		} else if subset[i] {
			child.set(i, 0, x)
		}
	}
	t.row++
	return child
}

func (t *Tree) end() {
	if t.row != t.mu.rows {
		refuse("lower.mu has more rows than the tree")
	}
}
