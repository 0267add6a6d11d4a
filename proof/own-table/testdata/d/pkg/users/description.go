package users

// Description describes the users table. Edit it to use another table:
// docs/own-table.md has the steps and examples.
var Description = Table{
	Key:      "id",
	Sub:      "id",
	SyncedAt: "synced_at",
	Columns: []Column{
		{Name: "id", Kind: UUID, Source: Sub},
		{Name: "email", Kind: Text, Source: Attribute("email")},
		{Name: "name", Kind: JSON, Source: Object(map[string]string{"given": "given_name", "family": "family_name"})},
		{Name: "synced_at", Kind: Timestamp, Source: SyncTime},
	},
}
