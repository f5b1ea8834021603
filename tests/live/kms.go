package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"time"

	"k8s.io/kms/pkg/service"
)

// runKMS is a KMS plugin (version 2) at a socket: its key lives as long as it does.
func runKMS(args []string) error {
	if len(args) != 1 {
		return errors.New("takes a socket")
	}
	key := make([]byte, 32)
	if _, err := rand.Read(key); err != nil {
		return err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return err
	}
	sealed, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return err
	}
	return service.NewGRPCService(args[0], 5*time.Second, &kms{sealed}).ListenAndServe()
}

type kms struct{ sealed cipher.AEAD }

const kmsKey = "key"

func (k *kms) Encrypt(_ context.Context, _ string, data []byte) (*service.EncryptResponse, error) {
	return &service.EncryptResponse{Ciphertext: k.sealed.Seal(nil, nil, data, nil), KeyID: kmsKey}, nil
}

func (k *kms) Decrypt(_ context.Context, _ string, request *service.DecryptRequest) ([]byte, error) {
	return k.sealed.Open(nil, nil, request.Ciphertext, nil)
}

func (k *kms) Status(context.Context) (*service.StatusResponse, error) {
	return &service.StatusResponse{Version: "v2", Healthz: "ok", KeyID: kmsKey}, nil
}
