// Command illustrator turns descriptions into pictures, and trains and judges the networks that do so.
package main

import "os"

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }
