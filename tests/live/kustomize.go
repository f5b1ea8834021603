package main

import (
	"io"

	"sigs.k8s.io/kustomize/kustomize/v5/commands"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/build"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// runKustomize is kustomize's own main function with our arguments.
func runKustomize(args []string) error {
	command := commands.NewDefaultCommand()
	command.SetArgs(args)
	if command.Execute() != nil {
		return errSaid // cobra has printed it
	}
	return nil
}

// kustomizeBuild is `kustomize build DIR` with default flags, the result in a writer.
func kustomizeBuild(dir string, out io.Writer) error {
	command := build.NewCmdBuild(filesys.MakeFsOnDisk(), build.MakeHelp("kustomize", "build"), out)
	return execute(command, []string{dir})
}
