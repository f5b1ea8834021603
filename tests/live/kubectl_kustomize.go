package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	kubectl "k8s.io/kubectl/pkg/cmd/kustomize"
)

// runKubectlKustomize is kubectl's `kustomize` command with our arguments.
func runKubectlKustomize(args []string) error {
	command := kubectl.NewCmdKustomize(genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	return execute(command, args)
}

// kubectlBuild is `kubectl kustomize DIR` with default flags, the result in a writer.
func kubectlBuild(dir string, out io.Writer) error {
	command := kubectl.NewCmdKustomize(genericiooptions.IOStreams{In: os.Stdin, Out: out, ErrOut: os.Stderr})
	return execute(command, []string{dir})
}

// execute runs a command that leaves the printing of its error to us.
func execute(command *cobra.Command, args []string) error {
	command.SilenceErrors = true
	command.SetArgs(args)
	return command.Execute()
}
