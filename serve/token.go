package serve

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"illustrator/internal/fault"
)

// TokenVariable is the environment's name for the token.
const TokenVariable = "ILLUSTRATOR_TOKEN"

// ReadToken returns the token of a file, without the white space around it, or of the environment if path is "".
func ReadToken(path string) (string, error) {
	token, from := os.Getenv(TokenVariable), "$"+TokenVariable
	if path != "" {
		from = "--token-file " + path
		raw, err := os.ReadFile(path)
		if err != nil {
			return "", fault.Hint(fmt.Errorf("--token-file: %w", err),
				"write the token into a file that only you can read, such as by `openssl rand -hex 32`")
		}
		token = strings.TrimSpace(string(raw))
	} else if token == "" {
		return "", nil
	}
	if err := CheckToken(token); err != nil {
		return "", fault.Usage(fmt.Errorf("%s: %w", from, err),
			"give 16 or more letters and digits, such as by `openssl rand -hex 32`")
	}
	return token, nil
}

// CheckToken refuses a token that could not stand in a header, or that is short enough to be guessed.
func CheckToken(token string) error {
	if len(token) < 16 {
		return fmt.Errorf("the token has %d characters", len(token))
	}
	for _, c := range token {
		if c <= ' ' || c > '~' {
			return errors.New("the token holds spaces or characters that are not ASCII")
		}
	}
	return nil
}
