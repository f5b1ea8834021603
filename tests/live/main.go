// Command judge puts Kubernetes' own programs behind one binary, so that the tests of Ringfence can ask the real thing.
//
// Each subcommand has a file of its own and adds itself to the table below. Versions are pinned in go.mod: a judge that changes by
// itself is no judge.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// A judgement runs with the arguments after its name. What it has to say goes to stdout, what went wrong is its error.
type judgement struct {
	run  func(args []string) error
	help string
}

var judgements = map[string]judgement{
	"etcd":                    {runEtcd, "the etcd program"},
	"issuer":                  {daemon(runIssuer), "FOLDER: an OpenID Connect issuer that signs what it is asked to"},
	"kms":                     {daemon(runKMS), "SOCKET: a KMS plugin that the API server encrypts what it stores with"},
	"kube-apiserver":          {runAPIServer, "the kube-apiserver program"},
	"kube-controller-manager": {runControllerManager, "the kube-controller-manager program"},
	"kube-scheduler":          {runScheduler, "the kube-scheduler program"},
	"kubectl":                 {runKubectl, "the kubectl program"},
	"kustomize":               {runKustomize, "the kustomize program, with all of its own commands"},
	"kubectl-kustomize":       {runKubectlKustomize, "kubectl's `kustomize DIR`"},
	"build-all":               {runBuildAll, "[--yaml] ROOT...: builds every kustomization below the roots with both, and says what came out, as JSON"},
	"private-key":             {runPrivateKey, "writes a fresh private key, as PEM"},
	"tied":                    {runTied, "PROGRAM ARGUMENT...: runs another program until stdin ends"},
	"validate-config":         {runValidateConfig, "FILE...: reads configurations of kubelets, kubeadm and encryption as their programs do"},
	"yaml-to-json":            {runYAMLToJSON, "reads YAML documents from stdin as kubectl does, and writes one JSON array"},
}

// errSaid is an error whose message has been printed already.
var errSaid = errors.New("")

func main() {
	if len(os.Args) < 2 {
		usage()
		os.Exit(2)
	}
	chosen, known := judgements[os.Args[1]]
	if !known {
		fmt.Fprintf(os.Stderr, "judge: no subcommand %q\n", os.Args[1])
		usage()
		os.Exit(2)
	}
	if err := chosen.run(os.Args[2:]); err != nil {
		if !errors.Is(err, errSaid) {
			fmt.Fprintf(os.Stderr, "judge %s: %v\n", os.Args[1], err)
		}
		os.Exit(1)
	}
}

func usage() {
	names := make([]string, 0, len(judgements))
	for name := range judgements {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Fprintf(os.Stderr, "  judge %-24s %s\n", name, judgements[name].help)
	}
}
