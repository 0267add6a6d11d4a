package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/functions"
	"github.com/phenom-earth/hasura-cognito/local/cognitoidp"
	"github.com/phenom-earth/hasura-cognito/local/sqs"
	"github.com/phenom-earth/hasura-cognito/local/stack"
	table "github.com/phenom-earth/hasura-cognito/pkg/users"
)

const (
	// crowdSize is how many users a pool has at first.
	crowdSize = 160
	// manyUsers makes reconcile divide the pool into 16 parts.
	manyUsers = 500_000
	password  = "Correct-horse-7"
	// visibility of a message that was received. A part takes less, so nothing is received twice without a fault.
	visibility = 4 * time.Second
)

// A crowd is a stack whose user pool and table have many users. Its methods change the pool and remember what the table may show.
type crowd struct {
	*stack.Stack
	random *rand.Rand
	next   int // number of the next user

	mu      sync.Mutex
	deleted map[string]bool // subs of users who are not in the pool any more, or will not be in a moment
	signed  map[string]int  // by sub, the version of the user that the last sign-in wrote

	foreign []stack.Row // rows that never came from Cognito, as they were at first
}

// startCrowd starts a crowd whose rows are equal to the pool and old enough to be marked. Beside them there are rows that never came
// from Cognito.
func startCrowd(ctx context.Context, built string, seed uint64) (c *crowd, err error) {
	pool := map[string]string{"RECONCILE_ON_DELETE": "mark", "RECONCILE_HASURA_ROLE": "cognito_reconcile"}
	services, err := stack.Start(ctx, stack.Config{
		Functions: built, Project: os.DirFS("graphql"), AdminSecret: firstSecret,
		Env:   map[string]map[string]string{functions.Reconcile: pool, functions.Follow: pool},
		Queue: sqs.Queue{Visibility: visibility},
	})
	if err != nil {
		return nil, err
	}
	c = &crowd{Stack: services, random: rand.New(rand.NewPCG(seed, 0)), deleted: make(map[string]bool), signed: make(map[string]int)}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	services.UserPool.Pool["EstimatedNumberOfUsers"] = manyUsers
	recorded := services.UserPool.Recorded
	services.UserPool.Recorded = nil // the follow function need not know how the pool began
	for range crowdSize {
		if err := c.create(ctx); err != nil {
			return c, err
		}
	}
	if err := errors.Join(c.Reconcile(ctx), c.Age(ctx, 10*time.Minute)); err != nil {
		return c, fmt.Errorf("fill the table: %w", err)
	}
	for n := range 3 {
		id := fmt.Sprintf("%x0000000-0000-4000-8000-00000000000%d", 5*n, n)
		if err := c.Insert(ctx, map[string]string{table.UserID.Name: id, table.Sub.Name: id, "email": fmt.Sprintf("foreign-%d@example.com", n)}); err != nil {
			return c, err
		}
	}
	services.UserPool.Recorded = recorded
	rows, err := c.Everyone(ctx)
	for _, row := range rows {
		if row["synced_at"] == nil {
			c.foreign = append(c.foreign, row)
		}
	}
	if len(c.foreign) != 3 {
		err = errors.Join(err, fmt.Errorf("%d rows never came from Cognito, want 3", len(c.foreign)))
	}
	return c, err
}

// attributes are those of a version of a user.
func attributes(n, version int) map[string]string {
	return map[string]string{
		"email": fmt.Sprintf("%s-%d-%d@example.com", canary, n, version), "email_verified": fmt.Sprint(version%2 == 0),
		"name": fmt.Sprintf("%s the %dth", canary, version), "custom:plan": fmt.Sprintf("plan-%d", version),
	}
}

// number and version of the user with an e-mail address. Both are 0 if it has another form.
func number(email string) (n, version int) {
	if _, err := fmt.Sscanf(email, canary+"-%d-%d@example.com", &n, &version); err != nil {
		return 0, 0
	}
	return n, version
}

