package cognitoidp

import (
	"context"
	"maps"

	"github.com/google/uuid"
)

// Import creates users as the import of a CSV file does: they have to reset the password. A line without the column
// cognito:username has its sub as user name. CloudTrail has no record of the users.
func (s *Server) Import(ctx context.Context, lines ...map[string]string) ([]User, error) {
	c := s.begin(ctx, "", nil)
	var users []User
	for _, line := range lines {
		u := User{Attributes: maps.Clone(line), Enabled: true, Status: ResetRequired}
		u.Attributes["sub"] = uuid.NewString()
		if u.Username = line["cognito:username"]; u.Username == "" {
			u.Username = u.Sub()
		}
		delete(u.Attributes, "cognito:username")
		if refused := c.Users.create(u, c.aliases()); refused != nil {
			return users, refused
		}
		users = append(users, u)
	}
	return users, nil
}
