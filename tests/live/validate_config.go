package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	apiserverapi "k8s.io/apiserver/pkg/apis/apiserver"
	apiserverinstall "k8s.io/apiserver/pkg/apis/apiserver/install"
	apiservervalidation "k8s.io/apiserver/pkg/apis/apiserver/validation"
	utilfeature "k8s.io/apiserver/pkg/util/feature"
	kubeadmapi "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm"
	kubeadmscheme "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/scheme"
	kubeadmvalidation "k8s.io/kubernetes/cmd/kubeadm/app/apis/kubeadm/validation"
	kubeletapi "k8s.io/kubernetes/pkg/kubelet/apis/config"
	kubeletscheme "k8s.io/kubernetes/pkg/kubelet/apis/config/scheme"
	kubeletvalidation "k8s.io/kubernetes/pkg/kubelet/apis/config/validation"
	"sigs.k8s.io/yaml"
)

// runValidateConfig reads files as the programs do that they are for: strictly, with their defaults, and through their validation. Nothing
// that such a file names is looked at, so that a KMS plugin or a kubeconfig need not be there.
func runValidateConfig(args []string) error {
	var all []error
	for _, path := range args {
		text, err := os.ReadFile(path)
		if err == nil {
			err = validateConfig(text)
		}
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", path, err))
		}
	}
	return errors.Join(all...)
}

func validateConfig(text []byte) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for number := 1; ; number++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var kind runtime.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return err
		}
		switch kind.APIVersion {
		case "kubelet.config.k8s.io/v1beta1":
			err = validateKubelet(document)
		case "apiserver.config.k8s.io/v1":
			err = validateEncryption(document)
		case "kubeadm.k8s.io/v1beta4":
			err = validateKubeadm(document)
		default:
			err = fmt.Errorf("nothing here reads %s", kind.APIVersion)
		}
		if err != nil {
			return fmt.Errorf("document %d: %w", number, err)
		}
	}
}

// validateKubeadm does not go as far as `kubeadm config validate`, which asks the network for a release and the disk for a kubeconfig.
func validateKubeadm(document []byte) error {
	decoded, err := runtime.Decode(strict(kubeadmscheme.Scheme), document)
	if err != nil {
		return err
	}
	if cluster, known := decoded.(*kubeadmapi.ClusterConfiguration); known {
		return kubeadmvalidation.ValidateClusterConfiguration(cluster).ToAggregate()
	}
	return nil
}

func validateKubelet(document []byte) error {
	scheme, _, err := kubeletscheme.NewSchemeAndCodecs()
	if err != nil {
		return err
	}
	decoded, err := runtime.Decode(strict(scheme), document)
	if err != nil {
		return err
	}
	configuration, known := decoded.(*kubeletapi.KubeletConfiguration)
	if !known {
		return fmt.Errorf("a %T", decoded)
	}
	// Of the host that this runs on, not of the file.
	configuration.FailCgroupV1 = false
	return kubeletvalidation.ValidateKubeletConfiguration(configuration, utilfeature.DefaultFeatureGate)
}

func validateEncryption(document []byte) error {
	scheme := runtime.NewScheme()
	apiserverinstall.Install(scheme)
	decoded, err := runtime.Decode(strict(scheme), document)
	if err != nil {
		return err
	}
	configuration, known := decoded.(*apiserverapi.EncryptionConfiguration)
	if !known {
		return fmt.Errorf("a %T", decoded)
	}
	return apiservervalidation.ValidateEncryptionConfiguration(configuration, true).ToAggregate()
}

func strict(scheme *runtime.Scheme) runtime.Decoder {
	return serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDecoder()
}
