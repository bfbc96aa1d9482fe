package main

import "fmt"

// A Verdict on one certificate: accepted, refused with a reason, or not judged here.
type Verdict struct {
	status, reason string
}

const (
	accepted  = "accepted"
	refused   = "refused"
	notJudged = "not judged here"
)

// judge proves every claim of a certificate again.
func judge(value any) (verdict Verdict) {
	verdict = Verdict{status: accepted}
	defer func() {
		switch problem := recover().(type) {
		case nil:
		case refusal:
			verdict = Verdict{refused, string(problem)}
		case notForHere:
			verdict = Verdict{notJudged, string(problem)}
		default:
			panic(problem)
		}
	}()
	fields := asObject(value, "certificate", "format version problem epsilon upper lower claimed")
	asString(fields["format"], "format", "zerogap-certificate")
	asInteger(fields["version"], "version", 1, 1)
	p := readProblem(fields["problem"], fields["epsilon"])
	claims := readClaims(fields["claimed"])

	primal := p.primal(fields["upper"])
	claims.covers("primal", primal)
	gap := fields["gap"]
	if (gap != nil || fields["deeper"] != nil) && p.outputs != "none" {
		refuse("no gap or deeper stands beside a bias of the outputs")
	}
	dualUpper := p.dualUpper(gap)
	if dualUpper != nil {
		claims.covers("dual_upper", *dualUpper)
	} else if claims["dual_upper"] != nil {
		refuse("claimed.dual_upper is given and no bidual proves it")
	}
	deeper := (*Interval)(nil)
	if fields["deeper"] != nil {
		value := p.deeperValue(fields["deeper"])
		deeper = &value
		claims.covers("deeper_upper", upper(p.total(value)))
	} else if claims["deeper_upper"] != nil {
		refuse("claimed.deeper_upper is given and no deeper network proves it")
	}

	primalLower := p.primalLower(gap, primal)
	dual, scaledDual := p.dual(fields["lower"], *claims["dual"])
	claims.reaches("dual", dual)
	if primalLower == nil || less(*primalLower, dual) {
		primalLower = &dual
	}
	claims.reaches("primal_lower", *primalLower)
	if deeper != nil && !less(*deeper, scaledDual) {
		refuse("the deeper network is not proved to cost less")
	}
	if less(primal, *primalLower) || dualUpper != nil && less(*dualUpper, dual) {
		refuse("the bounds contradict one another")
	}
	return verdict
}

// Claims are total objective values.
type Claims map[string]*Interval

func readClaims(value any) Claims {
	fields := asObject(value, "claimed", "primal dual")
	claims := Claims{}
	for _, name := range []string{"primal", "dual", "primal_lower", "dual_upper", "deeper_upper"} {
		number := fields[name]
		if number != nil || name == "primal" || name == "dual" {
			x := exactly(asNumber(number, "claimed."+name))
			claims[name] = &x
		}
	}
	return claims
}

// covers: an upper bound is claimed that is at least what is proved.
func (c Claims) covers(name string, proved Interval) {
	if claim := c[name]; claim != nil && !atMost(proved, *claim) {
		refuse("claimed.%s is %v; proved is %v", name, near(*claim), near(proved))
	}
}

// reaches: a lower bound is claimed that is at most what is proved.
func (c Claims) reaches(name string, proved Interval) {
	if claim := c[name]; claim != nil && !atMost(*claim, proved) {
		refuse("claimed.%s is %v; proved is %v", name, near(*claim), near(proved))
	}
}

func (p *Problem) gapFields(gap any) (object, string) {
	fields := asObject(gap, "gap", "bidual")
	for _, kind := range []string{"kernel", "search", "theorem"} {
		if _, ok := fields[kind]; ok {
			if !p.decays || p.depth < 3 {
				refuse("a gap is for weight decay and three layers or more")
			}
			return fields, kind
		}
	}
	refuse("gap has no theorem, search or kernel")
	return nil, ""
}

func (p *Problem) dualUpper(gap any) *Interval {
	if gap == nil {
		return nil
	}
	fields, _ := p.gapFields(gap)
	value := p.bidual(fields["bidual"])
	return &value
}

// primalLower is what a theorem, a search or a kernel proves of the primal.
func (p *Problem) primalLower(gap any, primal Interval) *Interval {
	if gap == nil {
		return nil
	}
	fields, kind := p.gapFields(gap)
	var value Interval
	switch kind {
	case "theorem":
		value = p.theorem(asString(fields["theorem"], "gap.theorem"), primal)
	case "search":
		value = p.search(fields["search"])
	case "kernel":
		value = p.kernel(fields["kernel"])
	}
	return &value
}

func (v Verdict) String() string {
	if v.reason == "" {
		return v.status
	}
	return fmt.Sprintf("%s: %s", v.status, v.reason)
}
