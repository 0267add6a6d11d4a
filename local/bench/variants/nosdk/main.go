// Command nosdk is the sync without any SDK: what reading the secret and writing the
// row cost at the least, with a request signed by hand.
package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

const mutation = `mutation($id: uuid!, $email: String) { insert_users_one(object: {id: $id, email: $email},
	on_conflict: {constraint: users_pkey, update_columns: [email]}) { id } }`

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	s := syncer{http: new(http.Client), url: os.Getenv("GRAPHQL_DOMAIN")}
	var warm sync.WaitGroup
	warm.Go(func() {
		if response, err := s.http.Head(s.url + "/healthz"); err == nil {
			response.Body.Close()
		}
	})
	secret, err := read()
	warm.Wait()
	if err != nil {
		log.Error("no secret", "error", err)
		os.Exit(1)
	}
	s.secret = secret
	lambda.Start(cognito.Handler{Log: log, Handle: func(ctx context.Context, e *cognito.Event) error {
		if err := s.write(ctx, e.User); err != nil {
			return err
		}
		log.InfoContext(ctx, "synced", "user", e.User, "trigger", e.Trigger)
		return nil
	}})
}

type syncer struct {
	http        *http.Client
	url, secret string
}

func (s syncer) write(ctx context.Context, u cognito.User) error {
	body, err := json.Marshal(map[string]any{
		"query":     mutation,
		"variables": map[string]string{"id": u.ID, "email": u.Attributes["email"]},
	})
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Hasura-Admin-Secret", s.secret)
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || !bytes.Contains(answer, []byte(`"data"`)) {
		return errors.New("the row was refused")
	}
	return nil
}

// read calls GetSecretValue, signed by hand ("Create a signed AWS API request", IAM
// User Guide), trusting the certificates of one file.
func read() (string, error) {
	roots := x509.NewCertPool()
	pem, err := os.ReadFile(os.Getenv("BENCH_ROOTS"))
	if err != nil {
		return "", err
	}
	roots.AppendCertsFromPEM(pem)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}

	body := fmt.Sprintf(`{"SecretId":%q}`, os.Getenv("SECRETS_ARN"))
	request, err := http.NewRequest(http.MethodPost, os.Getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER")+"/", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	now := time.Now().UTC()
	date, at, region := now.Format("20060102"), now.Format("20060102T150405Z"), os.Getenv("AWS_REGION")
	const names = "content-type;host;x-amz-date;x-amz-security-token;x-amz-target"
	canonical := fmt.Sprintf("POST\n/\n\ncontent-type:application/x-amz-json-1.1\nhost:%s\nx-amz-date:%s\nx-amz-security-token:%s\nx-amz-target:secretsmanager.GetSecretValue\n\n%s\n%s",
		request.URL.Host, at, os.Getenv("AWS_SESSION_TOKEN"), names, sum(body))
	scope := date + "/" + region + "/secretsmanager/aws4_request"
	key := mac(mac(mac(mac([]byte("AWS4"+os.Getenv("AWS_SECRET_ACCESS_KEY")), date), region), "secretsmanager"), "aws4_request")
	signature := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+sum(canonical)))

	h := request.Header
	h.Set("Content-Type", "application/x-amz-json-1.1")
	h.Set("X-Amz-Date", at)
	h.Set("X-Amz-Security-Token", os.Getenv("AWS_SESSION_TOKEN"))
	h.Set("X-Amz-Target", "secretsmanager.GetSecretValue")
	h.Set("Authorization", fmt.Sprintf("AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		os.Getenv("AWS_ACCESS_KEY_ID"), scope, names, signature))
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var value struct{ SecretString string }
	if err := json.NewDecoder(response.Body).Decode(&value); err != nil {
		return "", err
	}
	var bag map[string]string
	if err := json.Unmarshal([]byte(value.SecretString), &bag); err != nil {
		return "", err
	}
	return bag["HASURA_GRAPHQL_ADMIN_SECRET"], nil
}

func sum(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
