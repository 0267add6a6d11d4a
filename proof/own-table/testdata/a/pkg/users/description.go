package users

// Description describes the users table. Edit it to use another table:
// docs/own-table.md has the steps and examples.
var Description = Table{
	Key:        "cognito_sub",
	Sub:        "cognito_sub",
	SyncedAt:   "synced_at",
	SignedInAt: "last_seen_at",
	Columns: []Column{
		{Name: "cognito_sub", Kind: Text, Source: Sub},
		{Name: "email", Kind: Text, Source: Attribute("email"), Default: ""},
		{Name: "display_name", Kind: Text, Source: Attribute("name"), Default: ""},
		{Name: "avatar_url", Kind: Text, Source: Attribute("picture")},
		{Name: "last_seen_at", Kind: Timestamp, Source: SignInTime},
		{Name: "synced_at", Kind: Timestamp, Source: SyncTime},
	},
}
