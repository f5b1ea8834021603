package main

import (
	"os"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/component-base/cli"
	kubectl "k8s.io/kubectl/pkg/cmd"
)

// runKubectl is the kubectl program with our arguments. It looks for no plugins.
func runKubectl(args []string) error {
	command := kubectl.NewKubectlCommand(kubectl.KubectlOptions{
		Arguments: append([]string{"kubectl"}, args...),
		IOStreams: genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
	})
	command.SetArgs(args)
	if cli.RunNoErrOutput(command) != nil {
		return errSaid
	}
	return nil
}
