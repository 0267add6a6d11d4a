package stack

import (
	"context"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/pkg/users"
)

// builtIn is the folder of the functions, once they are built.
var builtIn string

var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "stack")
	builtIn = dir
	for _, name := range append(functions.All(), functions.Optional()...) {
		if err == nil {
			err = Build("../..", "functions/"+name, filepath.Join(dir, name, "bootstrap"))
		}
	}
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	_ = os.RemoveAll(builtIn)
	os.Exit(code)
}

// A pool is a stack and what was done to its user pool.
type pool struct {
	*Stack
	t *testing.T
}

func startPool(t *testing.T) pool {
	t.Helper()
	for _, c := range users.Description.Columns {
		if !users.Description.KeyIsSub() || users.Description.DeletedAt == "" || c.Required && c.Name != users.Description.Key {
			t.Skip("the users of this test have no value for the key or for a required column of the table, or it cannot mark rows")
		}
	}
	dir, err := built()
	if err != nil {
		t.Fatal(err)
	}
	s, err := Start(t.Context(), Config{Functions: dir, Project: project, Env: map[string]map[string]string{
		functions.Reconcile: {"RECONCILE_ON_DELETE": "mark"}, functions.Follow: {"RECONCILE_ON_DELETE": "mark"}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return pool{s, t}
}

func (p pool) do(operation string, request cognitoidp.Object) {
	p.t.Helper()
	if strings.HasPrefix(operation, "Admin") {
		request["UserPoolId"] = PoolID
	} else {
		request["ClientId"] = ClientID
	}
	if _, err := p.UserPool.Do(p.t.Context(), operation, request); err != nil {
		p.t.Fatal(operation, err)
	}
}

// emails returns the e-mail addresses in the table, in their order.
func (p pool) emails() []string {
	p.t.Helper()
	rows, err := p.Users(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	var emails []string
	for _, row := range rows {
		emails = append(emails, row.Of(users.Attribute("email")))
	}
	return slices.Sorted(slices.Values(emails))
}

func (p pool) check(when string, want ...string) {
	p.t.Helper()
	if got := p.emails(); !slices.Equal(got, want) {
		p.t.Errorf("%s: the table has %q, want %q\nlog: %v", when, got, want, p.Log.Lines())
	}
}

func (p pool) follow() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), time.Minute)
	defer cancel()
	if err := p.Follow(ctx); err != nil {
		p.t.Fatalf("%v\nlog: %v", err, p.Log.Lines())
	}
}

// age makes the rows old enough to be written again.
func (p pool) age() {
	p.t.Helper()
	if err := p.Age(p.t.Context(), 10*time.Minute); err != nil {
		p.t.Fatal(err)
	}
}

// queued checks what the rule let through.
func (p pool) queued(want ...string) {
	p.t.Helper()
	var got []string
	for _, body := range p.Queues.Bodies(FollowQueue) {
		var event struct{ Detail struct{ EventName string } }
		if err := json.Unmarshal([]byte(body), &event); err != nil {
			p.t.Fatal(err)
		}
		got = append(got, event.Detail.EventName)
	}
	if !slices.Equal(got, want) {
		p.t.Errorf("the queue has %q, want %q", got, want)
	}
}

func (p pool) email(address string) []cognitoidp.Object {
	return cognitoidp.Attributes(map[string]string{"email": address, "email_verified": "true"})
}

// A user comes into the table by the pool's triggers, by the reconcile function and by the follow function.
func TestUserPool(t *testing.T) {
	p := startPool(t)
	p.do("SignUp", cognitoidp.Object{"Username": "jane", "Password": "Correct-horse-7", "UserAttributes": p.email("jane@example.com")[:1]})
	p.check("before the confirmation")
	p.do("ConfirmSignUp", cognitoidp.Object{"Username": "jane", "ConfirmationCode": cognitoidp.Code})
	p.check("by post confirmation", "jane@example.com")
	tokens, err := p.UserPool.SignIn(t.Context(), ClientID, "jane", "Correct-horse-7")
	if err != nil {
		t.Fatal(err)
	}
	if rows, err := p.Own(t.Context(), tokens.ID); err != nil || len(rows) != 1 {
		t.Errorf("with the token, got %v, %v", rows, err)
	}
	p.age()

	p.do("AdminCreateUser", cognitoidp.Object{"Username": "adam", "UserAttributes": p.email("adam@example.com")})
	p.do("AdminUpdateUserAttributes", cognitoidp.Object{"Username": "jane", "UserAttributes": p.email("j@example.com")})
	p.do("AdminDisableUser", cognitoidp.Object{"Username": "jane"})
	p.check("before follow", "jane@example.com")
	p.follow()
	p.check("by follow", "adam@example.com", "j@example.com")

	if _, err := p.UserPool.Import(t.Context(), map[string]string{"email": "ivan@example.com"}); err != nil {
		t.Fatal(err)
	}
	if left := p.Queues.Bodies(FollowQueue); len(left) > 0 {
		t.Errorf("an import has the records %q", left)
	}
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.check("by reconcile", "adam@example.com", "ivan@example.com", "j@example.com")

	p.age()
	p.do("AdminDeleteUser", cognitoidp.Object{"Username": "adam"})
	p.follow()
	p.marked("by follow", "adam@example.com")
	p.UserPool.Users.Delete(signedUp(t, p))
	if err := p.Reconcile(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.marked("by reconcile", "adam@example.com", "j@example.com")
}

// signedUp returns the sub of jane.
func signedUp(t *testing.T, p pool) string {
	t.Helper()
	for _, u := range p.UserPool.Users.All() {
		if u.Username == "jane" {
			return u.Sub()
		}
	}
	t.Fatal("jane is not in the pool")
	return ""
}

// marked checks the e-mail addresses of the rows whose users are gone.
func (p pool) marked(when string, want ...string) {
	p.t.Helper()
	rows, err := p.Everyone(p.t.Context())
	if err != nil {
		p.t.Fatal(err)
	}
	var got []string
	for _, row := range rows {
		if row.Text(users.Description.DeletedAt) != "" {
			got = append(got, row.Of(users.Attribute("email")))
		}
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		p.t.Errorf("%s: the marked rows are %q, want %q\nlog: %v", when, got, want, p.Log.Lines())
	}
}

// The rule lets writes through, also of groups and failed ones. It drops sign-ins and what only reads.
func TestRule(t *testing.T) {
	p := startPool(t)
	p.do("AdminCreateUser", cognitoidp.Object{"Username": "adam", "UserAttributes": p.email("adam@example.com")})
	p.do("AdminSetUserPassword", cognitoidp.Object{"Username": "adam", "Password": "Correct-horse-7", "Permanent": true})
	p.do("AdminGetUser", cognitoidp.Object{"Username": "adam"})
	p.queued("AdminCreateUser", "AdminSetUserPassword")
	p.follow()
	if _, err := p.UserPool.Do(t.Context(), "AdminDeleteUser", cognitoidp.Object{"UserPoolId": PoolID, "Username": "nobody"}); err == nil {
		t.Error("a user was deleted who does not exist")
	}
	if _, err := p.UserPool.SignIn(t.Context(), ClientID, "adam", "Correct-horse-7"); err != nil {
		t.Fatal(err)
	}
	if _, err := p.UserPool.SignInFederated(t.Context(), ClientID, cognitoidp.Identity{Provider: "Google", Type: "Google", UserID: "17"}); err != nil {
		t.Fatal(err)
	}
	p.queued("AdminDeleteUser", "Token_POST")
	p.follow()
	reasons := make(map[string]int)
	for _, line := range p.Log.Lines() {
		if line.Message == "ignored" {
			reasons[line.Reason]++
		}
	}
	if want := map[string]int{"the call failed": 1, "no sub": 1}; !maps.Equal(reasons, want) {
		t.Errorf("follow ignored %v, want %v", reasons, want)
	}
}
