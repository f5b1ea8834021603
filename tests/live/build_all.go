package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/yaml"
)

// A verdict says what one folder with a kustomization builds to.
type verdict struct {
	OK      bool     `json:"ok"`
	Error   string   `json:"error,omitempty"`
	Objects []object `json:"objects"`
	YAML    string   `json:"yaml,omitempty"`
}

// An object is what Kubernetes tells objects apart by.
type object struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
}

// runBuildAll builds every folder with a kustomization below the roots and writes a JSON object from folder to verdict. A folder that
// does not build is a verdict, not an error of ours: the exit code is 0.
func runBuildAll(args []string) error {
	withYAML := len(args) > 0 && args[0] == "--yaml"
	if withYAML {
		args = args[1:]
	}
	if len(args) == 0 {
		return errors.New("name at least one root")
	}
	verdicts := map[string]verdict{}
	for _, root := range args {
		dirs, err := kustomizations(root)
		if err != nil {
			return err
		}
		for _, dir := range dirs {
			verdicts[filepath.ToSlash(dir)] = judge(dir, withYAML)
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", " ")
	return encoder.Encode(verdicts)
}

// kustomizations lists the folders below a root that hold a file that kustomize would take, under any of its names.
func kustomizations(root string) ([]string, error) {
	dirs := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && slices.Contains(konfig.RecognizedKustomizationFileNames(), entry.Name()) {
			dirs[filepath.Dir(path)] = true
		}
		return err
	})
	return slices.Sorted(maps.Keys(dirs)), err
}

// judge builds a folder with kustomize and with kubectl, which must agree. One after the other: both keep their flags in variables of
// the package.
func judge(dir string, withYAML bool) verdict {
	var built, byKubectl bytes.Buffer
	if err := kustomizeBuild(dir, &built); err != nil {
		return failed("kustomize", err)
	}
	if err := kubectlBuild(dir, &byKubectl); err != nil {
		return failed("kubectl", err)
	}
	if !bytes.Equal(built.Bytes(), byKubectl.Bytes()) {
		return failed("kubectl", errors.New("builds something else than kustomize does"))
	}
	objects, err := identities(built.Bytes())
	if err != nil {
		return failed("kustomize", fmt.Errorf("what it built cannot be read: %w", err))
	}
	result := verdict{OK: true, Objects: objects}
	if withYAML {
		result.YAML = built.String()
	}
	return result
}

func failed(program string, err error) verdict {
	return verdict{Error: fmt.Sprintf("%s: %v", program, err), Objects: []object{}}
}

func identities(stream []byte) ([]object, error) {
	documents, err := splitDocuments(bytes.NewReader(stream))
	if err != nil {
		return nil, err
	}
	objects := make([]object, 0, len(documents))
	for _, document := range documents {
		var manifest struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
			Metadata   struct {
				Namespace string `json:"namespace"`
				Name      string `json:"name"`
			} `json:"metadata"`
		}
		if err := yaml.Unmarshal(document, &manifest); err != nil {
			return nil, err
		}
		objects = append(objects, object{manifest.APIVersion, manifest.Kind, manifest.Metadata.Namespace, manifest.Metadata.Name})
	}
	return objects, nil
}
