// Command nosdk is the sync function without an SDK: the least that reading the secret and
// writing the row can cost. It signs its request to Secrets Manager itself.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/phenom-earth/hasura-cognito/pkg/cognito"
	"github.com/phenom-earth/hasura-cognito/pkg/logs"
)

const mutation = `mutation($id: uuid!, $email: String) { insert_users_one(object: {id: $id, email: $email},
	on_conflict: {constraint: users_pkey, update_columns: [email]}) { id } }`

func main() {
	log := logs.New(os.Stdout, os.Getenv)
	s := function{http: new(http.Client), url: os.Getenv("GRAPHQL_DOMAIN")}
	var warm sync.WaitGroup
	warm.Go(func() {
		if response, err := s.http.Head(s.url + "/healthz"); err == nil {
			response.Body.Close()
		}
	})
	secret, err := read(s.http)
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

type function struct {
	http        *http.Client
	url, secret string
}

func (s function) write(ctx context.Context, u cognito.User) error {
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

// admin returns the admin secret from the text of the secret.
func admin(text string) (string, error) {
	var secrets map[string]string
	err := json.Unmarshal([]byte(text), &secrets)
	return secrets["HASURA_GRAPHQL_ADMIN_SECRET"], err
}
