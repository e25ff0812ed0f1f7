package programs

import (
	"fmt"
	"strings"
	"sync"
	"unicode"
)

// reused holds, by a program's name, the outputs that take the place of its parameters. It is filled when the program's
// graph is built, and read when it is compiled.
var reused struct {
	sync.Mutex
	outputs map[string]map[string]int
}

// Reuse has the next program called name that is compiled declare that outputs take the place of parameters in memory:
// the new value of a variable that of the old one. outputs are the places of outputs by the parameters' names. GoMLX
// donates such parameters when the program runs, but does not declare them, without which XLA keeps both.
//
// It matters to memory alone: a parameter that is not donated in a run is copied first, and a pair of different types
// is left out.
func Reuse(name string, outputs map[string]int) {
	reused.Lock()
	defer reused.Unlock()
	if reused.outputs == nil {
		reused.outputs = map[string]map[string]int{}
	}
	known := map[string]int{}
	for parameter, at := range outputs {
		known[identifier(parameter)] = at
	}
	reused.outputs[identifier(name)] = known
}

// reuse returns the program with the declarations of Reuse for its name, which are used up.
func reuse(code string) string {
	rest, ok := strings.CutPrefix(code, "module @")
	if !ok {
		return code
	}
	name := rest[:max(0, strings.IndexFunc(rest, func(r rune) bool { return r != '_' && identifier(string(r)) == "_" }))]
	reused.Lock()
	outputs := reused.outputs[name]
	delete(reused.outputs, name)
	reused.Unlock()
	return declare(code, outputs)
}

// declare writes into the signature of the program's main function which outputs take the place of parameters.
func declare(code string, outputs map[string]int) string {
	const begin, between, end = "func.func @main(", ") -> ", " {\n"
	start := strings.Index(code, begin)
	if start < 0 || len(outputs) == 0 {
		return code
	}
	start += len(begin)
	parametersEnd := strings.Index(code[start:], between)
	if parametersEnd < 0 {
		return code
	}
	parametersEnd += start
	resultsStart := parametersEnd + len(between)
	resultsEnd := strings.Index(code[resultsStart:], end)
	if resultsEnd < 0 {
		return code
	}
	results := types(code[resultsStart : resultsStart+resultsEnd])
	parameters := strings.Split(code[start:parametersEnd], ", %")
	for i, parameter := range parameters {
		name, typed, _ := strings.Cut(strings.TrimPrefix(parameter, "%"), ": ")
		at, ok := outputs[name]
		if of := types(typed); ok && at < len(results) && len(of) == 1 && of[0] == results[at] {
			parameters[i] = withAttribute(parameter, fmt.Sprintf("tf.aliasing_output = %d : i32", at))
		}
	}
	return code[:start] + strings.Join(parameters, ", %") + code[parametersEnd:]
}

// withAttribute adds an attribute to a parameter, which may have some.
func withAttribute(parameter, attribute string) string {
	if before, after, has := strings.Cut(parameter, " {"); has {
		return before + " { " + attribute + "," + after
	}
	return parameter + " { " + attribute + " }"
}

// types are the tensor types in a list of parameters or results, in their order.
func types(list string) []string {
	var all []string
	for {
		_, rest, more := strings.Cut(list, "tensor<")
		if !more {
			return all
		}
		name, after, _ := strings.Cut(rest, ">")
		all, list = append(all, name), after
	}
}

// identifier is name as StableHLO's programs have it.
func identifier(name string) string {
	return strings.Map(func(r rune) rune {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, name)
}
