package smoke

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider"
	cognito "github.com/aws/aws-sdk-go-v2/service/cognitoidentityprovider/types"

	"github.com/phenom-earth/hasura-cognito/cmd/hasura-cognito/doctor"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// row waits for the row and compares it with the user.
func (s *smoke) row(ctx context.Context) {
	const check = "row"
	began := time.Now()
	stored, code := s.readRow(ctx)
	for stored == nil && code == "" && time.Since(began) < s.Wait && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(200 * time.Millisecond):
		}
		stored, code = s.readRow(ctx)
	}
	t := s.user.row.Table
	switch {
	case ctx.Err() != nil:
		s.add(check, doctor.Fail, "interrupted", "")
	case code != "":
		s.add(check, doctor.Fail, code, "see Hasura's log. "+runDoctor)
	case stored == nil:
		s.noRow = true
		s.add(check, doctor.Fail, fmt.Sprintf("there is none after %v", s.Wait), "see the log of the sync function. If it says parked: docs/troubleshooting.md#rows-are-parked")
	case stored.Time(t.SyncedAt).IsZero():
		s.add(check, doctor.Fail, t.SyncedAt+" is empty", "check that no trigger of the database changes the row")
	default:
		s.compare(check, stored)
	}
}

// compare compares the row with the user. A column without a value may be due to Cognito: an event need not hold all attributes.
func (s *smoke) compare(check string, stored users.Stored) {
	const hint = "see attributes dropped in the log of the sync function, and the triggers of the database"
	var empty, wrong []string
	for _, column := range s.user.row.Table.Differences(s.user.row, stored) {
		value, isJSON := s.user.row.Values[column].(json.RawMessage)
		switch {
		case column != s.user.row.Table.DeletedAt && (s.user.row.Values[column] == nil || isJSON && string(value) == "{}"):
			// The user has no value, and the row has NULL or the default of the database.
		case string(stored.Get(column)) == "null":
			empty = append(empty, column)
		default:
			wrong = append(wrong, column)
		}
	}
	switch {
	case len(wrong) > 0:
		s.add(check, doctor.Fail, "it differs from the user in "+strings.Join(wrong, ", "), hint)
	case len(empty) > 0:
		s.add(check, doctor.Warn, "it has no "+strings.Join(empty, ", ")+", but the user has", "the event may have lacked the attribute. Otherwise "+hint)
	default:
		s.ok(check, "it equals the user in the pool")
	}
}

// readRow returns the row, or nil if there is none, or why it cannot be read.
func (s *smoke) readRow(ctx context.Context) (users.Stored, string) {
	t := s.user.row.Table
	columns := []string{t.SyncedAt}
	for _, c := range t.Columns {
		columns = append(columns, c.Name)
	}
	var data struct{ Rows []users.Stored }
	query := fmt.Sprintf("{ rows: %s(where: %s) { %s } }", s.hasura.rows, s.condition(), strings.Join(columns, " "))
	if code := s.hasura.query(ctx, s.hasura.asAdmin(), query, &data); code != "" || len(data.Rows) == 0 {
		return nil, code
	}
	return data.Rows[0], ""
}

func (s *smoke) condition() string { return condition(s.user.row.Table.Key, s.user.row.Key) }

// cleanTime bounds the clean-up.
const cleanTime = 30 * time.Second

// cleanUp deletes the user, then the row, also after ctx has ended. It says what is left.
func (s *smoke) cleanUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanTime)
	defer cancel()
	s.deleteUser(ctx)
	if s.user.row.Key != "" { // else nobody has signed in
		s.deleteRow(ctx)
	}
}

func (s *smoke) deleteRow(ctx context.Context) {
	const check = "clean-up: row"
	stored, code := s.readRow(ctx)
	if code == "" {
		code = s.hasura.query(ctx, s.hasura.asAdmin(), fmt.Sprintf("mutation { %s(where: %s) { __typename } }", s.hasura.remove, s.condition()), new(any))
	}
	what := "the row " + s.user.row.Key
	switch {
	case code != "":
		s.result.Left = append(s.result.Left, what)
		s.add(check, doctor.Fail, code, "delete "+what+" in Hasura")
	case stored == nil:
		s.add(check, doctor.Warn, "there is none to delete", "if its sync is parked, the replay function still writes it. Then delete "+what+" in Hasura")
	default:
		s.ok(check, "deleted")
	}
}

// deleteUser deletes the user. The user may exist although AdminCreateUser failed, for example after a time-out.
func (s *smoke) deleteUser(ctx context.Context) {
	const check = "clean-up: user"
	name := s.user.login
	if name == "" {
		return
	}
	_, err := s.cognito.AdminDeleteUser(ctx, &cognitoidentityprovider.AdminDeleteUserInput{UserPoolId: &s.Pool, Username: &name})
	var absent *cognito.UserNotFoundException
	switch {
	case err == nil:
		s.ok(check, "deleted")
	case !errors.As(err, &absent):
		s.result.Left = append(s.result.Left, "the user "+name)
		s.failed(ctx, check, err, fmt.Sprintf("the credentials need cognito-idp:AdminDeleteUser. Run: aws cognito-idp admin-delete-user --region %s --user-pool-id %s --username %s",
			s.result.Region, s.Pool, name))
	}
}
