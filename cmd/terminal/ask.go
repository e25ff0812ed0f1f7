package terminal

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Ask puts a question and reports whether the answer is yes; the end of the input is no.
func Ask(answers io.Reader, w io.Writer, question string) (bool, error) {
	fmt.Fprint(w, question)
	answer, err := bufio.NewReader(answers).ReadString('\n')
	if err != nil && err != io.EOF {
		return false, err
	}
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes", nil
}
