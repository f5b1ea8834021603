package main

import (
	"errors"
	"io"
	"os"
	"os/exec"
)

// runTied runs a program that is not behind this binary, and kills it when stdin ends: nobody else would.
func runTied(args []string) error {
	if len(args) == 0 {
		return errors.New("name a program")
	}
	program := exec.Command(args[0], args[1:]...)
	program.Stdout, program.Stderr = os.Stdout, os.Stderr
	if err := program.Start(); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = program.Process.Kill()
	}()
	return program.Wait()
}
