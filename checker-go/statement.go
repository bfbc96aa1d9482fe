package main

// A Problem is what a certificate is about. X has the column of ones where the first layer has a
// bias; free is the number of last rows of W₁ that the regulariser does not see.
type Problem struct {
	x, y                   Matrix
	relu, parallel, decays bool // decays: weight decay, else power
	depth                  int
	beta                   *Interval // nil for interpolation
	epsilon                Interval
	loss                   Loss
	first, outputs         string // the biases
}

func (p *Problem) samples() int  { return p.x.rows }
func (p *Problem) features() int { return p.x.cols }
func (p *Problem) targets() int  { return p.y.cols }

const (
	mostRows, mostColumns = 10000, 1000
	mostLayers            = 50
)

func readProblem(value, epsilon any) *Problem {
	fields := asObject(value, "problem",
		"X Y activation architecture depth regularizer beta")
	fields.nothingElse("problem", // it may change what is stated
		"X Y activation architecture depth regularizer beta loss bias")
	p := &Problem{
		x:        asMatrix(fields["X"], "problem.X"),
		y:        asMatrix(fields["Y"], "problem.Y"),
		relu:     asString(fields["activation"], "problem.activation", "relu", "linear") == "relu",
		depth:    asInteger(fields["depth"], "problem.depth", 2, mostLayers),
		epsilon:  exactly(asNumber(epsilon, "epsilon")),
		first:    "none",
		outputs:  "none",
		parallel: asString(fields["architecture"], "problem.architecture", "standard", "parallel") == "parallel",
		decays:   asString(fields["regularizer"], "problem.regularizer", "weight_decay", "power") == "weight_decay",
	}
	if p.x.rows != p.y.rows {
		refuse("problem.X has %d rows and problem.Y %d", p.x.rows, p.y.rows)
	}
	if p.x.rows > mostRows || p.x.cols > mostColumns || p.y.cols > mostColumns {
		refuse("problem has more than %d rows or %d columns", mostRows, mostColumns)
	}
	if fields["beta"] != nil {
		beta := exactly(asNumber(fields["beta"], "problem.beta"))
		if beta.lo.Sign() <= 0 {
			refuse("problem.beta is not positive")
		}
		p.beta = &beta
	}
	p.loss = readLoss(fields["loss"], p.y)
	if bias := fields["bias"]; bias != nil {
		pair := asList(bias, "problem.bias")
		if len(pair) != 2 {
			refuse("problem.bias has not two names")
		}
		p.first = asString(pair[0], "problem.bias", "none", "decayed", "free")
		p.outputs = asString(pair[1], "problem.bias", "none", "decayed", "free")
	}
	if p.first != "none" {
		p.x = withOnes(p.x)
	}
	p.checkStatement()
	return p
}

func (p *Problem) checkStatement() {
	if !p.parallel && !p.decays && p.depth > 2 {
		refuse("the power regulariser is for parallel networks, or two layers")
	}
	if p.first == "free" && p.outputs != "free" {
		refuse("free biases of the first layer need a free one of the outputs")
	}
	if p.beta != nil {
		if p.epsilon.lo.Sign() != 0 {
			refuse("epsilon is not 0 beside beta")
		}
		return
	}
	if p.loss.name() != "squared" {
		refuse("only squares can be asked to interpolate")
	}
	if p.outputs != "none" && p.first != "free" {
		refuse("interpolation takes a bias of the outputs only beside free ones of the first layer")
	}
	if p.epsilon.lo.Sign() < 0 || !atMost(p.epsilon, p.mostEpsilon()) {
		refuse("epsilon is more than interpolation may leave")
	}
}

// mostEpsilon is 1e-6 ‖Y‖_F, or what stands in its place beside free biases of the outputs.
func (p *Problem) mostEpsilon() Interval {
	if p.outputs != "free" {
		return mul(exactly(1e-6), norm(p.y))
	}
	centred := newMatrix(p.y.rows, p.y.cols)
	for j := 0; j < p.y.cols; j++ {
		sum := zero
		for _, x := range column(p.y, j) {
			sum = add(sum, x)
		}
		mean := div(sum, integer(p.y.rows))
		for i := 0; i < p.y.rows; i++ {
			centred.set(i, j, sub(p.y.at(i, j), mean))
		}
	}
	return max(mul(exactly(1e-6), norm(centred)), mul(tiny(40), norm(p.y)))
}

// total turns a scaled value, a product of norms, into an objective value (theory §1, Totals).
func (p *Problem) total(value Interval) Interval {
	half := div(integer(p.depth), two)
	if p.decays {
		return mul(half, powerOf(value, 2, p.depth))
	}
	return mul(half, max(value, zero))
}

// weight is what a scaled value costs beside the loss: β times its total.
func (p *Problem) weight(value Interval) Interval { return mul(*p.beta, p.total(value)) }
