package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"

	certutil "k8s.io/client-go/util/cert"
)

const signedWith = `{"alg":"ES256","kid":"issuer","typ":"JWT"}`

// runIssuer is an OpenID Connect issuer on loopback, for whatever claims it is asked: an API server finds its keys as it would those of a real
// one. The folder then has `address`, the issuer's own, and `issuer.crt`, which signed its certificate. Who posts claims to /token gets a
// token of them; /forged signs with a key that the issuer does not publish.
func runIssuer(args []string) error {
	if len(args) != 1 {
		return errors.New("takes a folder")
	}
	certificate, certificateKey, err := certutil.GenerateSelfSignedCertKey("127.0.0.1", []net.IP{net.IPv4(127, 0, 0, 1)}, nil)
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(certificate, certificateKey)
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	if err != nil {
		return err
	}
	address := "https://" + listener.Addr().String()
	keys, err := publicKeys(key)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", answer(map[string]any{
		"issuer": address, "jwks_uri": address + "/keys", "response_types_supported": []string{"id_token"},
		"subject_types_supported": []string{"public"}, "id_token_signing_alg_values_supported": []string{"ES256"},
	}))
	mux.HandleFunc("/keys", answer(keys))
	mux.HandleFunc("/token", token(key))
	mux.HandleFunc("/forged", token(foreign))
	if err := os.WriteFile(filepath.Join(args[0], "issuer.crt"), certificate, 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(args[0], "address"), []byte(address), 0o600); err != nil {
		return err
	}
	return http.Serve(listener, mux)
}

func answer(value any) http.HandlerFunc {
	return func(response http.ResponseWriter, _ *http.Request) {
		response.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(response).Encode(value); err != nil {
			fmt.Fprintf(os.Stderr, "judge: %v\n", err)
		}
	}
}

func publicKeys(key *ecdsa.PrivateKey) (any, error) {
	public, err := key.PublicKey.ECDH()
	if err != nil {
		return nil, err
	}
	// 0x04, then both coordinates.
	point := public.Bytes()
	return map[string]any{"keys": []any{map[string]string{
		"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "issuer", "x": encoded(point[1:33]), "y": encoded(point[33:]),
	}}}, nil
}

// token signs the claims that are posted (RFC 7515, ES256).
func token(key *ecdsa.PrivateKey) http.HandlerFunc {
	return func(response http.ResponseWriter, request *http.Request) {
		claims, err := io.ReadAll(request.Body)
		if err != nil || !json.Valid(claims) {
			http.Error(response, "no claims", http.StatusBadRequest)
			return
		}
		signed := encoded([]byte(signedWith)) + "." + encoded(claims)
		digest := sha256.Sum256([]byte(signed))
		r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
		if err != nil {
			http.Error(response, err.Error(), http.StatusInternalServerError)
			return
		}
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		fmt.Fprintf(response, "%s.%s", signed, encoded(signature))
	}
}

func encoded(bytes []byte) string {
	return base64.RawURLEncoding.EncodeToString(bytes)
}
