package cognitoidp

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/phenom-earth/hasura-cognito/local/awsjson"
)

// Users are the users of a pool. Set the fields before it serves. The zero value has no users.
//
// Put and Delete call no trigger, and CloudTrail has no record of them.
type Users struct {
	// Short makes pages of ListUsers short or empty at random, as Cognito may.
	Short bool
	// Repeat lists the last user of a page again on the next one.
	Repeat bool
	// TokenLife is the number of requests after which a pagination token is refused; 0
	// means never.
	TokenLife int
	// Stale is for how long ListUsers does not show a change: it is eventually consistent.
	Stale time.Duration

	mu     sync.Mutex
	bySub  map[string]*User
	byName map[string]*User
	listing
}

// Put creates users or replaces them.
func (u *Users) Put(users ...User) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, user := range users {
		u.put(user)
	}
}

func (u *Users) put(user User) {
	if u.bySub == nil {
		u.bySub, u.byName = make(map[string]*User), make(map[string]*User)
	}
	sub, now := user.Sub(), time.Now()
	if old := u.bySub[sub]; old != nil {
		delete(u.byName, old.Username)
	}
	user.Modified = now
	if user.Created.IsZero() {
		user.Created = now
	}
	u.bySub[sub], u.byName[user.Username] = &user, &user
	u.change(change{now, sub, &listed{user.Attributes["email"], user.json()}})
}

// Delete deletes a user.
func (u *Users) Delete(sub string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if old := u.bySub[sub]; old != nil {
		delete(u.byName, old.Username)
		delete(u.bySub, sub)
	}
	u.change(change{time.Now(), sub, nil})
}

// Get returns the user with a sub. It reports false if there is none.
func (u *Users) Get(sub string) (User, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if user := u.bySub[sub]; user != nil {
		return user.clone(), true
	}
	return User{}, false
}

// Len returns the number of users.
func (u *Users) Len() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.bySub)
}

// All returns the users in the order in which they were created. A nil *Users has none.
func (u *Users) All() []User {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var all []User
	for _, user := range u.bySub {
		all = append(all, user.clone())
	}
	slices.SortFunc(all, func(a, b User) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Sub(), b.Sub())) })
	return all
}

var errNoUser = awsjson.Errorf("UserNotFoundException", "User does not exist.")

// find returns a user by name, by sub, or by an attribute that users sign in with.
func (u *Users) find(name string, aliases []string) (User, *awsjson.Error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if user := u.lookup(name, aliases); user != nil {
		return user.clone(), nil
	}
	return User{}, errNoUser
}

func (u *Users) lookup(name string, aliases []string) *User {
	if user := cmp.Or(u.byName[name], u.bySub[name]); user != nil {
		return user
	}
	for _, alias := range aliases {
		for _, user := range u.bySub {
			if name != "" && user.Attributes[alias] == name {
				return user
			}
		}
	}
	return nil
}

// create adds a user. The name must be new, and so must be attributes that users sign in with.
func (u *Users) create(user User, aliases []string) *awsjson.Error {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, name := range append([]string{user.Username}, valuesOf(user.Attributes, aliases)...) {
		if u.lookup(name, aliases) != nil {
			return awsjson.Errorf("UsernameExistsException", "User account already exists")
		}
	}
	u.put(user)
	return nil
}

func valuesOf(attributes map[string]string, names []string) (values []string) {
	for _, name := range names {
		if value := attributes[name]; value != "" {
			values = append(values, value)
		}
	}
	return values
}

// edit changes a user, unless change returns an error.
func (u *Users) edit(sub string, change func(*User) *awsjson.Error) (User, *awsjson.Error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	old := u.bySub[sub]
	if old == nil {
		return User{}, errNoUser
	}
	user := old.clone()
	if refused := change(&user); refused != nil {
		return old.clone(), refused
	}
	u.put(user)
	return user.clone(), nil
}
