package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"sort"
	"strings"
)

// moments: for ‖u‖ = ‖r‖ = 1 and p = φ(sXu), q = p − sXu, y = (p, q), z = (r, u, p), a block has
//
//	c₀‖r‖² − σ rᵀΛᵀp/s = zᵀHz + yᵀSy + 2rᵀay + 2uᵀBy − t(‖u‖² − ‖r‖²),
//
// and all terms on the right but the first are at least zero. So c is at most
// c₀ + ‖z‖² max(0, −λ_min(H)) over blocks whose sides cover all signs, ‖z‖² ≤ 2 + s²‖X‖₂².

const mostBlocks = 200

// A block of neurons with given signs of some x_i·u.
type block struct {
	sign   int
	vertex *Matrix
	sides  []int
	fields object
	name   string
}

func (p *Problem) momentsLevel(fields object) (Matrix, Interval) {
	m := p.multipliers(fields)
	scale := exactly(asNumber(fields["scale"], "lower.scale"))
	level := exactly(asNumber(fields["level"], "lower.level"))
	if scale.lo.Sign() <= 0 {
		refuse("lower.scale is not positive")
	}
	blocks := p.blocks(fields)
	p.cover(blocks)
	x := scaled(p.x, scale)
	size := add(two, square(spectralNorm(x)))
	most := zero
	for _, b := range blocks {
		lambda, sign := m, b.sign
		if b.vertex != nil {
			lambda, sign = product(m, *b.vertex), 1
		} else if m.cols > 1 {
			sign = 1
		}
		form := p.momentForm(b, scaled(lambda, div(integer(sign), scale)), x, level)
		most = max(most, add(level, mul(size, deficit(form))))
	}
	return m, upper(most)
}

