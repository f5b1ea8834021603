package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
)

// scratchVariable names a folder. A program of the control plane that finds it set ends when its stdin does, and takes the folder along:
// whoever started it holds the other end of that pipe, and even a SIGKILL lets go of it.
const scratchVariable = "JUDGE_SCRATCH"

// daemon makes a judgement of a program that runs until it is stopped.
func daemon(run func(args []string) error) func(args []string) error {
	return func(args []string) error {
		if scratch := os.Getenv(scratchVariable); scratch != "" {
			go endWithStdin(scratch)
		}
		return run(args)
	}
}

// endWithStdin waits for the end of stdin, removes the folder and ends the process where it stands: nothing of it is needed any more, and an
// API server that is asked kindly waits for an etcd that is gone.
func endWithStdin(scratch string) {
	_, err := io.Copy(io.Discard, os.Stdin)
	if err = errors.Join(err, os.RemoveAll(scratch)); err != nil {
		fmt.Fprintf(os.Stderr, "judge: %v\n", err)
	}
	os.Exit(0)
}

// component runs one of Kubernetes' own commands.
func component(command func() *cobra.Command) func(args []string) error {
	return daemon(func(args []string) error {
		chosen := command()
		chosen.SetArgs(args)
		if cli.Run(chosen) != 0 {
			return errSaid
		}
		return nil
	})
}

var (
	runEtcd = daemon(func(args []string) error {
		etcdmain.Main(append([]string{"etcd"}, args...))
		return nil
	})
	runAPIServer         = component(apiserver.NewAPIServerCommand)
	runControllerManager = component(controllers.NewControllerManagerCommand)
	runScheduler         = component(func() *cobra.Command { return scheduler.NewSchedulerCommand() })
)