// create puts a user into the pool as an import does. One of ten is disabled, another one has not confirmed the sign-up.
func (c *crowd) create(ctx context.Context) error {
	c.mu.Lock()
	c.next++
	n := c.next
	c.mu.Unlock()
	sub := fmt.Sprintf("%x4%06x-40a1-70d6-b2e9-%012x", n%16, n, n)
	user := cognitoidp.User{Username: fmt.Sprintf("%s-%d", canary, n), Status: cognitoidp.Confirmed, Enabled: n%10 != 3, Attributes: attributes(n, 1)}
	if n%10 == 7 {
		user.Status = cognitoidp.Unconfirmed
	}
	user.Attributes["sub"] = sub
	c.UserPool.Users.Put(user)
	if user.Status != cognitoidp.Confirmed {
		return nil
	}
	return c.do(ctx, "AdminSetUserPassword", user, cognitoidp.Object{"Password": password, "Permanent": true})
}

// do calls an operation about a user.
func (c *crowd) do(ctx context.Context, operation string, user cognitoidp.User, more cognitoidp.Object) error {
	request := cognitoidp.Object{"UserPoolId": stack.PoolID, "Username": user.Username}
	maps.Copy(request, more)
	_, err := c.UserPool.Do(ctx, operation, request)
	if err != nil {
		err = fmt.Errorf("%s: %w", operation, err)
	}
	return err
}

// edit gives a user new attributes.
func (c *crowd) edit(ctx context.Context, user cognitoidp.User) error {
	n, version := number(user.Attributes["email"])
	return c.do(ctx, "AdminUpdateUserAttributes", user, cognitoidp.Object{"UserAttributes": cognitoidp.Attributes(attributes(n, version+1))})
}

func (c *crowd) delete(ctx context.Context, user cognitoidp.User) error {
	c.mu.Lock()
	c.deleted[user.Sub()] = true
	c.mu.Unlock()
	return c.do(ctx, "AdminDeleteUser", user, nil)
}

// signIn signs a user in, so that the sync function writes the row.
func (c *crowd) signIn(ctx context.Context, user cognitoidp.User) error {
	if _, err := c.UserPool.SignIn(ctx, stack.ClientID, user.Username, password); err != nil {
		return fmt.Errorf("sign-in: %w", err)
	}
	_, version := number(user.Attributes["email"])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.signed[user.Sub()] = version
	return nil
}

// drift makes pool and table differ: users come, go, change, are disabled and enabled. Each of the 16 parts loses at most one user.
func (c *crowd) drift(ctx context.Context) error {
	users := c.UserPool.Users.All()
	c.random.Shuffle(len(users), func(i, j int) { users[i], users[j] = users[j], users[i] })
	parts := make(map[byte]bool)
	var errs []error
	for i, user := range users {
		part := user.Sub()[0]
		switch {
		case i%5 == 0:
			errs = append(errs, c.edit(ctx, user))
		case i%11 == 0:
			errs = append(errs, c.do(ctx, map[bool]string{true: "AdminDisableUser", false: "AdminEnableUser"}[user.Enabled], user, nil))
		case i%4 == 0 && !parts[part]:
			parts[part] = true
			errs = append(errs, c.delete(ctx, user))
		case i%9 == 0:
			errs = append(errs, c.create(ctx))
		}
	}
	return errors.Join(errs...)
}