func (p *Problem) blocks(fields object) []block {
	list := asList(fields["blocks"], "lower.blocks")
	if len(list) < 1 || len(list) > mostBlocks {
		refuse("lower.blocks has not 1 to %d blocks", mostBlocks)
	}
	var blocks []block
	for j, value := range list {
		b := block{name: fmt.Sprintf("lower.blocks[%d]", j)}
		b.fields = asObject(value, b.name, "sign sides pairs")
		b.sign = asInteger(b.fields["sign"], b.name+".sign", -1, 1)
		sides := asMatrix(b.fields["sides"], b.name+".sides")
		if sides.rows != p.samples() || sides.cols != 1 {
			refuse("%s.sides does not have a side for each sample", b.name)
		}
		for _, x := range sides.entries {
			side := smallInteger(x)
			if side < -1 || side > 1 {
				refuse("%s.sides has a side other than -1, 0 and 1", b.name)
			}
			b.sides = append(b.sides, side)
		}
		if vertex := b.fields["vertex"]; vertex != nil {
			v := asMatrix(vertex, b.name+".vertex")
			if p.targets() != 2 || v.rows != 2 || v.cols != 1 {
				refuse("%s.vertex is for two outputs", b.name)
			}
			b.vertex = &v
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// cover checks that the blocks hold all neurons: for both signs of one output, for all directions
// of several, or for the vertices of a polygon around the unit disk.
func (p *Problem) cover(blocks []block) {
	groups := map[string][]block{}
	var vertices []Matrix
	for _, b := range blocks {
		key := "all"
		switch {
		case b.vertex != nil:
			key = fmt.Sprint(b.vertex.at(0, 0).lo, b.vertex.at(1, 0).lo)
			if groups[key] == nil {
				vertices = append(vertices, *b.vertex)
			}
		case p.targets() == 1 && b.sign == 0 || p.targets() > 1 && b.sign != 0:
			refuse("%s.sign is %d", b.name, b.sign)
		case p.targets() == 1:
			key = fmt.Sprint(b.sign)
		}
		groups[key] = append(groups[key], b)
	}
	needed := []string{"all"}
	if p.targets() == 1 {
		needed = []string{"1", "-1"}
	}
	if vertices != nil {
		checkPolygon(vertices)
		needed = nil
		for key := range groups {
			if key != "all" {
				needed = append(needed, key)
			}
		}
		if len(groups["all"]) > 0 {
			refuse("lower.blocks has a vertex in some blocks and none in others")
		}
	}
	for _, key := range needed {
		var sides [][]int
		for _, b := range groups[key] {
			sides = append(sides, append([]int(nil), b.sides...))
		}
		if !coverAll(sides) {
			refuse("lower.blocks leaves out some signs of Xu")
		}
	}
}

// coverAll: one fixes nothing, or all fix a common sample and both halves cover in turn.
func coverAll(sides [][]int) bool {
	if len(sides) == 0 {
		return false
	}
	common := make([]bool, len(sides[0]))
	for i := range common {
		common[i] = true
	}
	for _, s := range sides {
		free := true
		for i, side := range s {
			common[i] = common[i] && side != 0
			free = free && side == 0
		}
		if free {
			return true
		}
	}
	for i := range common {
		if !common[i] {
			continue
		}
		var below, above [][]int
		for _, s := range sides {
			rest := append([]int(nil), s...)
			rest[i] = 0
			if s[i] < 0 {
				below = append(below, rest)
			} else {
				above = append(above, rest)
			}
		}
		return coverAll(below) && coverAll(above)
	}
	return false
}

// checkPolygon: neighbours turn by less than a half, and their edges keep off the unit disk.
func checkPolygon(vertices []Matrix) {
	angle := func(v Matrix) float64 { return math.Atan2(near(v.at(1, 0)), near(v.at(0, 0))) }
	sort.Slice(vertices, func(i, j int) bool { return angle(vertices[i]) < angle(vertices[j]) })
	for i, v := range vertices {
		w := vertices[(i+1)%len(vertices)]
		det := sub(mul(v.at(0, 0), w.at(1, 0)), mul(v.at(1, 0), w.at(0, 0)))
		if det.lo.Sign() <= 0 || !atMost(squares(combine(v, w, sub)), square(det)) {
			refuse("the vertices of lower.blocks are no polygon around the unit disk")
		}
	}
}

// A pair is an entry of S, i ≤ j.
type pair struct {
	i, j  int
	value Interval
}

// readPairs reads the upper half of S: a matrix, or float32 entries at increasing places.
func readPairs(value any, size int, name string) []pair {
	fields := asObject(value, name, "shape data")
	var pairs []pair
	keep := func(i, j int, x Interval) {
		if i <= j && x.lo.Sign() != 0 {
			pairs = append(pairs, pair{i, j, x})
		}
	}
	if fields["at"] == nil {
		m := asMatrix(value, name)
		if m.rows != size || m.cols != size {
			refuse("%s is not of %dx%d entries", name, size, size)
		}
		for i := 0; i < size; i++ {
			for j := i; j < size; j++ {
				keep(i, j, m.at(i, j))
			}
		}
		return pairs
	}
	shape := asList(fields["shape"], name+".shape")
	if len(shape) != 2 {
		refuse("%s.shape has not two numbers", name)
	}
	asInteger(shape[0], name+".shape", size, size)
	asInteger(shape[1], name+".shape", size, size)
	at, data := fromHex(fields["at"], name+".at"), fromHex(fields["data"], name+".data")
	if len(at) != len(data) || len(at)%4 != 0 {
		refuse("%s has not as many places as entries", name)
	}
	last := -1
	for l := 0; l < len(at); l += 4 {
		place := int(binary.LittleEndian.Uint32(at[l:]))
		x := float64(math.Float32frombits(binary.LittleEndian.Uint32(data[l:])))
		if place <= last || place >= size*size || math.IsNaN(x) || math.IsInf(x, 0) {
			refuse("%s has places that do not increase, or entries that are not finite", name)
		}
		last = place
		keep(place/size, place%size, exactly(x))
	}
	return pairs
}

func fromHex(value any, name string) []byte {
	text := asString(value, name)
	bytes, err := hex.DecodeString(text)
	if err != nil || text != strings.ToLower(text) {
		refuse("%s is not hexadecimal", name)
	}
	return bytes
}

// vanishes says which y_i are zero on a block: p_i where the side is −1, q_i where it is 1.
func (b block) vanishes(i int) bool {
	n := len(b.sides)
	return i < n && b.sides[i] == -1 || i >= n && b.sides[i-n] == 1
}

// momentForm is H of a block, in the coordinates (r, u, p), with valid multipliers near those given.
func (p *Problem) momentForm(b block, lambda, x Matrix, level Interval) Matrix {
	n, d, k := x.rows, x.cols, lambda.cols
	if b.fields["cones"] == nil {
		refuse("%s.cones is missing", b.name)
	}
	trace := exactly(asNumber(b.fields["trace"], b.name+".trace"))
	form := newMatrix(k+d+n, k+d+n)
	plus := func(i, j int, value Interval) { // to both entries of a symmetric pair
		form.set(i, j, add(form.at(i, j), value))
		if i != j {
			form.set(j, i, add(form.at(j, i), value))
		}
	}
	u, pp := k, k+d // where u and p begin
	for i := 0; i < k; i++ {
		plus(i, i, sub(level, trace))
		for j := 0; j < n; j++ {
			plus(i, pp+j, neg(div(lambda.at(j, i), two)))
		}
	}
	for l := 0; l < d; l++ {
		plus(u+l, u+l, trace)
	}
	// −yᵀSy with y_i = p_i, y_{n+i} = p_i − x_i·u; S·(rows of y's dependence on u)
	su := newMatrix(2*n, d)
	toRow := func(i, j int, value Interval) {
		if j >= n {
			for l := 0; l < d; l++ {
				su.set(i, l, sub(su.at(i, l), mul(value, x.at(j-n, l))))
			}
		}
	}
	for _, s := range readPairs(b.fields["pairs"], 2*n, b.name+".pairs") {
		if s.value.lo.Sign() < 0 && s.j != s.i+n && !b.vanishes(s.i) && !b.vanishes(s.j) {
			continue // moved to zero
		}
		i, j := s.i%n, s.j%n
		if s.i != s.j && i == j {
			plus(pp+i, pp+i, neg(mul(two, s.value)))
		} else {
			plus(pp+i, pp+j, neg(s.value))
		}
		toRow(s.i, s.j, s.value)
		if s.i != s.j {
			toRow(s.j, s.i, s.value)
		}
	}
	for i := 0; i < 2*n; i++ {
		for l := 0; l < d; l++ {
			plus(u+l, pp+i%n, neg(su.at(i, l)))
		}
	}
	uu := product(transpose(x), Matrix{n, d, su.entries[n*d:]})
	for l := 0; l < d; l++ {
		for o := 0; o <= l; o++ {
			plus(u+l, u+o, uu.at(l, o))
		}
	}
	if k == 1 {
		p.momentCones(b, x, plus)
	}
	return form
}

// momentCones takes 2rᵀay + 2uᵀBy from the form, a_i ≥ ‖B_i‖ where y_i does not vanish.
func (p *Problem) momentCones(b block, x Matrix, plus func(i, j int, value Interval)) {
	n, d := x.rows, x.cols
	cones := asMatrix(b.fields["cones"], b.name+".cones")
	if cones.rows != 1+d || cones.cols != 2*n {
		refuse("%s.cones is not of %dx%d entries", b.name, 1+d, 2*n)
	}
	u, pp := 1, 1+d
	for i := 0; i < 2*n; i++ {
		a, row := cones.at(0, i), Matrix{d, 1, column(cones, i)[1:]}
		if !b.vanishes(i) {
			a, row = intoCone(a, row)
		}
		plus(0, pp+i%n, neg(a))
		for l := 0; l < d; l++ {
			plus(u+l, pp+i%n, neg(row.at(l, 0)))
		}
		if i < n {
			continue
		}
		for l := 0; l < d; l++ { // q_i = p_i − x_i·u
			plus(0, u+l, mul(a, x.at(i-n, l)))
			for o := 0; o < d; o++ {
				value := mul(row.at(l, 0), x.at(i-n, o))
				if l == o {
					value = mul(two, value)
				}
				plus(u+l, u+o, value)
			}
		}
	}
}

// intoCone is a point near (a, b) with a ≥ ‖b‖.
func intoCone(a Interval, b Matrix) (Interval, Matrix) {
	length := norm(b)
	if atMost(length, a) {
		return a, b
	}
	if less(add(length, a), zero) {
		return zero, newMatrix(b.rows, 1)
	}
	middle := lower(div(positivePart(add(a, length)), two))
	if length.lo.Sign() > 0 {
		b = apply(scaled(b, div(middle, length)), lower)
	}
	return upper(max(middle, norm(b))), b
}
