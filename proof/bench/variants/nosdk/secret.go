package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// read calls GetSecretValue. "Create a signed AWS API request" in the IAM User Guide
// describes the signature.
func read(client *http.Client) (string, error) {
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
	return admin(value.SecretString)
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
