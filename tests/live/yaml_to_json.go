package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// runYAMLToJSON writes the documents of stdin as one JSON array. Documents are split by kubectl's own reader, and each is read by
// the library that kubectl, Argo CD and Flux read YAML with; a key written twice is an error.
func runYAMLToJSON(args []string) error {
	if len(args) > 0 {
		return errors.New("takes no arguments, reads stdin")
	}
	out := bufio.NewWriter(os.Stdout)
	if err := yamlToJSON(os.Stdin, out); err != nil {
		return err
	}
	return out.Flush()
}

func yamlToJSON(in io.Reader, out io.Writer) error {
	documents, err := splitDocuments(in)
	if err != nil {
		return err
	}
	separator := "[\n"
	for i, document := range documents {
		json, err := yaml.YAMLToJSONStrict(document)
		if err != nil {
			return fmt.Errorf("document %d: %w", i+1, err)
		}
		if _, err := fmt.Fprintf(out, "%s%s", separator, bytes.TrimSpace(json)); err != nil {
			return err
		}
		separator = ",\n"
	}
	if len(documents) == 0 {
		_, err = io.WriteString(out, "[]\n")
	} else {
		_, err = io.WriteString(out, "\n]\n")
	}
	return err
}

// splitDocuments cuts a stream at its `---` lines. A document with nothing but comments counts: it is null.
func splitDocuments(in io.Reader) ([][]byte, error) {
	reader := utilyaml.NewYAMLReader(bufio.NewReader(in))
	var documents [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, err
		}
		documents = append(documents, document)
	}
}