// live lets users sign in, change, come and go until ctx ends.
func (c *crowd) live(ctx context.Context) error {
	for ctx.Err() == nil {
		users := c.UserPool.Users.All()
		user := users[c.random.IntN(len(users))]
		may := user.Enabled && user.Status == cognitoidp.Confirmed
		var err error
		calls := context.WithoutCancel(ctx)
		switch c.random.IntN(8) {
		case 0, 1, 2:
			if may {
				err = c.signIn(calls, user)
			}
		case 3, 4:
			err = c.edit(calls, user)
		case 5:
			err = c.create(calls)
		case 6:
			if len(c.deleted) < crowdSize/10 {
				err = c.delete(calls, user)
			}
		case 7: // a sign-up: the row is written by post confirmation, and reconcile may not know the user yet
			err = c.signUp(calls)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// signUp signs a new user up, and confirms.
func (c *crowd) signUp(ctx context.Context) error {
	c.mu.Lock()
	c.next++
	n := c.next
	c.mu.Unlock()
	name := fmt.Sprintf("%s-%d", canary, n)
	own := attributes(n, 1)
	delete(own, "email_verified") // no user can write it
	for _, step := range []struct {
		operation string
		more      cognitoidp.Object
	}{
		{"SignUp", cognitoidp.Object{"Password": password, "UserAttributes": cognitoidp.Attributes(own)}},
		{"ConfirmSignUp", cognitoidp.Object{"ConfirmationCode": cognitoidp.Code}},
	} {
		request := cognitoidp.Object{"ClientId": stack.ClientID, "Username": name}
		maps.Copy(request, step.more)
		if _, err := c.UserPool.Do(ctx, step.operation, request); err != nil {
			return fmt.Errorf("%s: %w", step.operation, err)
		}
	}
	return nil
}

// watch reads the table again and again until ctx ends. It returns what no moment may show: the row of a user of the pool that is
// marked, or values that are older than those of the user's last sign-in.
func (c *crowd) watch(ctx context.Context) (wrong []string) {
	for ctx.Err() == nil {
		c.mu.Lock()
		signed := maps.Clone(c.signed) // before the rows
		c.mu.Unlock()
		rows, err := c.Everyone(context.WithoutCancel(ctx))
		if err != nil {
			return append(wrong, "the rows cannot be read: "+err.Error())
		}
		c.mu.Lock()
		deleted := maps.Clone(c.deleted) // after them
		c.mu.Unlock()
		for _, text := range moment(rows, signed, deleted) {
			if !slices.Contains(wrong, text) {
				wrong = append(wrong, text)
			}
		}
		time.Sleep(30 * time.Millisecond)
	}
	return wrong
}

// moment says what is wrong with rows that were read at one moment.
func moment(rows []stack.Row, signed map[string]int, deleted map[string]bool) (wrong []string) {
	for _, row := range rows {
		id := row.ID()
		if row["deleted_at"] != nil && !deleted[id] {
			wrong = append(wrong, "the row of a user of the pool was marked: "+id)
		}
		if _, version := number(row.Text("email")); version < signed[id] && !deleted[id] {
			wrong = append(wrong, "a row got values from before the last sign-in: "+id)
		}
	}
	return wrong
}

// settled says how the table differs from the pool. The rows of users in unwritten may differ.
func (c *crowd) settled(ctx context.Context, unwritten ...string) (wrong []string) {
	rows, err := c.Everyone(ctx)
	if err != nil {
		return []string{"the rows cannot be read: " + err.Error()}
	}
	byID := make(map[string]stack.Row)
	for _, row := range rows {
		byID[row.ID()] = row
	}
	for _, row := range c.foreign {
		before, _ := json.Marshal(row) // a row was decoded from JSON
		after, _ := json.Marshal(byID[row.ID()])
		if string(before) != string(after) {
			wrong = append(wrong, "a row that never came from Cognito was changed: "+row.ID())
		}
		delete(byID, row.ID())
	}
	for _, user := range c.UserPool.Users.All() {
		row, ok := byID[user.Sub()]
		delete(byID, user.Sub())
		switch {
		case slices.Contains(unwritten, user.Sub()), !ok && user.Status == cognitoidp.Unconfirmed:
		case !ok:
			wrong = append(wrong, "a user has no row: "+user.Sub())
		default:
			for column, want := range rowOf(user) {
				if got := row.Text(column); got != want {
					wrong = append(wrong, fmt.Sprintf("a row differs from the pool in %s: %s", column, user.Sub()))
				}
			}
		}
	}
	for id, row := range byID {
		switch {
		case !c.deleted[id]:
			wrong = append(wrong, "a row belongs to no user: "+id)
		case row["deleted_at"] == nil:
			wrong = append(wrong, "the row of a deleted user is not marked: "+id)
		}
	}
	if slices.Contains(c.UserPool.Calls(), "AdminGetUser") {
		wrong = append(wrong, "AdminGetUser was called, which AWS bills")
	}
	return wrong
}

// rowOf is the user row of the shipped table, without times. It shares no code with the functions.
func rowOf(user cognitoidp.User) map[string]string {
	custom := make(map[string]string)
	row := map[string]string{"id": user.Sub(), "username": user.Username, "status": user.Status, "enabled": fmt.Sprint(user.Enabled), "deleted_at": "",
		"phone_number": "", "phone_number_verified": "", "given_name": "", "family_name": "", "picture": "", "locale": "", "identity_provider": ""}
	for name, value := range user.Attributes {
		if plan, ok := strings.CutPrefix(name, "custom:"); ok {
			custom[plan] = value
		} else if name != "sub" {
			row[name] = value
		}
	}
	if row["email_verified"] == "" {
		row["email_verified"] = "false"
	}
	text, _ := json.Marshal(custom) // texts
	row["attributes"] = string(text)
	return row
}
