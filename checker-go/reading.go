package main

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"

	"encoding/binary"
)

// Reading: JSON in which no key comes twice, and exact float64 numbers.

type object map[string]any

const deepest = 400 // brackets within brackets

// parse reads one JSON value and nothing behind it.
func parse(line string) (any, error) {
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.UseNumber()
	value, err := parseValue(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("something stands behind the certificate")
	}
	return value, nil
}

func parseValue(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, errors.New("no JSON")
	}
	if depth > deepest {
		return nil, fmt.Errorf("brackets within brackets, more than %d", deepest)
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for decoder.More() {
			value, err := parseValue(decoder, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		return list, end(decoder)
	case json.Delim('{'):
		fields := object{}
		for decoder.More() {
			key, err := decoder.Token()
			if err != nil {
				return nil, errors.New("no JSON")
			}
			name := key.(string)
			if _, twice := fields[name]; twice {
				return nil, fmt.Errorf("the key %q comes twice", name)
			}
			if fields[name], err = parseValue(decoder, depth+1); err != nil {
				return nil, err
			}
		}
		return fields, end(decoder)
	}
	return token, nil
}

// end reads the bracket that closes what was open.
func end(decoder *json.Decoder) error {
	if _, err := decoder.Token(); err != nil {
		return errors.New("no JSON")
	}
	return nil
}

// asObject checks that the required fields are there.
func asObject(value any, name, required string) object {
	fields, ok := value.(object)
	if !ok {
		refuse("%s is no object", name)
	}
	for _, field := range strings.Fields(required) {
		if _, ok := fields[field]; !ok {
			refuse("%s.%s is missing", name, field)
		}
	}
	return fields
}

// nothingElse refuses fields that may change what is stated.
func (fields object) nothingElse(name, known string) {
	for field := range fields {
		if !strings.Contains(" "+known+" ", " "+field+" ") {
			refuse("%s has a field %q that is not known", name, field)
		}
	}
}

func asList(value any, name string) []any {
	list, ok := value.([]any)
	if !ok {
		refuse("%s is no list", name)
	}
	return list
}

func asString(value any, name string, accepted ...string) string {
	text, ok := value.(string)
	if !ok {
		refuse("%s is no string", name)
	}
	for _, one := range accepted {
		if text == one {
			return text
		}
	}
	if len(accepted) > 0 {
		refuse("%s is %q, not one of %s", name, text, strings.Join(accepted, ", "))
	}
	return text
}

func asInteger(value any, name string, least, most int) int {
	number, ok := value.(json.Number)
	if !ok {
		refuse("%s is no whole number", name)
	}
	whole, err := strconv.Atoi(number.String())
	if err != nil || whole < least || whole > most {
		refuse("%s is %s, not a whole number from %d to %d", name, number, least, most)
	}
	return whole
}

var hexadecimal = regexp.MustCompile(`^-?0x[01]\.[0-9a-f]{1,13}p[+-][0-9]{1,4}$`)

// asNumber reads what float.hex wrote.
func asNumber(value any, name string) float64 {
	text, ok := value.(string)
	if !ok || !hexadecimal.MatchString(text) {
		refuse("%s is no hexadecimal float", name)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		refuse("%s is no float64", name)
	}
	return x
}

const mostEntries = 5000000

func asMatrix(value any, name string) Matrix {
	fields := asObject(value, name, "shape data")
	shape := asList(fields["shape"], name+".shape")
	if len(shape) != 2 {
		refuse("%s.shape has not two numbers", name)
	}
	rows := asInteger(shape[0], name+".shape", 1, mostEntries)
	cols := asInteger(shape[1], name+".shape", 1, mostEntries)
	text := asString(fields["data"], name+".data")
	if rows*cols > mostEntries || len(text) != 16*rows*cols {
		refuse("%s.data does not have %dx%d entries", name, rows, cols)
	}
	bytes, err := hex.DecodeString(text)
	if err != nil || text != strings.ToLower(text) {
		refuse("%s.data is not hexadecimal", name)
	}
	m := newMatrix(rows, cols)
	for i := range m.entries {
		x := math.Float64frombits(binary.LittleEndian.Uint64(bytes[8*i:]))
		if math.IsNaN(x) || math.IsInf(x, 0) {
			refuse("%s has an entry that is not finite", name)
		}
		if x != 0 {
			m.entries[i] = exactly(x)
		}
	}
	return m
}

// asBranches reads the layers of every branch.
func asBranches(value any, name string) [][]Matrix {
	var branches [][]Matrix
	for j, branch := range asList(value, name) {
		var layers []Matrix
		for l, layer := range asList(branch, name) {
			layers = append(layers, asMatrix(layer, fmt.Sprintf("%s[%d][%d]", name, j, l)))
		}
		branches = append(branches, layers)
	}
	return branches
}
